"""The restore drill, on moto: everything comes back, and what doesn't is told."""

import boto3
import pytest
from django.conf import LazySettings

from filevault.aws import s3_client
from tests.files.space import make_bucket
from tools.restore_drill import Backup, Vault, drill, fill

pytestmark = pytest.mark.settled

FILES = 3


@pytest.fixture
def vault(settings: LazySettings) -> Vault:
    make_bucket(settings.FILEVAULT_BUCKET)
    fill(FILES)
    return Vault(
        boto3.client("dynamodb"), s3_client(), settings.FILEVAULT_BUCKET, settings.TABLE_PREFIX
    )


def test_everything_comes_back(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    assert drill(vault) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{FILES} files, ")
    assert "destroyed: 0 files are left" in told
    assert f"restored: {FILES} files are pinned to versions that are gone" in told
    assert f"files pinned anew: {FILES}" in told
    assert "The audit trail is as it was sealed.\nIt agrees with 1 checkpoints." in told
    assert "every file has the SHA-256 that it had: yes" in told


def test_a_backup_that_was_tampered_with_is_told(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Vault.back_up

    def tampered(self: Vault) -> Backup:
        backup = whole(self)
        key = next(key for key in backup.objects if key.startswith("cases/"))
        content, mime_type = backup.objects[key]
        backup.objects[key] = content[:-2] + b"!\n", mime_type
        return backup

    monkeypatch.setattr(Vault, "back_up", tampered)
    with pytest.raises(SystemExit) as ending:
        drill(vault)
    assert ending.value.code == 1
    assert "with other bytes than were checked" in capsys.readouterr().out


def test_an_event_that_the_backup_lacks_is_told(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Vault.back_up

    def cut(self: Vault) -> Backup:
        backup = whole(self)
        events = backup.rows[f"{self.prefix}AuditEvent"]
        events.remove(max((row for row in events if "sequence" in row), key=str))
        return backup

    monkeypatch.setattr(Vault, "back_up", cut)
    with pytest.raises(SystemExit) as ending:
        drill(vault)
    assert ending.value.code == 1
    assert "The audit trail is as it was sealed." not in capsys.readouterr().out
