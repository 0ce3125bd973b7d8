"""What must not stay behind in storage: U10 and T4, from outside.

Time passes by moving a row's own clock back: signatures allow no other one."""

import base64
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from accounts.tables import AuditEvent
from cases import certificates, retention
from cases.tables import Case
from files import inventory
from files.findings import Finding
from files.keys import derived_keys
from files.sweep_job import SWEEP_JOB
from files.sweeping import Sweep
from files.tables import File, FileDigest, FileShare, PendingShare
from files.uploads import EXPIRE_JOB
from filevault import signing
from filevault.dynamo import Transaction, new_id, now
from filevault.local.seed import admin_session
from filevault.mail import address_hash
from filevault.tables import Job, Once
from tests.files.samples import PDF
from tests.files.space import row_by_id
from tests.security.people import B_EMAIL, Town, build_town, path_parts
from tests.stack import TestStack, provisioned_stack, run_manage, running_app
from tests.waiting import wait_until

pytestmark = pytest.mark.stack

MIB = 1024 * 1024
SETTINGS = {"MULTIPART_THRESHOLD": str(5 * MIB), "PART_SIZE": str(5 * MIB)}
NOTHING = "0 things that should not be there"


@pytest.fixture(scope="module")
def stack() -> Iterator[TestStack]:
    """A stack of this module's own: its sweeps count everything."""
    with provisioned_stack() as made:
        yield made


@pytest.fixture(scope="module")
def town(stack: TestStack) -> Iterator[Town]:
    with running_app(stack, settings=SETTINGS) as site:
        yield build_town(site, stack)


class Bucket:
    """What storage has, asked with the administrator's keys."""

    def __init__(self, stack: TestStack) -> None:
        session = admin_session(stack.ministack)
        self.name = stack.stack["bucket"]
        self.s3: Any = session.client("s3", endpoint_url=stack.ministack.endpoint)

    def versions(self, key: str) -> list[str]:
        answer = self.s3.list_object_versions(Bucket=self.name, Prefix=key)
        entries = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
        return [entry["Key"] for entry in entries]

    def parts(self, key: str) -> list[str]:
        answer = self.s3.list_multipart_uploads(Bucket=self.name, Prefix=key)
        return [upload["UploadId"] for upload in answer.get("Uploads", [])]

    def put(self, key: str) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=b"bytes")

    def begin_parts(self, key: str) -> None:
        upload_id = self.s3.create_multipart_upload(Bucket=self.name, Key=key)["UploadId"]
        self.s3.upload_part(
            Bucket=self.name, Key=key, UploadId=upload_id, PartNumber=1, Body=bytes(5 * MIB)
        )


@pytest.fixture
def bucket(stack: TestStack) -> Bucket:
    return Bucket(stack)


def let_time_pass(stack: TestStack, file: File) -> None:
    """As if the upload had begun two days ago: its job is due."""
    file.update([File.upload_expires_at.set(now() - timedelta(days=2))])
    for shard in "0123":
        for job in Job.query(shard, consistent_read=True):
            if job.kind == EXPIRE_JOB and job.payload["fileId"] == file.file_id:
                due = f"{(now() - timedelta(days=1)).isoformat()}#{new_id()}"
                moved = Job(
                    shard, due, kind=job.kind, payload=job.payload, created_at=job.created_at
                )
                moved.save()
                job.delete()
    assert run_manage(stack, "expire_uploads").returncode == 0


def sweep(stack: TestStack, *arguments: str) -> tuple[int, list[str]]:
    """Exit code and lines of a sweep that spares nothing."""
    done = run_manage(stack, "sweep_uploads", "--older-than", "0", *arguments)
    return done.returncode, done.stdout.splitlines()


def wait_for_purge(town: Town, file_id: str) -> File:
    deadline = time.monotonic() + 30
    while (file := row_by_id(file_id)).purged_at is None:
        assert time.monotonic() < deadline, f"not purged in 30 s: {file.state}"
        time.sleep(0.1)
    return file


def wait_for_proof(town: Town, file_id: str) -> File:
    """Once the worker has read all of it, it looks no more by itself."""
    deadline = time.monotonic() + 30
    while (file := row_by_id(file_id)).sha256 is None:
        assert time.monotonic() < deadline, "its content was never proved"
        time.sleep(0.1)
    return file


def actions(town: Town, file_id: str) -> list[str]:
    stream = AuditEvent.query(f"case:{town.case_one}", consistent_read=True)
    return [event.action for event in stream if event.target == file_id]


def send_first_part(town: Town, signed: Any) -> None:
    assert sign_first_part(town, signed)() == 200


def sign_first_part(town: Town, signed: Any) -> Callable[[], int]:
    """What sends the part, as often as it is called; the status."""
    piece = PDF + bytes(signed["partSize"] - len(PDF))
    digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    body = {"partNumbers": [1], "checksums": {"1": digest}}
    urls = town.c1.call(signed["partsUrl"], body, page=town.portal_one).json()["urls"]
    grant = urls["1"]
    return lambda: httpx.put(grant["url"], content=piece, headers=grant["headers"]).status_code


def test_an_abandoned_upload_ends_as_expired_and_leaves_nothing_U10(
    town: Town, stack: TestStack, bucket: Bucket
) -> None:
    signed = town.c1.presign(town.portal_one)
    key = signed["fields"]["key"]
    let_time_pass(stack, row_by_id(signed["fileId"]))
    ended = wait_for_purge(town, signed["fileId"])
    assert (ended.state, ended.file_name) == ("EXPIRED", "")
    assert bucket.versions(key) == []
    late = town.c1.call(signed["confirmUrl"], page=town.portal_one)
    assert (late.status_code, late.json()["code"]) == (409, "upload_over")
    assert sweep(stack)[0] == 0


def test_an_abandoned_half_of_an_upload_in_parts_leaves_no_part_U10(
    town: Town, stack: TestStack, bucket: Bucket
) -> None:
    signed = town.c1.presign(town.portal_one, name="large.pdf", size=12 * MIB)
    send_first_part(town, signed)
    file = row_by_id(signed["fileId"])
    assert bucket.parts(file.s3_key) == [signed["uploadId"]]
    assert sweep(stack, "--delete")[0] == 0, "it may still be gone on with"
    assert bucket.parts(file.s3_key) == [signed["uploadId"]]
    let_time_pass(stack, file)
    assert wait_for_purge(town, file.file_id).state == "EXPIRED"
    assert bucket.parts(file.s3_key) == []
    assert bucket.versions(file.s3_key) == []
    assert sweep(stack)[0] == 0


def test_bytes_that_arrive_after_the_end_are_taken_away_U10(
    town: Town, stack: TestStack, bucket: Bucket
) -> None:
    signed = town.c1.presign(town.portal_one)
    town.c1.call(signed["abortUrl"], page=town.portal_one)
    assert town.c1.send(signed).status_code == 201, "the signature still lives"
    deadline = time.monotonic() + 30
    while bucket.versions(signed["fields"]["key"]):
        assert time.monotonic() < deadline, "late bytes are still there"
        time.sleep(0.1)
    assert row_by_id(signed["fileId"]).state == "ABORTED"


def test_deletion_takes_everything_but_tombstone_and_trail_T4(
    town: Town, stack: TestStack, bucket: Bucket
) -> None:
    signed = town.c1.presign(town.portal_one)
    key, file_id = signed["fields"]["key"], signed["fileId"]
    neighbour = town.c1.upload(town.portal_one)["fileId"]
    town.c1.send(signed)
    assert town.c1.call(signed["confirmUrl"], page=town.portal_one).json()["state"] == "AVAILABLE"
    town.c1.send(signed, PDF.replace(b"Catalog", b"CATALOG"))
    wait_for_proof(town, file_id)
    for derived in derived_keys(key):
        bucket.put(derived)
    assert len(bucket.versions(key)) >= 4
    town.c1.post(f"{town.portal_one}files/{file_id}/delete")
    tombstone = wait_for_purge(town, file_id)
    assert bucket.versions(key) == []
    assert (tombstone.state, tombstone.file_name) == ("DELETED", "")
    assert tombstone.sha256 is None
    digests = FileDigest.query(f"case:{town.case_one}", consistent_read=True)
    assert not [each for each in digests if each.digest_key.endswith(file_id)]
    assert actions(town, file_id)[-2:] == ["file:deleted", "file:purged"]
    assert bucket.versions(row_by_id(neighbour).s3_key) != [], "Z9"
    assert sweep(stack)[0] == 0


def test_deletion_takes_every_share_T4(town: Town, stack: TestStack, bucket: Bucket) -> None:
    """With somebody who is here, and with an address that is waited for."""
    file_id, stays = town.a.put_away("gone.pdf"), town.a.put_away("stays.pdf")
    shared = f"/files/shared/{file_id}/download"
    waited_for = f"{new_id()}@example.test"
    for file in (file_id, stays):
        for email in (B_EMAIL, waited_for):
            body = {"fileId": file, "email": email}
            assert town.a.api("POST", "files/share", body).status_code == 200
    key = row_by_id(file_id).s3_key
    link = town.b.get(shared).headers["Location"]
    assert httpx.get(link).content == PDF
    assert town.a.api("DELETE", f"files/delete?fileId={file_id}").status_code == 204
    assert town.b.get(shared).status_code == 404
    tombstone = wait_for_purge(town, file_id)
    assert (tombstone.state, tombstone.file_name) == ("DELETED", "")
    assert (tombstone.shared_with, tombstone.pending_with) == ([], [])
    assert bucket.versions(key) == []
    assert httpx.get(link).status_code == 404, "also by an address that was signed before"
    (b_id,) = row_by_id(stays).shared_with
    for file, there in ((file_id, False), (stays, True)):
        assert (FileShare.fetch(b_id, file) is not None) is there
        assert (PendingShare.fetch(address_hash(waited_for), file) is not None) is there
    listed = town.b.get("/files/shared/").text
    assert ("gone.pdf" in listed, "stays.pdf" in listed) == (False, True)
    assert sweep(stack)[0] == 0


def test_deletion_takes_what_is_still_being_sent_T4(
    town: Town, stack: TestStack, bucket: Bucket
) -> None:
    signed = town.c1.presign(town.portal_one, name="large.pdf", size=12 * MIB)
    late = sign_first_part(town, signed)
    assert late() == 200
    file = row_by_id(signed["fileId"])
    town.a.post(f"{town.one}files/{file.file_id}/delete", page=town.one)
    assert wait_for_purge(town, file.file_id).state == "DELETED"
    assert bucket.parts(file.s3_key) == []
    assert late() == 404
    for path in (signed["confirmUrl"], signed["partsUrl"]):
        body = {} if path == signed["confirmUrl"] else {"partNumbers": [2], "checksums": {}}
        assert town.c1.call(path, body, page=town.portal_one).status_code in (404, 409)
    assert actions(town, file.file_id) == ["upload:begun", "file:deleted", "file:purged"]
    assert sweep(stack)[0] == 0


def test_a_sweep_counts_takes_away_and_then_counts_nothing_U10(
    town: Town, stack: TestStack, bucket: Bucket
) -> None:
    kept = town.c1.upload(town.portal_one)["fileId"]
    deleted = town.c1.upload(town.portal_one)["fileId"]
    town.c1.post(f"{town.portal_one}files/{deleted}/delete")
    gone = wait_for_purge(town, deleted)
    bucket.put(gone.s3_key)
    orphans = [f"cases/{new_id()}/{new_id()}.{'0' * 32}" for _ in range(2)]
    for key in orphans:
        bucket.put(key)
        bucket.put(key)
    bucket.begin_parts(orphans[0])
    bucket.put("cases/of-somebody-else.txt")
    deadline = time.monotonic() + 30
    while bucket.versions(gone.s3_key):  # the event of its arrival is enough
        assert time.monotonic() < deadline, "late bytes are still there"
        time.sleep(0.1)

    code, lines = sweep(stack)
    assert code == 1
    assert "stored versions without a file: 4" in lines
    assert "uploads in parts that belong to no upload any more: 1" in lines
    assert lines[-1] == "5 things that should not be there"
    assert len(bucket.versions(orphans[0])) == 2, "it only looked"
    code, lines = sweep(stack, "--delete")
    assert (code, lines[-1]) == (0, NOTHING)
    for key in orphans:
        assert bucket.versions(key) == []
        assert bucket.parts(key) == []
    assert bucket.versions("cases/of-somebody-else.txt") != []
    assert sweep(stack)[1][-1] == NOTHING
    answer = town.a.get(f"{town.one}files/{kept}/download")
    assert httpx.get(answer.headers["Location"]).content == PDF


def test_pages_that_are_emptied_while_they_are_listed_skip_nothing(
    stack: TestStack,
    bucket: Bucket,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.FILEVAULT_BUCKET, settings.S3_ADDRESSING_STYLE = bucket.name, "path"
    settings.STORAGES = {**settings.STORAGES}  # makes the storage anew
    monkeypatch.setattr(inventory, "PAGE", 3)
    case = new_id()
    keys = [f"cases/{case}/{new_id()}.{'0' * 32}" for _ in range(5)]
    for number, key in enumerate(keys):
        for _ in range(1 + number % 3):
            bucket.put(key)
        bucket.begin_parts(key)
    found = Sweep(now() + timedelta(hours=1), frozenset({Finding.OWNERLESS, Finding.PARTS}), 1)
    while found.step():
        pass
    assert (found.found[Finding.OWNERLESS], found.found[Finding.PARTS]) == (9, 5)
    assert bucket.versions(f"cases/{case}/") == []
    assert bucket.parts(f"cases/{case}/") == []


def test_the_worker_sweeps_by_itself(town: Town) -> None:
    deadline = time.monotonic() + 60
    while Once.fetch(f"sweep:{now().date().isoformat()}") is None or waiting(SWEEP_JOB):
        assert time.monotonic() < deadline, "no sweep was done today"
        time.sleep(0.2)


def waiting(kind: str) -> int:
    """How many jobs of a kind are due or being done."""
    due = Job.due_key < now().isoformat()
    jobs = [job for shard in "0123" for job in Job.query(shard, due, consistent_read=True)]
    return [job.kind for job in jobs].count(kind)


def test_a_file_without_its_bytes_is_told_and_then_said_to_be_gone_N5(
    town: Town, stack: TestStack, bucket: Bucket
) -> None:
    file = wait_for_proof(town, town.c1.upload(town.portal_one)["fileId"])
    bucket.s3.delete_object(Bucket=bucket.name, Key=file.s3_key, VersionId=file.version_id)
    code, lines = sweep(stack)
    assert (code, lines[-1]) == (1, "1 things that should not be there")
    assert "files whose bytes are gone: 1" in lines
    assert row_by_id(file.file_id).state == "AVAILABLE"
    assert sweep(stack, "--delete")[0] == 0
    lost = row_by_id(file.file_id)
    assert (lost.state, lost.reason) == ("REJECTED", "lost")
    assert "no longer in storage" in town.a.get(town.one).text
    assert town.a.get(f"{town.one}files/{file.file_id}/download").status_code == 409
    assert sweep(stack)[1][-1] == NOTHING


def test_where_storage_is_away_the_command_says_so_in_one_line(
    town: Town, stack: TestStack
) -> None:
    done = run_manage(
        stack, "sweep_uploads", settings={"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("CommandError: AWS does not answer")
    assert "Traceback" not in done.stderr


def close_with_an_end(town: Town) -> str:
    """A closed case of A's with a letter of A's in it, whose time is over; its id."""
    fields = {"title": "Old", "clients": [town.client_one], "access": "link", "retention": "30d"}
    answer = town.a.post("/cases/new/", fields)
    case_id = path_parts(answer)[1]
    town.a.upload(f"/cases/{case_id}/")
    assert town.a.post(f"/cases/{case_id}/close/", page=f"/cases/{case_id}/").status_code == 302
    return case_id


def let_its_time_end(case_id: str) -> None:
    """As if it had been closed a month ago, and its practitioner warned."""
    case = Case.fetch(case_id)
    assert case is not None
    tx = Transaction()
    over = now() - timedelta(minutes=1)
    tx.update(case, retention.plan_in(tx, case, over, warned_days=1))
    tx.commit()


def test_when_its_time_is_over_a_case_goes_and_a_certificate_proves_it_T4(
    town: Town, stack: TestStack, bucket: Bucket
) -> None:
    case_id = close_with_an_end(town)
    assert len(bucket.versions(f"cases/{case_id}/")) == 1
    town.a.post("/search/", {"q": "Old"})
    assert case_id in town.a.get("/search/").text
    let_its_time_end(case_id)
    path = ""
    links = re.compile(r"/cases/deleted/[0-9a-f-]+/certificate/")

    def has_certificate() -> bool:
        nonlocal path
        found = links.search(town.a.get("/cases/deleted/").text)
        path = found[0] if found else ""
        return bool(path)

    wait_until(has_certificate, "a certificate")
    assert bucket.versions(f"cases/{case_id}/") == []
    assert town.a.get(f"/cases/{case_id}/").status_code == 404
    assert case_id not in town.a.get("/search/").text
    whole = town.a.get(path).json()
    keys = signing.from_jwks(town.b.get("/.well-known/filevault-keys.json").json())
    said = signing.verify(whole["certificate"], keys, kind=certificates.KIND)
    assert (said["caseId"], said["reason"], said["fileCount"]) == (case_id, "retention", 1)
    assert [each["size"] for each in whole["files"]] == [len(PDF)]
    assert town.b.get(path).status_code == 404
    assert sweep(stack)[0] == 0


def test_a_hold_keeps_every_version_whoever_wants_to_delete_T5(
    town: Town, stack: TestStack, bucket: Bucket
) -> None:
    case_id = close_with_an_end(town)
    page = f"/cases/{case_id}/"
    assert town.a.post(f"{page}hold/", {"reason": "A lawsuit"}).status_code == 302
    let_its_time_end(case_id)
    wait_until(lambda: not waiting(retention.RETAIN_JOB), "the end of its job")
    done = run_manage(stack, "enforce_retention", "--delete")
    assert (done.returncode, done.stdout.count("held")) == (0, 1), done.stderr
    (file,) = File.query(f"case:{case_id}", consistent_read=True)
    assert town.a.get(f"{page}files/{file.file_id}/delete").status_code == 409
    assert town.a.get(f"{page}delete/").status_code == 409
    token = {"csrfmiddlewaretoken": town.a.token(page)}
    for refused in (f"{page}files/{file.file_id}/delete", f"{page}delete/"):
        assert town.a.http.post(refused, data=token).status_code == 409
    assert bucket.versions(file.s3_key) == [file.s3_key]
    assert sweep(stack, "--delete")[0] == 0
    answer = town.a.get(f"{page}files/{file.file_id}/download")
    assert httpx.get(answer.headers["Location"]).content == PDF
