import sys
from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from files.repinning import Outcome, repin_all
from filevault.management.store_command import StoreCommand


class Command(StoreCommand):
    help = (
        "After the bucket was restored from a backup: pin each available file whose version is "
        "gone to the version that has the same SHA-256. Keep workers stopped meanwhile. Changes "
        "nothing without --apply. Ends with code 1 if a file can't be served."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="pin them")

    def handle(self, *args: Any, **options: Any) -> None:
        counts: Counter[Outcome] = Counter()
        for looked in repin_all(apply=options["apply"]):
            counts[looked.outcome] += 1
            if looked.outcome in {Outcome.MISSING, Outcome.OTHER, Outcome.UNPROVED}:
                self.stdout.write(f"{looked.file_id}: {looked.outcome}")
        for outcome in Outcome:
            self.stdout.write(f"files {outcome}: {counts[outcome]}")
        lost = counts.total() - counts[Outcome.KEPT]
        if lost - (counts[Outcome.PINNED] if options["apply"] else 0):
            sys.exit(1)
