"""What docs/api.md tells people to type works as it stands there."""

import json
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from accounts.tables import User
from filevault.local.ministack import REPOSITORY
from tests.api.tokens import access_token
from tests.stack import TestStack

pytestmark = pytest.mark.stack

ANNA = "anna.novak@example.test"


@pytest.fixture
def named(app: str, stack: TestStack) -> None:
    """Anna with a profile that has her name, as after her first visit."""
    bearer = {"Authorization": f"Bearer {access_token(stack, ANNA)}"}
    body = {"fileName": "a.txt", "mimeType": "", "size": 1}
    begun = httpx.post(f"{app}/api/files/presign-upload", headers=bearer, json=body).json()
    user_id = str(begun["fields"]["key"]).split("/")[1]
    User(user_id).update([User.display_name.set("Dr Anna Novak")])


@pytest.mark.usefixtures("named")
def test_each_line_of_the_page_runs(stack: TestStack, tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "api.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 9
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(stack.stack))
    ran = subprocess.run(
        ["sh", "-eux", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:] + ran.stdout[-2000:]
    assert (tmp_path / "copy.txt").read_bytes() == b"Some notes.\n"
