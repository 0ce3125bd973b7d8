"""The secrets of a local stack: generated once, kept, and completed after an update."""

import json
from pathlib import Path

from filevault.local.secret_store import Secrets


def test_what_was_generated_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    assert Secrets.load(path) == Secrets.load(path)
    assert path.stat().st_mode & 0o077 == 0


def test_what_an_earlier_release_did_not_know_is_added_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    stored = json.loads(json.dumps(vars(Secrets.load(path))))
    del stored["signing_seed"]
    path.write_text(json.dumps(stored))
    first = Secrets.load(path)
    assert first.signing_seed
    assert Secrets.load(path) == first
