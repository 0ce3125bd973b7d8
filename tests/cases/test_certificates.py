"""Deletion certificates: one for each deleted case, signed, and true."""

import hashlib
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from accounts.tables import AuditEvent
from cases import cases, certificates
from cases.tables import DeletionCertificate
from files import deletion, uploads
from files.storage import CaseStorage
from files.tables import File
from filevault import jobs, signing
from filevault.dynamo import new_id, now
from filevault.errors import NotFound, Unavailable
from tests.cases.casework import actions_in, arrived, make_case, make_client, space_of
from tests.cases.endings import closed_case, days_later, document_of, live_through, run
from tests.cast import Cast
from tests.faults.wire import Killed, Wire, kill, lose_reply
from tests.files.samples import PDF
from tests.files.test_inspection import inspect

pytestmark = pytest.mark.usefixtures("bucket")

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "retention.md"
DIGEST = hashlib.sha256(PDF).hexdigest()


def check(whole: dict[str, Any]) -> dict[str, Any]:
    """What a certificate says, once signature and list are proved."""
    keys = signing.published_keys()
    said = signing.verify(whole["certificate"], keys, kind=certificates.KIND)
    listed = json.dumps(whole["files"], sort_keys=True, separators=(",", ":")).encode()
    assert said["filesSha256"] == hashlib.sha256(listed).hexdigest()
    assert said["fileCount"] == len(whole["files"])
    assert said["byteCount"] == sum(each["size"] for each in whole["files"])
    return said


def test_a_deleted_case_has_a_certificate_of_every_file_T4(cast: Cast) -> None:
    case = make_case(cast.a, make_client(cast.a, "Canary Client"), title="Canary matter")
    first, second = arrived(case, cast.a), arrived(case, cast.a)
    inspect()  # proves their SHA-256
    uploads.begin(cast.a, space_of(case), file_name="canary.pdf", size=5)  # never arrives
    deletion.delete(cast.a, space_of(case), first.file_id)
    run()
    cases.delete_case(cast.a, case.case_id)
    (begun,) = certificates.list_certificates(cast.a).items
    assert begun.document is None
    with pytest.raises(NotFound):
        certificates.get_document(cast.a, begun.certificate_id)
    run()
    whole = document_of(cast.a)
    said = check(whole)
    assert (said["caseId"], said["reason"]) == (case.case_id, "owner")
    assert (said["closedAt"], said["retainUntil"]) == ("", "")
    assert said["deletedAt"] <= said["finishedAt"]
    assert [each["fileId"] for each in whole["files"]] == [first.file_id, second.file_id]
    assert [each["sha256"] for each in whole["files"]] == [DIGEST, DIGEST]
    event = AuditEvent.fetch(said["auditStream"], said["auditEventId"])
    assert event is not None
    assert (event.action, event.details["filesSha256"]) == ("case:purged", said["filesSha256"])
    assert "anary" not in json.dumps(whole), "no title, no name (T2)"


def test_a_certificate_of_retention_says_when_and_why(cast: Cast) -> None:
    case = closed_case(cast.a)
    live_through(until=91)
    said = check(document_of(cast.a))
    assert (said["reason"], said["fileCount"], said["byteCount"]) == ("retention", 0, 0)
    assert said["closedAt"].startswith("2027-03-01T14:30")
    assert said["retainUntil"] == "2027-05-31T00:00:00.000+00:00"
    assert said["caseId"] == case.case_id


@pytest.mark.parametrize(
    ("place", "value"),
    [("caseId", "another"), ("fileCount", 7), ("reason", "retention"), ("type", "another")],
)
def test_an_altered_certificate_proves_nothing(cast: Cast, place: str, value: object) -> None:
    cases.delete_case(cast.a, make_case(cast.a, make_client(cast.a)).case_id)
    run()
    whole = document_of(cast.a)
    whole["certificate"][place] = value
    with pytest.raises(signing.SignatureFault):
        check(whole)


def test_nothing_is_certified_before_the_last_byte_has_gone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(cast.a, make_client(cast.a))
    file = arrived(case, cast.a)

    def away(self: CaseStorage, key: str, **options: Any) -> int:
        raise Unavailable

    cases.delete_case(cast.a, case.case_id)
    with monkeypatch.context() as patch:
        patch.setattr(CaseStorage, "delete_versions", away)
        done = [jobs.run_due("test", kinds={cases.PURGE_JOB}) for _ in range(3)]
    assert done == [1, 0, 0], "it is put off"
    (row,) = certificates.list_certificates(cast.a).items
    assert row.document is None
    with time_machine.travel(now() + timedelta(minutes=1), tick=True):
        run()
    assert [each["fileId"] for each in document_of(cast.a)["files"]] == [file.file_id]


def test_a_worker_that_dies_on_the_way_leaves_one_certificate(cast: Cast, wire: Wire) -> None:
    case = make_case(cast.a, make_client(cast.a))
    for _ in range(2):
        arrived(case, cast.a)
    cases.delete_case(cast.a, case.case_id)
    for step in range(12):
        wire.add("TransactWriteItems", kill(after=bool(step % 2)))
        try:
            with days_later(step):
                run(cases.PURGE_JOB)
        except Killed:
            continue
        break
    with days_later(20):
        run(cases.PURGE_JOB)
    check(document_of(cast.a))
    events = actions_in(f"case:{case.case_id}")
    assert (events.count("case:purged"), events.count("file:purged")) == (1, 2)


def test_a_lost_reply_is_no_second_certificate(cast: Cast, wire: Wire) -> None:
    case = make_case(cast.a, make_client(cast.a))
    cases.delete_case(cast.a, case.case_id)
    wire.add("TransactWriteItems", lose_reply())
    run()
    check(document_of(cast.a))
    assert actions_in(f"case:{case.case_id}").count("case:purged") == 1


def test_a_certificate_is_its_owners_alone_Z2(cast: Cast) -> None:
    cases.delete_case(cast.a, make_case(cast.a, make_client(cast.a)).case_id)
    run()
    (row,) = certificates.list_certificates(cast.a).items
    assert certificates.list_certificates(cast.b).items == []
    for certificate_id in (row.certificate_id, new_id(), "", "\ud800", row.certificate_id[:-1]):
        with pytest.raises(NotFound):
            certificates.get_document(cast.b, certificate_id)


def test_a_case_with_many_files_is_listed_whole(cast: Cast) -> None:
    """The list isn't in the certificate's row, which takes 400 KB at most."""
    case = make_case(cast.a, make_client(cast.a))
    pattern = arrived(case, cast.a)
    with File.batch_write() as batch:
        for number in range(250):
            copy = File.from_raw_data(pattern.serialize())
            copy.file_id, copy.s3_key = new_id(), f"{pattern.s3_key}{number}"
            copy.state, copy.purged_at, copy.held_bytes = "DELETED", pattern.created_at, None
            batch.save(copy)
    cases.delete_case(cast.a, case.case_id)
    run()
    whole = document_of(cast.a)
    assert check(whole)["fileCount"] == 251
    (row,) = DeletionCertificate.query(cast.a.user_id)
    assert len(row.document) < 1500


def test_the_documented_lines_check_a_certificate(cast: Cast, tmp_path: Path) -> None:
    """docs/retention.md, run as it is printed there."""
    case = make_case(cast.a, make_client(cast.a))
    arrived(case, cast.a)
    cases.delete_case(cast.a, case.case_id)
    run()
    keys = signing.as_jwks(signing.published_keys())
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    lines = DOCUMENTATION.read_text().partition("```python\n")[2].partition("```")[0]

    def checked(whole: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        (tmp_path / "certificate.json").write_text(json.dumps(whole))
        return subprocess.run(
            [sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    whole = document_of(cast.a)
    done = checked(whole)
    assert (done.returncode, done.stdout[:7]) == (0, "1 files"), done.stderr
    assert checked(whole | {"files": []}).returncode == 1
    whole["certificate"]["fileCount"] = 2
    assert checked(whole).returncode == 1
