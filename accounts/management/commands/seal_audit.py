from typing import Any

from accounts.sealing import seal_pending
from filevault.management.store_command import StoreCommand


class Command(StoreCommand):
    help = "Seal the audit events that aren't yet. The worker does this all the time."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{seal_pending()} events sealed")
