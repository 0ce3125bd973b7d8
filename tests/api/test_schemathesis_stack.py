"""The running product keeps to the document that it serves, whoever asks and whatever they send."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.tokens import access_token
from tests.stack import TestStack

pytestmark = pytest.mark.stack

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)


@pytest.mark.parametrize(
    "email", ["anna.novak@example.test", "ben.okafor@example.test", ""], ids=["A", "B", "anonymous"]
)
def test_no_call_breaks_the_product_or_its_document(
    app: str, stack: TestStack, email: str, tmp_path: Path
) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{app}/api/openapi.json",
        f"--checks={CHECKS}",
        "--phases=examples,coverage,fuzzing",
        "--max-examples=10",
        "--seed=1",
        "--suppress-health-check=all",
        "--continue-on-failure",
    ]
    if email:
        command += ["--header", f"Authorization: Bearer {access_token(stack, email)}"]
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, _readable(ran.stdout)


def _readable(report: str) -> str:
    """A report without the ends of overlong addresses and bodies."""
    return "\n".join(line[:400] for line in report.splitlines())
