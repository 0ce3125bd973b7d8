"""Receipts: what both sides can prove later, and what proves nothing."""

import copy
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.sealing import seal_pending
from accounts.tables import AuditEvent
from files import deletion
from files.spaces import load_space
from files.states import FileState
from files.tables import File
from filevault import signing
from filevault.dynamo import new_id
from tests.files import samples
from tests.files.space import A, FakeSpace, begin_post, row
from tests.files.test_downloads import available
from tests.files.test_inspection import PDF_SHA256, arrived, inspect, no_pause, scanner
from tests.files.test_views import browser, routes

__all__ = ["no_pause", "routes", "scanner"]

pytestmark = pytest.mark.settled

DOCS = Path(__file__).resolve().parents[2] / "docs" / "receipts.md"


def path_of(file: File, side: str = "cases") -> str:
    return f"/{side}/{file.space_id.removeprefix('test:')}/files/{file.file_id}/receipt"


@pytest.fixture
def file(space: FakeSpace) -> File:
    """An available file whose SHA-256 is proved and sealed."""
    made = available(space)
    inspect()
    seal_pending()
    return row(made)


@pytest.fixture
def receipt(file: File) -> dict[str, Any]:
    answer = browser("C1").get(path_of(file, "portal"))
    assert answer.status_code == 200
    return dict(answer.json())


@pytest.mark.parametrize(("who", "side"), [("A", "cases"), ("C1", "portal"), ("C3", "portal")])
def test_both_sides_get_the_receipt_of_a_file(file: File, who: str, side: str) -> None:
    answer = browser(who).get(path_of(file, side))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert 'filename="letter.pdf.receipt.json"' in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "no-store"
    said = signing.verify(answer.json(), signing.published_keys(), kind="filevault-receipt")
    event = AuditEvent.fetch(file.space_id, str(file.proof_event_id))
    assert event is not None
    assert said == {
        "type": "filevault-receipt",
        "issuer": "http://testserver",
        "fileId": file.file_id,
        "caseId": "one",
        "sha256": PDF_SHA256,
        "size": len(samples.PDF),
        "receivedAt": file.available_at.isoformat(),
        "trail": {
            "streamId": file.space_id,
            "sequence": int(event.sequence),
            "eventId": event.event_id,
            "hash": event.hash,
        },
        "keyId": "s1",
    }
    assert event.details["sha256"] == PDF_SHA256


def test_a_receipt_holds_no_name_T2(receipt: dict[str, Any]) -> None:
    assert "letter" not in json.dumps(receipt)


def test_the_page_links_to_it_for_both_sides(file: File) -> None:
    for who, side in (("A", "cases"), ("C1", "portal")):
        page = browser(who).get(f"/{side}/one/files/").content.decode()
        assert f'href="{path_of(file, side)}"' in page


def test_giving_one_is_recorded_A2(receipt: dict[str, Any]) -> None:
    last = list(AuditEvent.query(receipt["trail"]["streamId"], consistent_read=True))[-1]
    assert (last.action, last.target) == ("file:receipt_issued", receipt["fileId"])
    assert last.actor == "client:client-1"


def test_until_it_is_proved_and_sealed_a_page_says_so(space: FakeSpace) -> None:
    file = available(space)
    for prepare in (lambda: None, seal_pending, inspect):
        prepare()
        answer = browser("C1").get(path_of(file, "portal"))
        assert answer.status_code == 202
        assert "ready within a minute" in answer.content.decode()
        assert "Error" not in answer.content.decode()
    seal_pending()
    assert browser("C1").get(path_of(file, "portal")).status_code == 200


def test_a_file_that_is_still_checked_has_one_later(space: FakeSpace, scanner: object) -> None:
    file = arrived(space)
    assert browser("C1").get(path_of(file, "portal")).status_code == 202
    inspect()
    seal_pending()
    answer = browser("C1").get(path_of(file, "portal"))
    assert answer.json()["sha256"] == PDF_SHA256
    assert answer.json()["receivedAt"] == row(file).available_at.isoformat()


def test_it_stays_after_the_file_was_deleted(file: File) -> None:
    before = browser("C1").get(path_of(file, "portal")).json()
    deletion.delete(A, _space(file), file.file_id)
    seal_pending()
    answer = browser("C1").get(path_of(file, "portal"))
    assert answer.json() == before
    assert f"{file.file_id}.receipt.json" in answer["Content-Disposition"]
    assert row(file).sha256 is None


def _space(file: File) -> FakeSpace:
    found = load_space(file.space_id)
    assert isinstance(found, FakeSpace)
    return found


def test_what_never_arrived_has_none(space: FakeSpace) -> None:
    file, _post = begin_post(A, space, file_name="a.pdf", size=len(samples.PDF))
    assert browser("A").get(path_of(file)).status_code == 202
    file.update([File.state.set(FileState.EXPIRED.value)])
    assert browser("A").get(path_of(file)).status_code == 404


def test_a_stranger_gets_what_a_random_id_gets_Z2(file: File) -> None:
    strangers = [("B", "cases", file), ("C2", "portal", file)]
    for who, side, there in strangers:
        answer = browser(who).get(path_of(there, side))
        nowhere = browser(who).get(f"/{side}/one/files/{new_id()}/receipt")
        assert answer.status_code == nowhere.status_code == 404
        assert answer.content == nowhere.content
    assert Client().get(path_of(file)).status_code in (302, 401)
    assert browser("A").get(f"/cases/one/files/{new_id()}/receipt").status_code == 404
    assert browser("A").post(path_of(file)).status_code == 405


# --- Checking one ---


@pytest.fixture
def check(receipt: dict[str, Any], tmp_path: Path) -> Callable[..., tuple[bool, str]]:
    """Run `verify_receipt`; whether it held, and what was said."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(signing.as_jwks(signing.published_keys())))
    path, file = tmp_path / "receipt.json", tmp_path / "letter.pdf"

    def run(
        document: object = receipt,
        content: bytes | None = samples.PDF,
        *,
        offline: bool = False,
        keys_said: object = None,
    ) -> tuple[bool, str]:
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        if keys_said is not None:
            keys.write_text(json.dumps(keys_said))
        arguments = [str(path)]
        if content is not None:
            file.write_bytes(content)
            arguments.append(str(file))
        out = io.StringIO()
        try:
            extra = ["--keys", str(keys)] if offline else []
            call_command("verify_receipt", *arguments, *extra, stdout=out)
        except CommandError as error:
            return False, str(error)
        return True, out.getvalue()

    return run


Check = Callable[..., tuple[bool, str]]


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("content", [samples.PDF, None])
def test_a_receipt_and_its_file_hold(check: Check, offline: bool, content: bytes | None) -> None:
    held, said = check(content=content, offline=offline)
    assert held
    assert PDF_SHA256 in said
    assert ("is that file" in said) == (content is not None)
    assert ("The audit trail holds it." in said) == (not offline)


@pytest.mark.parametrize("offline", [False, True])
def test_another_file_is_named(check: Check, offline: bool) -> None:
    assert check(content=samples.PDF + b"\n", offline=offline)[0] is False
    assert "the file is another one, or was altered" in check(content=b"", offline=offline)[1]


@pytest.mark.parametrize("field", ["sha256", "size", "receivedAt", "issuer", "fileId", "caseId"])
def test_an_altered_receipt_is_named(check: Check, receipt: dict[str, Any], field: str) -> None:
    value = 7 if field == "size" else "0" * 64
    held, said = check(receipt | {field: value}, offline=True)
    assert (held, "altered" in said) == (False, True)


def test_a_place_in_the_trail_cant_be_altered(check: Check, receipt: dict[str, Any]) -> None:
    altered = copy.deepcopy(receipt)
    altered["trail"]["sequence"] += 1
    assert "altered" in check(altered)[1]


@pytest.mark.parametrize("offline", [False, True])
def test_an_unknown_key_is_named(check: Check, receipt: dict[str, Any], offline: bool) -> None:
    held, said = check(receipt | {"keyId": "s9"}, offline=offline)
    assert (held, "'s9', which is not a known one" in said) == (False, True)


@pytest.mark.parametrize(
    "document", ["", "no json", "[" * 100_000, "[]", '{"type": 1}', '{"type": "x", "type": "y"}']
)
def test_what_is_no_receipt_is_named(check: Check, document: str) -> None:
    held, said = check(document, offline=True)
    assert (held, said.startswith("This proves nothing: ")) == (False, True)


def test_another_kind_of_signed_document_is_no_receipt(check: Check) -> None:
    held, said = check(signing.sign("filevault-audit-checkpoint", {}))
    assert (held, "not a signed document of the type filevault-receipt" in said) == (False, True)


def test_a_receipt_that_the_trail_doesnt_hold_is_named(
    check: Check, receipt: dict[str, Any]
) -> None:
    event = AuditEvent.fetch(receipt["trail"]["streamId"], receipt["trail"]["eventId"])
    assert event is not None
    event.delete()
    held, said = check()
    assert (held, "the audit trail doesn't hold" in said) == (False, True)
    assert check(offline=True)[0] is True


def test_broken_keys_and_missing_files_are_named(check: Check, tmp_path: Path) -> None:
    assert "not a set of Ed25519 keys" in check(offline=True, keys_said=[])[1]
    with pytest.raises(CommandError, match="can't be read"):
        call_command("verify_receipt", str(tmp_path / "nowhere.json"))


def test_a_receipt_holds_after_the_key_has_changed_T3(check: Check, settings: LazySettings) -> None:
    settings.SIGNING_KEYS = [("s2", bytes(range(1, 33)))]
    assert check()[0] is True


def test_the_lines_of_the_documentation_check_a_receipt(
    receipt: dict[str, Any], tmp_path: Path
) -> None:
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    (tmp_path / "check.py").write_text(found[1])
    (tmp_path / "keys.json").write_text(json.dumps(signing.as_jwks(signing.published_keys())))
    (tmp_path / "letter.pdf").write_bytes(samples.PDF)

    def run(document: dict[str, Any]) -> str:
        (tmp_path / "receipt.json").write_text(json.dumps(document))
        done = subprocess.run(
            [sys.executable, "check.py", "receipt.json", "keys.json", "letter.pdf"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr.strip().splitlines()[-1] if done.returncode else "holds"

    assert run(receipt) == "holds"
    assert "InvalidSignature" in run(receipt | {"size": 1})
    assert run(receipt | {"keyId": "s9"}) == "KeyError: 's9'"
    (tmp_path / "letter.pdf").write_bytes(b"another")
    assert run(receipt) == "AssertionError: another file"
