"""Everything that happened in a case, to keep: as CSV for a spreadsheet, or as JSON.

Written as it is sent, oldest first, in memory that doesn't grow with the case.
"""

import csv
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from django.utils import translation

from accounts import audit
from accounts.actors import Practitioner
from accounts.tables import AuditEvent
from cases.activity import Entry, Narrator
from cases.tables import Case
from filevault.dynamo import now, readable

#: Events that are read and told at once.
BATCH: Final = 200
COLUMNS: Final = (
    *("at", "who", "what", "file", "action", "actor", "target", "address"),
    *("details", "eventId", "sequence", "hash"),
)
#: What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def export_csv(actor: Practitioner, case: Case) -> Iterator[str]:
    """The lines of a CSV file that Excel reads as UTF-8. The export is recorded before."""
    return _as_csv(_rows(actor, case))


def export_json(actor: Practitioner, case: Case) -> Iterator[str]:
    """The pieces of a JSON document. The export is recorded before."""
    head = {"caseId": case.case_id, "exportedAt": now().isoformat()}
    return _as_json(head, _rows(actor, case))


def record_export(actor: Practitioner, case: Case, form: str) -> None:
    """Note that everything was taken along: before it is (A4)."""
    stream, details = audit.case_stream(case.case_id), {"format": form}
    action = audit.Action.CASE_EXPORT
    audit.record_alone(stream, action, actor, target=case.case_id, details=details)


def _as_csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    writer = csv.DictWriter(_Passing(), COLUMNS)
    yield "\ufeff" + writer.writeheader()
    for row in rows:
        yield writer.writerow({name: _safe(value) for name, value in row.items()})


def _as_json(head: dict[str, str], rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield json.dumps(head)[:-1] + ', "events": ['
    separator = "\n"
    for row in rows:
        yield separator + json.dumps(row, ensure_ascii=False)
        separator = ",\n"
    yield "\n]}\n"


def _rows(actor: Practitioner, case: Case) -> Iterator[dict[str, Any]]:
    """What is sent is made after the view has ended, and so is its language."""
    language = translation.get_language()
    narrator = Narrator(actor, case)
    stream_id = audit.case_stream(case.case_id)
    events = readable(AuditEvent.query(stream_id, consistent_read=True, page_size=BATCH))

    def made() -> Iterator[dict[str, Any]]:
        while batch := list(islice(events, BATCH)):
            with translation.override(language):
                rows = [_row(entry) for entry in narrator.tell(batch)]
            yield from rows

    return made()


def _row(entry: Entry) -> dict[str, Any]:
    event = entry.event
    return {
        "at": event.at.isoformat(timespec="milliseconds"),
        "who": entry.who,
        "what": entry.what,
        "file": entry.file_name,
        "action": event.action,
        "actor": event.actor,
        "target": event.target,
        "address": event.address,
        "details": event.details,
        "eventId": event.event_id,
        "sequence": None if event.sequence is None else int(event.sequence),
        "hash": event.hash,
    }


def _safe(value: Any) -> str:
    """A cell that a spreadsheet shows and doesn't compute."""
    if value is None or value == {}:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


class _Passing:
    """A file for `csv` that keeps nothing: what is written is what it answers."""

    def write(self, text: str) -> str:
        return text
