"""What is new in a case since its practitioner last looked."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from accounts.actors import Practitioner
from cases.tables import Case, Seen
from files.states import FileState
from files.tables import File
from filevault.dynamo import id_at, now

#: A file's id tells when its upload began; the slowest transfer that is still waited for ends well
#: within this time.
LONGEST_TRANSFER: Final = timedelta(days=1)


def mark_seen(actor: Practitioner, case: Case) -> None:
    """Note that the practitioner has seen the case as it is now."""
    Seen(actor.user_id, case.case_id, seen_at=now()).save()


def new_files(actor: Practitioner, cases: Iterable[Case]) -> dict[str, int]:
    """By case id, how many files others have added since the last visit. Costs one query for each
    case that has changed since, and none for the others."""
    listed = list(cases)
    rows = Seen.fetch_many((actor.user_id, case.case_id) for case in listed)
    seen_at = {row.case_id: row.seen_at for row in rows}
    counts = {}
    for case in listed:
        since = seen_at.get(case.case_id, case.created_at)
        if case.file_count and case.updated_at > since:
            counts[case.case_id] = File.count(
                f"case:{case.case_id}",
                File.file_id > id_at(since - LONGEST_TRANSFER),
                filter_condition=(File.state == FileState.AVAILABLE.value)
                & (File.available_at > since)
                & (File.uploaded_by != actor.actor_id),
                consistent_read=True,
            )
    return counts
