import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from filevault.doctor import examine, part_names


class Command(BaseCommand):
    help = "Prove this deployment: a line for each part, ok or what to do. Leaves nothing behind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(part_names()))

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = set(options["parts"]) - set(part_names())
        if unknown:
            raise CommandError(f"There is no part named {', '.join(sorted(unknown))}.")
        logging.disable(logging.CRITICAL)  # each failure has its line here
        try:
            failures = 0
            for finding in examine(options["parts"]):
                self.stdout.write(str(finding))
                failures += bool(finding.fix)
        finally:
            logging.disable(logging.NOTSET)
        if failures:
            raise CommandError(f"{failures} of them failed")
