"""Due work as tests look at it."""

from filevault.tables import Job


def waiting(kind: str) -> list[Job]:
    """The jobs of a kind that are not done: due or not, given up ones too."""
    return [job for job in Job.scan(consistent_read=True) if job.kind == kind]
