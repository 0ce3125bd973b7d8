"""Base of the commands that do the due jobs of some kinds, once, and say how many."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from filevault import jobs
from filevault.dynamo import STORE_ERRORS
from filevault.errors import Unavailable
from filevault.worker import owner_name


class JobCommand(BaseCommand):
    """Does what is due of its `kinds` until nothing is, and prints the number."""

    kinds: ClassVar[Collection[str]] = ()

    def handle(self, *args: Any, **options: Any) -> None:
        done = 0
        try:
            while found := jobs.run_due(owner_name(), kinds=self.kinds):
                done += found
        except (*STORE_ERRORS, Unavailable) as error:
            raise CommandError("The store does not answer; what is due is done later.") from error
        self.stdout.write(f"{done} done")
