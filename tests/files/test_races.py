"""Whatever ends an upload or a file, against everything else that does: each interrupted by each,
before every kind of call that it makes. Whoever wins, the end is one of the ends, and nothing is
counted, kept or told twice."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend

from accounts.actors import CaseClient, Practitioner
from accounts.tables import AuditEvent
from files import checking, deletion, events, inventory, purge, sweep_job, uploads
from files.findings import UNWANTED
from files.states import FileState
from files.storage import case_storage
from files.sweeping import Sweep
from files.tables import File, FileDigest, Usage
from filevault import jobs
from filevault.aws import s3_client
from filevault.dynamo import new_id, now
from filevault.errors import DomainError
from tests.faults.wire import meanwhile, open_wire
from tests.files.samples import TXT
from tests.files.space import A, FakeSpace, make_space, row
from tests.files.test_deletion import a_claim

SHA256 = hashlib.sha256(TXT).hexdigest()
LATER = timedelta(days=3)
WORK = (uploads.EXPIRE_JOB, checking.PURGE_JOB, checking.INSPECT_JOB)
#: The calls before which it matters what somebody else has done.
DECISIVE = {
    "CompleteMultipartUpload",
    "DeleteObjects",
    "GetObject",
    "TransactWriteItems",
}


@dataclass
class Upload:
    """A letter of a client's in parts (that is one part), in a case of its own."""

    space: FakeSpace
    client: CaseClient
    owner: Practitioner
    file: File
    done: list[str] = field(default_factory=list)

    def do(self, step: str) -> None:
        """One thing that may happen to it; what is refused is refused."""
        self.done.append(step)
        with suppress(DomainError):
            STEPS[step](self)

    def settle(self) -> None:
        """Let the worker do all that is left, until days later."""
        with time_machine.travel(now() + 3 * LATER, tick=True):
            while jobs.run_due("test", kinds=WORK):
                pass
            while "retention" in self.done and not _purge_all(self):
                pass

    def forget(self) -> None:
        """So that the sweeps of the next have less to look at."""
        case_storage().delete_versions(self.file.s3_key)
        File(self.space.space_id, self.file.file_id).delete()


def arrived() -> Upload:
    """All of it has been sent, and nobody has looked."""
    space = make_space(new_id())
    space.owner_id = new_id()
    client = CaseClient("client-1", space.key, space.owner_id, "Clara One")
    file, _post = uploads.begin(client, space, file_name="a.txt", size=len(TXT))
    s3_client().upload_part(
        Bucket="filevault-test",
        Key=file.s3_key,
        UploadId=str(file.upload_id),
        PartNumber=1,
        Body=TXT,
        ChecksumAlgorithm="SHA256",
    )
    owner = Practitioner(space.owner_id, A.display_name, A.practice, A.email)
    return Upload(space, client, owner, file)


def available() -> Upload:
    """The worker has found it, and has not proved it yet."""
    upload = arrived()
    uploads.reconcile(upload.space.space_id, upload.file.file_id)
    return upload


def _tell(upload: Upload) -> None:
    record = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": upload.file.s3_key}}}
    events.handle_message(json.dumps({"Records": [record]}))


def _confirm(upload: Upload) -> None:
    uploads.confirm(upload.client, upload.space, upload.file.file_id, sha256=SHA256)


def _inspect(upload: Upload) -> None:
    jobs.run_due("test", kinds=(checking.INSPECT_JOB,))


def _expire(upload: Upload) -> None:
    with time_machine.travel(now() + LATER, tick=True):
        purge.end_upload(upload.space.space_id, upload.file.file_id)


def _sweep(upload: Upload) -> None:
    with time_machine.travel(now() + LATER, tick=True):
        sweep()


def sweep() -> Sweep:
    made = Sweep(now() - sweep_job.OLDER_THAN, frozenset(UNWANTED))
    while made.step():
        pass
    return made


def _purge_all(upload: Upload) -> bool:
    return purge.purge_space(upload.space.space_id, a_claim())


STEPS: dict[str, Callable[[Upload], object]] = {
    "confirm": _confirm,
    "event": _tell,
    "inspect": _inspect,
    "abort": lambda upload: uploads.abort(upload.client, upload.space, upload.file.file_id),
    "delete": lambda upload: deletion.delete(upload.owner, upload.space, upload.file.file_id),
    "expire": _expire,
    "sweep": _sweep,
    "retention": _purge_all,
}
#: What comes in between by these is what comes by "confirm" and "expire".
LIKE_OTHERS = {"event", "sweep"}


@pytest.fixture(autouse=True)
def storage(settings: LazySettings, space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything goes in parts. Where an upload is over, moto breaks when it is to be joined; S3
    says so."""
    settings.MULTIPART_THRESHOLD = settings.JOB_SHARDS = 1
    join = S3Backend.complete_multipart_upload

    def complete(backend: S3Backend, bucket: str, upload_id: str, body: Any) -> Any:
        if upload_id not in backend.get_bucket(bucket).multiparts:
            raise NoSuchUpload(upload_id=upload_id)
        return join(backend, bucket, upload_id, body)

    monkeypatch.setattr(S3Backend, "complete_multipart_upload", complete)


@pytest.mark.parametrize("begin", [arrived, available])
@pytest.mark.parametrize("step", STEPS)
def test_whoever_comes_in_between(begin: Callable[[], Upload], step: str) -> None:
    calls = _calls_of(begin(), step)
    for other in sorted(STEPS.keys() - LIKE_OTHERS):
        for call in calls:
            upload = begin()
            with open_wire() as wire:
                wire.add(call, meanwhile(lambda upload=upload, other=other: upload.do(other)))  # type: ignore[misc]
                upload.do(step)
            upload.settle()
            _assert_in_order(upload, f"{step}, and {other} before {call}")
            upload.forget()


def _calls_of(upload: Upload, step: str) -> list[str]:
    """Before what the step may be interrupted."""
    with open_wire() as wire:
        upload.do(step)
    upload.settle()
    upload.forget()
    return sorted({call for call, _parameters in wire.calls} & DECISIVE)


def _assert_in_order(upload: Upload, story: str) -> None:
    file, space = row(upload.file), upload.space
    there = file.state == FileState.AVAILABLE
    assert there or file.state in ("EXPIRED", "ABORTED", "DELETED"), story
    used = Usage.fetch(space.owner_id)
    assert used is not None
    assert (used.bytes_used, used.file_count) == ((len(TXT), 1) if there else (0, 0)), story
    versions = case_storage().list_versions(file.s3_key)
    assert versions == ([file.version_id] if there else []), story
    digests = list(FileDigest.query(space.space_id, consistent_read=True))
    assert len(digests) == there, story
    assert (file.sha256 == SHA256) is there, story
    _assert_told_once(upload, story)
    assert inventory.list_uploads({})[0] == [], story


def _assert_told_once(upload: Upload, story: str) -> None:
    """Each end stands in the trail once, and counters were moved as often."""
    space = upload.space
    told = [event.action for event in AuditEvent.query(space.space_id, consistent_read=True)]
    assert len(told) == len(set(told)), (story, told)
    ends = {"upload:aborted", "upload:expired", "file:deleted"} & set(told)
    there = row(upload.file).state == FileState.AVAILABLE
    assert (not ends) is there, (story, told)
    assert ("file:purged" in told) is not there, (story, told)
    assert len(space.available) == ("upload:available" in told), story
    if "retention" not in upload.done:  # its counters go with the case
        assert len(space.available) - len(space.removed) == there, story
