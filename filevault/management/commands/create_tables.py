from typing import Any

from django.core.management.base import BaseCommand

from filevault.dynamo import create_tables


class Command(BaseCommand):
    help = "Create the DynamoDB tables that are missing. Production makes them with Terraform."

    def handle(self, *args: Any, **options: Any) -> None:
        created = create_tables()
        self.stdout.write(f"{len(created)} tables created" if created else "all tables are there")
