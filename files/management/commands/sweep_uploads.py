import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from files.findings import LABELS, UNWANTED, Finding
from files.sweep_job import OLDER_THAN, report
from files.sweeping import Sweep
from filevault.dynamo import now
from filevault.management.store_command import StoreCommand


class Command(StoreCommand):
    help = (
        "Hold rows and storage against each other and count what should not be there: uploads that "
        "nobody ended, bytes without a file, files without bytes. Ends with code 1 if something is "
        "left. Changes nothing without --delete."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--delete",
            action="store_true",
            help="put it right: delete such bytes, and mark files without bytes as not accepted",
        )
        parser.add_argument(
            "--older-than",
            type=int,
            default=int(OLDER_THAN / timedelta(hours=1)),
            metavar="HOURS",
            help="spare what is more recent (default: %(default)s); 0 is for a system at rest",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["older_than"] < 0:
            raise CommandError("--older-than takes hours, 0 or more")
        repairs = frozenset(UNWANTED if options["delete"] else ())
        sweep = Sweep(now() - timedelta(hours=options["older_than"]), repairs)
        while sweep.step():
            pass
        report(sweep)
        for finding in Finding:
            self.stdout.write(_line(sweep, finding))
        self.stdout.write(f"{sweep.left} things that should not be there")
        if sweep.left or sweep.found[Finding.UNCHECKED]:
            sys.exit(1)


def _line(sweep: Sweep, finding: Finding) -> str:
    line = f"{LABELS[finding]}: {sweep.found[finding]}"
    return f"{line} ({sweep.repaired[finding]} put right)" if finding in sweep.repairs else line
