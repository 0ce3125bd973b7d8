import json
from typing import Any

from django.core.management.base import BaseCommand

from filevault.dynamo.definitions import table_definitions


class Command(BaseCommand):
    help = "Print the tables' keys, indexes and expiry as JSON, as infra/modules/tables reads them."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(table_definitions(), indent=2))
