"""What docs/api.md tells people to type works as it stands there."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from filevault.local.ministack import REPOSITORY
from tests.stack import TestStack

pytestmark = pytest.mark.stack


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
