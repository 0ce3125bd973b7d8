"""With whom files are shared, as their owner named them."""

from collections.abc import Sequence

from files.tables import File, FileShare, PendingShare


def recipients_of(files: Sequence[File]) -> dict[str, list[str]]:
    """By file id, the addresses and user ids that the owner shared with. An address stays an
    address, whether or not it belongs to somebody: that is told to nobody."""
    shares = FileShare.fetch_many(
        (user_id, file.file_id) for file in files for user_id in file.shared_with
    )
    waiting = PendingShare.fetch_many(
        (hashed, file.file_id) for file in files for hashed in file.pending_with
    )
    named: dict[str, list[tuple[object, str]]] = {}
    rows: list[FileShare | PendingShare] = [*shares, *waiting]
    for row in rows:
        label = row.email or (row.user_id if isinstance(row, FileShare) else "")
        named.setdefault(row.file_id, []).append((row.created_at, str(label)))
    return {file_id: [label for _at, label in sorted(found)] for file_id, found in named.items()}
