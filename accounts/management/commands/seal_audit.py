from typing import Any

from django.core.management.base import BaseCommand

from accounts.sealing import seal_pending


class Command(BaseCommand):
    help = "Seal the audit events that aren't yet. The worker does this all the time."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{seal_pending()} events sealed")
