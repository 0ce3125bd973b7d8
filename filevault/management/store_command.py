"""Base of the commands that need AWS: where it is away they end with one line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from filevault.aws import AWS_ERRORS
from filevault.dynamo import STORE_ERRORS
from filevault.errors import Unavailable


class StoreCommand(BaseCommand):
    """Ends with one line and code 1 where a part that it needs does not answer."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (*STORE_ERRORS, *AWS_ERRORS, Unavailable) as error:
            cause = error.__cause__ or error
            raise CommandError(f"AWS does not answer as it should: {cause}") from error
