import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from accounts.checkpoints import read_checkpoints
from accounts.verification import forged, verify_all, verify_stream
from filevault.management.store_command import StoreCommand


class Command(StoreCommand):
    help = (
        "Name the first audit event of each stream that was edited, reordered, removed, cut off, "
        "rewritten or left unsealed, and each checkpoint that was forged. Ends with code 1 if "
        "there is one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stream", help="verify this stream alone, such as case:<id>")
        parser.add_argument(
            "--grace",
            type=int,
            default=0,
            metavar="SECONDS",
            help="allow this much more than the minute in which an event is to be sealed",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        grace = timedelta(seconds=options["grace"])
        marks = read_checkpoints(options["stream"] or "")
        if options["stream"]:
            finding = verify_stream(options["stream"], marks.of(options["stream"]), grace=grace)
            findings = [*forged(marks), *([finding] if finding else [])]
        else:
            findings = list(verify_all(marks, grace=grace))
        for finding in findings:
            self.stdout.write(str(finding))
        if findings:
            sys.exit(1)
        self.stdout.write("The audit trail is as it was sealed.")
        self.stdout.write(f"It agrees with {marks.checkpoints} checkpoints.")
