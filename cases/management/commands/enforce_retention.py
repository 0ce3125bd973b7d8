import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from cases import retention
from cases.retention_job import advance
from cases.tables import Case, RetentionEnd
from filevault.dynamo import now
from filevault.management.store_command import StoreCommand


class Command(StoreCommand):
    help = (
        "List the closed cases whose time is over and that the worker has not deleted. Ends with "
        "code 1 if one is left. Changes nothing without --delete."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--delete",
            action="store_true",
            help="do what the worker should have done; cases under a legal hold stay, and so do, "
            "for another day, those that nobody was warned of",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        left = 0
        for case in _due():
            end = case.retain_until.isoformat(timespec="seconds")
            verdict = "held" if case.held_at is not None else "due"
            if verdict == "due" and options["delete"]:
                verdict = _end(case)
            left += verdict == "due"
            self.stdout.write(f"{case.case_id} {end} {verdict}")
        self.stdout.write(f"{left} cases are due")
        if left:
            sys.exit(1)


def _due() -> Iterator[Case]:
    """Closed cases whose time is over, held or not."""
    for row in RetentionEnd.scan(consistent_read=True):
        case = Case.fetch(row.end_key.partition("#")[2])
        listed = case is not None and case.status == "closed" and case.retain_until is not None
        if case is not None and listed and case.retain_until <= now():
            yield case


def _end(case: Case) -> str:
    advance(case.case_id, retention.payload(case)["until"])
    after = Case.fetch(case.case_id)
    if after is None or after.status == "deleted":
        return "deleted"
    return "due" if after.retain_until == case.retain_until else "warned first"
