"""The restore drill on a local stack of its own: fill it, back it up, destroy it, restore it, and
prove that every file and the audit trail are what they were.

    .venv/bin/python -m tools.restore_drill

Scanning and copying stand in for what AWS does in production (point-in-time recovery, AWS Backup):
docs/operations.md tells the same steps there. What is proved is what comes after: that the product
finds itself again in restored tables and in a bucket whose every version has another id.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import django

FILES: Final = 20


@dataclass
class Backup:
    """Every row of every table, and the current version of every object."""

    rows: dict[str, list[Any]] = field(default_factory=dict)
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vault:
    """The stores, by clients that may do anything."""

    dynamodb: Any
    s3: Any
    bucket: str
    prefix: str

    def back_up(self) -> Backup:
        """Copy all of it."""
        rows = {name: list(self._rows(name)) for name in self.tables()}
        objects = {}
        for version in self._versions():
            if version.get("IsLatest") and "Size" in version:
                found = self.s3.get_object(Bucket=self.bucket, Key=version["Key"])
                objects[version["Key"]] = found["Body"].read(), found["ContentType"]
        return Backup(rows, objects)

    def destroy(self) -> None:
        """Delete every row, and every version of every object."""
        for name in self.tables():
            keys = [each["AttributeName"] for each in self._describe(name)["KeySchema"]]
            for row in list(self._rows(name)):
                key = {attribute: row[attribute] for attribute in keys}
                self.dynamodb.delete_item(TableName=name, Key=key)
        for version in list(self._versions()):
            self.s3.delete_object(
                Bucket=self.bucket, Key=version["Key"], VersionId=version["VersionId"]
            )

    def restore(self, backup: Backup) -> None:
        """Put it back. Objects come back under new version ids."""
        for name, rows in backup.rows.items():
            for row in rows:
                self.dynamodb.put_item(TableName=name, Item=row)
        for key, (content, mime_type) in backup.objects.items():
            self.s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=content,
                ContentType=mime_type,
                ServerSideEncryption="AES256",
            )

    def tables(self) -> list[str]:
        pages = self.dynamodb.get_paginator("list_tables").paginate()
        return [
            name for page in pages for name in page["TableNames"] if name.startswith(self.prefix)
        ]

    def _describe(self, name: str) -> Any:
        return self.dynamodb.describe_table(TableName=name)["Table"]

    def _rows(self, name: str) -> Iterator[Any]:
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=name):
            yield from page["Items"]

    def _versions(self) -> Iterator[Any]:
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket)
        for page in pages:
            yield from [*page.get("Versions", []), *page.get("DeleteMarkers", [])]


def fill(count: int) -> None:
    """A case of somebody's with so many files in it, checked, sealed and under a checkpoint."""
    from filevault import jobs
    from tests.cases.casework import arrived, make_case, make_client
    from tests.cast import make_cast
    from tests.files.samples import PDF

    owner = make_cast().a
    case = make_case(owner, make_client(owner))
    for number in range(count):
        arrived(case, owner, PDF + f"% {number}\n".encode(), name=f"Letter {number}.pdf")
    for _twice in range(2):  # what the first round plans is done in the second
        for chore in jobs.chores():
            chore.function()
        while jobs.run_due("drill"):
            pass


def digests() -> dict[str, str]:
    """The SHA-256 of what each available file serves now, by the file's id; '' where it can't."""
    from files.states import FileState
    from files.tables import File

    rows = File.scan(File.state == FileState.AVAILABLE.value, consistent_read=True)
    return {file.file_id: _served(file) for file in rows}


def _served(file: Any) -> str:
    from files.storage import case_storage

    storage = case_storage()
    if storage.head(file.s3_key, file.version_id) is None:
        return ""
    return hashlib.sha256(b"".join(storage.stream(file.s3_key, file.version_id))).hexdigest()


def main() -> int:
    from filevault.local.environment import TABLE_PREFIX
    from filevault.local.seed import admin_session
    from tests.stack import provisioned_stack

    os.environ["INDEX_LAG_SECONDS"] = "0"  # what was just written is to be sealed at once
    with provisioned_stack() as stack:
        os.environ |= stack.environment
        django.setup()
        fill(FILES)
        session, endpoint = admin_session(stack.ministack), stack.ministack.endpoint
        vault = Vault(
            session.client("dynamodb", endpoint_url=endpoint),
            session.client("s3", endpoint_url=endpoint),
            stack.stack["bucket"],
            TABLE_PREFIX,
        )
        return drill(vault)


def drill(vault: Vault) -> int:
    """Take the steps, saying what each found; 0 where everything came back."""
    from django.core.management import call_command

    before = digests()
    print(f"{len(before)} files, {len(vault.tables())} tables", flush=True)
    began = time.monotonic()
    backup = vault.back_up()
    vault.destroy()
    print(f"destroyed: {len(digests())} files are left", flush=True)
    vault.restore(backup)
    lost = [file_id for file_id, digest in digests().items() if not digest]
    print(f"restored: {len(lost)} files are pinned to versions that are gone", flush=True)
    call_command("repin_files", apply=True)
    call_command("verify_audit")
    came_back = digests() == before
    print(f"every file has the SHA-256 that it had: {'yes' if came_back else 'NO'}")
    print(f"{time.monotonic() - began:.0f} seconds")
    return 0 if came_back else 1


if __name__ == "__main__":
    sys.exit(main())
