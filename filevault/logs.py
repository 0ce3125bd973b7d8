"""Logs: one JSON object a line, so that no value can forge a record (A3)."""

import json
import logging
from datetime import UTC, datetime

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request", "taskName"}


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, and whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class WithoutAddress(logging.Filter):
    """Takes the address out of what gunicorn says of a request that broke off: the address of an
    invitation is its token (I2)."""

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith("Error handling request"):
            record.msg, record.args = "request broke off", ()
        return True


def outage(error: BaseException) -> dict[str, str]:
    """What a record says of a part that is away, as `extra`: a line does, where a trace would only
    tell the insides of the SDK."""
    cause = error.__cause__ or error
    return {"error": type(cause).__name__, "cause": str(cause)[:300]}
