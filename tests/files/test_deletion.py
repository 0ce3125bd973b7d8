"""Deleting files and whole spaces: the rules, on moto."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.tables import AuditEvent
from files import deletion, uploads
from files.purge import purge_space
from files.storage import CaseStorage, case_storage
from files.tables import File, Usage
from filevault import jobs
from filevault.dynamo import Transaction, new_id
from filevault.errors import Forbidden, NotFound, Unavailable
from filevault.tables import Job
from tests.files import samples
from tests.files.space import C1, OTHER_ON_CASE, OWNER, A, FakeSpace, make_space, put, row
from tests.files.test_downloads import available
from tests.files.test_uploads import actions, run_at, usage

SOON = timedelta(seconds=1)


def test_deletion_leaves_a_tombstone_and_no_bytes_T4(space: FakeSpace) -> None:
    file, kept = available(space, "Dr Novak, knee.pdf"), available(space)
    put(file, samples.EXE)
    deletion.delete(C1, space, file.file_id)
    assert space.removed == [file.file_id]
    assert row(file).state == "DELETED"
    run_at(datetime.now(UTC) + SOON)
    assert case_storage().list_versions(file.s3_key) == []
    assert len(case_storage().list_versions(kept.s3_key)) == 1
    tombstone = row(file)
    assert "knee" not in str(tombstone.attribute_values)
    assert tombstone.purged_at is not None
    assert usage() == (len(samples.PDF), 1)
    assert "file:deleted" in actions(space)
    assert "file:purged" in actions(space)


def test_deleting_twice_answers_alike(space: FakeSpace) -> None:
    file = available(space)
    deletion.delete(A, space, file.file_id)
    deletion.delete(A, space, file.file_id)
    run_at(datetime.now(UTC) + timedelta(days=1))
    deletion.delete(A, space, file.file_id)
    assert actions(space).count("file:deleted") == 1
    assert actions(space).count("file:purged") == 1
    assert usage() == (0, 0)


def test_clients_delete_their_own_alone(space: FakeSpace) -> None:
    file = available(space)
    with pytest.raises(Forbidden):
        deletion.delete(OTHER_ON_CASE, space, file.file_id)
    with pytest.raises(NotFound):
        deletion.delete(A, space, new_id())
    with pytest.raises(NotFound):
        deletion.delete(A, make_space("two"), file.file_id)
    assert row(file).state == "AVAILABLE"


def test_a_beginning_of_an_id_deletes_nothing_Z9(space: FakeSpace) -> None:
    file = available(space)
    with pytest.raises(NotFound):
        deletion.delete(A, space, file.file_id[:-1])
    assert row(file).state == "AVAILABLE"


def a_claim() -> jobs.Claim:
    """A claimed job of a kind that nobody runs."""
    tx = Transaction()
    job = jobs.enqueue(tx, "test.purge", {})
    tx.commit()
    lease_until = datetime.now(UTC) + timedelta(minutes=1)
    job.update([Job.fence.set(1), Job.lease_until.set(lease_until), Job.owner.set("test")])
    return jobs.Claim(job, 1, lease_until)


def test_a_whole_space_goes_file_by_file(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_space("one-more")
    kept = available(space), available(space)
    stays, _ = uploads.begin(A, other, file_name="b.pdf", size=len(samples.PDF))
    put(stays, samples.PDF)
    pending, _ = uploads.begin(C1, space, file_name="c.pdf", size=5)
    working, fails = CaseStorage.delete_versions, {kept[0].s3_key}

    def away_once(self: CaseStorage, key: str, *, except_version: str | None = None) -> int:
        if key in fails:
            fails.clear()
            raise Unavailable
        return int(working(self, key, except_version=except_version))

    monkeypatch.setattr(CaseStorage, "delete_versions", away_once)
    with pytest.raises(Unavailable):  # by which its job is put off
        purge_space(space.space_id, a_claim())
    assert row(kept[0]).state == "DELETED"
    assert row(kept[1]).purged_at is not None
    assert purge_space(space.space_id, a_claim()) is True
    for file in (*kept, pending):
        assert row(file).purged_at is not None
        assert row(file).file_name == ""
        assert case_storage().list_versions(file.s3_key) == []
    assert len(case_storage().list_versions(stays.s3_key)) == 1
    assert usage() == (len(samples.PDF), 1)


def test_a_lost_claim_purges_no_further(space: FakeSpace) -> None:
    file = available(space)
    claim = a_claim()
    claim.job.update([Job.fence.set(2)])
    with pytest.raises(jobs.LostClaim):
        purge_space(space.space_id, claim)
    assert row(file).state == "AVAILABLE"


def test_bytes_that_arrive_after_the_purge_go_too(space: FakeSpace) -> None:
    file, _ = uploads.begin(C1, space, file_name="c.pdf", size=5)
    assert purge_space(space.space_id, a_claim()) is True
    put(file, samples.PDF)
    run_at(datetime.now(UTC) + timedelta(days=1))
    assert case_storage().list_versions(file.s3_key) == []
    assert Usage.fetch(OWNER) is not None
    assert usage() == (0, 0)
    purged = [e for e in AuditEvent.query(space.space_id) if e.action == "file:purged"]
    assert len(purged) == 1
    assert File.count(space.space_id) == 1
