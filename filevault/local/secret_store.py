"""What is generated once for a local stack and kept: keys that outlive a restart."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


def _random_key() -> str:
    """32 random bytes in base64url, without padding."""
    return secrets.token_urlsafe(32)


@dataclass
class Secrets:
    """Kept in `secrets.json` of the state directory, readable by its owner alone.

    `app_access_key_id` and `app_secret_access_key` are the IAM user's and empty until it exists.
    """

    secret_key: str
    invitation_key: str
    admin_access_key_id: str
    admin_secret_access_key: str
    app_access_key_id: str = ""
    app_secret_access_key: str = ""
    signing_seed: str = field(default_factory=_random_key)

    @classmethod
    def load(cls, path: Path) -> "Secrets":
        """Read them, or generate and store them on the first run."""
        if path.exists():
            stored = json.loads(path.read_text())
            known = cls(**stored)
            if asdict(known) != stored:  # an earlier release knew fewer of them
                known.save(path)
            return known
        made = cls(
            secret_key=secrets.token_urlsafe(48),
            invitation_key=_random_key(),
            admin_access_key_id=f"LOCALROOT{secrets.token_hex(5).upper()}",
            admin_secret_access_key=secrets.token_urlsafe(30),
        )
        made.save(path)
        return made

    def save(self, path: Path) -> None:
        """Store them."""
        write_private(path, asdict(self))


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write JSON that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    draft.replace(path)
