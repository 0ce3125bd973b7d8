"""gunicorn's settings. What differs between deployments comes from gunicorn's own variable,
GUNICORN_CMD_ARGS, such as `--workers 4 --bind 127.0.0.1:8000`. WEB_CONCURRENCY is the number of
processes; the image sets it."""

import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

wsgi_app = "filevault.wsgi"
bind = "0.0.0.0:8000"
worker_class = "gthread"
threads = 16
#: Behind a load balancer connections are kept longer than its own idle time (60 s on AWS).
keepalive = 65
timeout = 30
#: SIGTERM: running requests are finished, new ones aren't taken. Docker kills after 10 seconds.
graceful_timeout = 8
# A worker's sign of life is written to memory: a container's file system may be read-only.
_memory = Path("/dev/shm")  # noqa: S108  # nosec B108
worker_tmp_dir = str(_memory) if _memory.is_dir() else None
#: The product writes its own (filevault.middleware), without tokens and query strings.
accesslog = None
#: No command socket in the home directory: the image's user has none.
control_socket_disable = True
errorlog = "-"
#: One JSON object a line, as the product's own, so that no trace is many records (A3).
logconfig_dict = {
    "formatters": {"line": {"()": "filevault.logs.JsonFormatter"}},
    "filters": {"without_address": {"()": "filevault.logs.WithoutAddress"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["without_address"],
        }
    },
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False}},
}
limit_request_line = 8190
forwarded_allow_ips = ""


def on_starting(server: Any) -> None:
    """A missing or malformed variable ends the start with one clear line, not a trace a worker."""
    try:
        from filevault import settings  # noqa: F401
    except ImproperlyConfigured as error:
        sys.exit(f"Filevault can't start: {error}")
