"""What storage itself enforces, against MiniStack with signature checks on: U1 to U5, U7 to U9,
D1, D3, Z4, Z9. The requests are those that a browser would send."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import time_machine
from django.conf import LazySettings, settings

from files import deletion, downloads, uploads
from files.checking import PURGE_JOB
from files.names import clean_name
from files.presigned import PresignedPost
from files.records import QuotaFull
from files.states import FileState
from files.storage import case_storage
from files.tables import File, Usage
from files.uploads import EXPIRE_JOB
from filevault import jobs
from filevault.dynamo import Transaction
from filevault.errors import Conflict, NotFound
from filevault.tables import Job
from tests.files import samples
from tests.files.space import C1, OTHER_ON_CASE, A, FakeSpace, begin_post, row
from tests.files.test_names import CLEANED
from tests.files.test_uploads import actions

pytestmark = pytest.mark.stack

BIG = 10 * 1024 * 1024


def send(post: PresignedPost, content: bytes, **changes: str | None) -> httpx.Response:
    """Post as a browser does; `changes` alters fields (None: leaves one out)."""
    names = {"content_type": "Content-Type", "sse": "x-amz-server-side-encryption"}
    altered = {names.get(name, name): value for name, value in changes.items()}
    fields = {
        name: value for name, value in {**post.fields, **altered}.items() if value is not None
    }
    return httpx.post(post.url, data=fields, files={"file": ("blob", content)})


def begin(client: Any, space: FakeSpace, name: str = "letter.pdf") -> tuple[File, PresignedPost]:
    return begin_post(client, space, file_name=name, size=len(samples.PDF))


def available(client: Any, space: FakeSpace, name: str = "letter.pdf") -> File:
    file, post = begin(client, space, name)
    assert send(post, samples.PDF).status_code == 201
    return uploads.confirm(client, space, file.file_id)


def fetch(file: File, actor: Any, space: FakeSpace) -> httpx.Response:
    return httpx.get(downloads.get_download(actor, space, file.file_id).url)


def end(file: File) -> None:
    """Do every job of a file now, whenever it falls due: signatures allow no other clock."""
    for shard in map(str, range(settings.JOB_SHARDS)):
        for job in Job.query(shard, consistent_read=True):
            if job.payload.get("fileId") == file.file_id:
                due = Job(shard, f"0#{job.due_key}", kind=job.kind, payload=job.payload)
                due.created_at = job.created_at
                tx = Transaction()
                tx.delete(job)
                tx.create(due)
                tx.commit()
    jobs.run_due("test", kinds=(EXPIRE_JOB, PURGE_JOB))


def test_an_honest_upload_passes(client: Any, space: FakeSpace) -> None:
    file = available(client, space)
    stored = case_storage().head(file.s3_key)
    assert stored is not None
    assert (stored.size, stored.mime_type, stored.sse, stored.version_id) == (
        len(samples.PDF),
        "application/pdf",
        "AES256",
        file.version_id,
    )
    answer = fetch(file, client, space)
    assert answer.content == samples.PDF
    assert answer.headers["content-type"] == "application/pdf"


@pytest.mark.parametrize(
    ("content", "changes"),
    [
        pytest.param(samples.PDF + b"x", {}, id="one byte more"),
        pytest.param(samples.PDF[:-1], {}, id="one byte less"),
        pytest.param(samples.PDF, {"content_type": "text/html"}, id="another type"),
        pytest.param(samples.PDF, {"content_type": None}, id="no type"),
        pytest.param(samples.PDF, {"key": "cases/one/other"}, id="another key"),
        pytest.param(samples.PDF, {"sse": None}, id="no encryption"),
        pytest.param(samples.PDF, {"sse": "aws:kms"}, id="other encryption"),
        pytest.param(samples.PDF, {"x-amz-signature": "0" * 64}, id="forged signature"),
        pytest.param(samples.PDF, {"acl": "public-read"}, id="one field more"),
    ],
)
def test_storage_refuses_what_was_not_signed_U1(
    client: Any, space: FakeSpace, content: bytes, changes: dict[str, str | None]
) -> None:
    file, post = begin(client, space)
    if "key" in changes:
        changes = {"key": f"{file.s3_key}0"}
    assert 400 <= send(post, content, **changes).status_code < 500
    assert case_storage().list_versions(file.s3_key) == []
    with pytest.raises(Conflict) as refused:
        uploads.confirm(client, space, file.file_id)
    assert refused.value.reason == "not_uploaded"


def test_storage_refuses_an_altered_policy_U1(client: Any, space: FakeSpace) -> None:
    _, wide = begin_post(client, space, file_name="a.pdf", size=BIG)
    _, post = begin(client, space)
    assert send(post, samples.PDF, policy=wide.fields["policy"]).status_code == 403


def test_uploads_live_five_minutes_U8(client: Any, space: FakeSpace) -> None:
    for age, status in ((timedelta(minutes=4, seconds=30), 201), (timedelta(minutes=6), 403)):
        with time_machine.travel(datetime.now(UTC) - age):
            post = case_storage().presign_post(
                f"{space.storage_prefix}{age.seconds}", 5, "text/plain"
            )
        assert send(post, b"hello").status_code == status


def test_downloads_live_two_minutes_and_cant_be_altered_U8(client: Any, space: FakeSpace) -> None:
    file = available(client, space)
    first = file.version_id
    for age, status in ((timedelta(seconds=90), 200), (timedelta(seconds=150), 403)):
        with time_machine.travel(datetime.now(UTC) - age):
            url = downloads.get_download(client, space, file.file_id).url
        assert httpx.get(url).status_code == status
    url = downloads.get_download(client, space, file.file_id).url
    for old, new in (("attachment", "inline"), ("pdf&", "html&"), (str(first), "null")):
        assert old in url
        assert httpx.get(url.replace(old, new, 1)).status_code == 403


def test_a_second_post_changes_nothing_U3_U4(client: Any, space: FakeSpace) -> None:
    file, post = begin(client, space)
    other = samples.PDF.replace(b"1.7", b"1.4")
    assert send(post, samples.PDF).status_code == 201
    uploads.confirm(client, space, file.file_id)
    assert send(post, other).status_code == 201
    assert uploads.confirm(client, space, file.file_id).state == "AVAILABLE"
    assert fetch(file, client, space).content == samples.PDF
    assert len(case_storage().list_versions(file.s3_key)) == 2
    end(file)
    assert case_storage().list_versions(file.s3_key) == [row(file).version_id]
    assert fetch(file, client, space).content == samples.PDF


def test_what_was_sent_before_the_check_is_what_was_checked_U4(
    client: Any, space: FakeSpace
) -> None:
    file, post = begin(client, space)
    evil = samples.EXE.ljust(len(samples.PDF), b"\0")[: len(samples.PDF)]
    assert send(post, samples.PDF).status_code == 201
    assert send(post, evil).status_code == 201
    assert uploads.confirm(client, space, file.file_id).state == "REJECTED"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", samples.EXE),
        ("a.png", samples.SVG),
        ("a.txt", samples.HTML),
        ("a.docx", samples.XLSX),
        ("a.heic", samples.AVIF),
        ("a.zip", samples.PDF),
    ],
)
def test_content_that_lies_is_rejected_and_not_served_U5(
    client: Any, space: FakeSpace, name: str, content: bytes
) -> None:
    file, post = begin_post(client, space, file_name=name, size=len(content))
    assert send(post, content).status_code == 201
    assert uploads.confirm(client, space, file.file_id).state == "REJECTED"
    with pytest.raises(Conflict):
        downloads.get_download(client, space, file.file_id)
    end(file)
    assert case_storage().list_versions(file.s3_key) == []


def test_every_type_arrives_whole(client: Any, space: FakeSpace) -> None:
    for name, content in samples.GOOD.items():
        file, post = begin_post(client, space, file_name=name, size=len(content))
        assert send(post, content).status_code == 201
        assert uploads.confirm(client, space, file.file_id).state == "AVAILABLE"
        assert fetch(file, client, space).content == content


def test_a_large_container_is_read_at_both_ends(client: Any, space: FakeSpace) -> None:
    content = samples.office("word/document.xml", padding=BIG)
    file, post = begin_post(client, space, file_name="thesis.docx", size=len(content))
    assert send(post, content).status_code == 201
    assert uploads.confirm(client, space, file.file_id).state == "AVAILABLE"


def test_every_name_arrives_in_one_header_D1_U7(client: Any, space: FakeSpace) -> None:
    raws = [raw for raw, _ in CLEANED] + ["x" * 10_000, "100%.pdf"]
    for name in (raw if raw.endswith(".pdf") else f"{raw}.pdf" for raw in raws):
        file = available(client, space, name)
        headers = fetch(file, client, space).headers
        (header,) = headers.get_list("content-disposition", split_commas=False)
        match = re.fullmatch(
            r"attachment; filename=\"([^\"\\]+)\"; filename\*=UTF-8''(\S+)", header
        )
        assert match is not None, header
        assert unquote(match[2]) == clean_name(name) == row(file).file_name


def test_only_available_files_get_a_url_D3(client: Any, space: FakeSpace) -> None:
    file = available(client, space)
    for state in set(FileState) - {FileState.AVAILABLE}:
        file.update([File.state.set(state.value)])
        with pytest.raises((Conflict, NotFound)):
            downloads.get_download(client, space, file.file_id)


def test_only_who_began_an_upload_ends_it_Z4(client: Any, space: FakeSpace) -> None:
    file, post = begin(client, space)
    assert send(post, samples.PDF).status_code == 201
    for stranger in (A, OTHER_ON_CASE, type(C1)("client-9", space.key, space.owner_id)):
        for call in (uploads.confirm, uploads.abort):
            with pytest.raises(NotFound):
                call(stranger, space, file.file_id)
    assert row(file).state == "PENDING"


def test_fifty_presigns_at_once_cant_pass_the_quota_U9(
    client: Any, space: FakeSpace, settings: LazySettings
) -> None:
    settings.STORAGE_QUOTA_BYTES = 10 * 1000

    def one(_: int) -> bool:
        try:
            uploads.begin(client, space, file_name="a.pdf", size=1000)
        except QuotaFull:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        taken = list(pool.map(one, range(50)))
    used = Usage.fetch(space.owner_id)
    assert used is not None
    assert (sum(taken), used.bytes_used) == (10, 10_000)


def test_confirming_at_once_happens_once(client: Any, space: FakeSpace) -> None:
    file, post = begin(client, space)
    assert send(post, samples.PDF).status_code == 201
    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(uploads.confirm, client, space, file.file_id) for _ in range(4)]
        calls.append(pool.submit(uploads.reconcile, space.space_id, file.file_id))
    assert {call.result().state for call in calls} == {"AVAILABLE"}
    assert space.available == [file.file_id]
    assert actions(space) == ["upload:begun", "upload:available"]


def test_deleting_spares_longer_keys_Z9(client: Any, space: FakeSpace) -> None:
    file, neighbour = available(client, space), available(client, space)
    neighbour_key = f"{file.s3_key}0"
    post = case_storage().presign_post(neighbour_key, 5, "text/plain")
    assert send(post, b"hello").status_code == 201
    deletion.delete(client, space, file.file_id)
    end(file)
    assert case_storage().list_versions(file.s3_key) == []
    assert len(case_storage().list_versions(neighbour_key)) == 1
    assert fetch(neighbour, client, space).content == samples.PDF


def test_a_plain_form_uploads_and_comes_back(client: Any, space: FakeSpace) -> None:
    file = uploads.begin_plain(client, space, file_name="letter.pdf")
    back = "http://testserver/back"
    post = uploads.presign_plain(file, redirect_to=back)
    assert 400 <= send(post, b"").status_code < 500
    answer = send(post, samples.PDF)
    assert answer.status_code in (302, 303)
    assert answer.headers["location"].startswith(back)
    assert uploads.confirm(client, space, file.file_id).size == len(samples.PDF)
    assert 400 <= send(post, samples.PDF, success_action_redirect="http://evil").status_code < 500


def test_nothing_is_public(client: Any, space: FakeSpace) -> None:
    file = available(client, space)
    url = downloads.get_download(client, space, file.file_id).url
    assert httpx.get(url.partition("?")[0]).status_code == 403
