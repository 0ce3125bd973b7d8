from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from filevault.worker import Worker


class Command(BaseCommand):
    help = "Do what falls due: windows, mails, checks, deletions, sealing. Stops at SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")
        parser.add_argument("--heartbeat", type=Path, help="a file to touch at every round")

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker(heartbeat=options["heartbeat"])
        worker.stop_on_signals()
        if options["once"]:
            worker.read_queues()
            self.stdout.write(f"{worker.step()} done")
        else:
            worker.run()
