from typing import Any

from filevault.dynamo import create_tables
from filevault.management.store_command import StoreCommand


class Command(StoreCommand):
    help = "Create the DynamoDB tables that are missing. Production makes them with Terraform."

    def handle(self, *args: Any, **options: Any) -> None:
        created = create_tables()
        self.stdout.write(f"{len(created)} tables created" if created else "all tables are there")
