"""Base of the commands that do the due jobs of some kinds, once, and say how many."""

from collections.abc import Collection
from typing import Any, ClassVar

from filevault import jobs
from filevault.management.store_command import StoreCommand
from filevault.worker import owner_name


class JobCommand(StoreCommand):
    """Does what is due of its `kinds` until nothing is, and prints the number."""

    kinds: ClassVar[Collection[str]] = ()

    def handle(self, *args: Any, **options: Any) -> None:
        done = 0
        while found := jobs.run_due(owner_name(), kinds=self.kinds):
            done += found
        self.stdout.write(f"{done} done")
