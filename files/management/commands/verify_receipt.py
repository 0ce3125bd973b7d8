from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from files.receipts import Unproved, check_content, check_receipt, check_trail
from filevault import signing
from filevault.management.store_command import StoreCommand


class Command(StoreCommand):
    help = (
        "Check a receipt: its signature, its place in the audit trail, and the file that it is "
        "for. With --keys nothing but files is read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("receipt", type=Path)
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument(
            "--keys",
            type=Path,
            help="what /.well-known/filevault-keys.json said, to check it without AWS",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._check(options["receipt"], options["file"], options["keys"])
        except (signing.SignatureFault, Unproved) as error:
            raise CommandError(f"This proves nothing: {error}.") from error
        except OSError as error:
            raise CommandError(f"{error.filename} can't be read: {error.strerror}.") from error

    def _check(self, receipt: Path, file: Path | None, keys: Path | None) -> None:
        document = signing.parse(receipt.read_bytes())
        known = signing.published_keys() if keys is None else _read_keys(keys)
        said = check_receipt(document, known)
        self.stdout.write(f"{said['issuer']} received the file {said['fileId']}")
        self.stdout.write(f"of {said['size']} bytes at {said['receivedAt']}, with the SHA-256")
        self.stdout.write(said["sha256"])
        self.stdout.write(f"The signature is right (key {said['keyId']}).")
        if keys is None:
            check_trail(said)
            self.stdout.write("The audit trail holds it.")
        if file is not None:
            with file.open("rb") as content:
                check_content(said, content)
            self.stdout.write(f"{file} is that file.")


def _read_keys(path: Path) -> dict[str, bytes]:
    try:
        return signing.from_jwks(signing.parse(path.read_bytes()))
    except signing.Malformed as error:
        raise CommandError(f"{path}: {error}.") from error
