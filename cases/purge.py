"""What is left to do once a case is deleted: its files, invitations, colleagues and traces go for
good (T4)."""

from datetime import datetime

from accounts.actors import WORKER
from cases import certificates, colleagues, invitations
from cases.cases import PURGE_JOB
from cases.tables import Case, Seen
from files.purge import purge_space
from filevault import jobs
from filevault.dynamo import now


@jobs.handler(PURGE_JOB)
def purge_case(claim: jobs.Claim) -> datetime | None:
    """Take away all that a deleted case had; goes on where it was stopped. The tombstone stays, and
    a certificate tells what has gone."""
    case = Case.fetch(claim.payload["caseId"])
    if case is None or case.status != "deleted":
        return None
    invitations.revoke_all(WORKER, case.case_id)
    if not purge_space(f"case:{case.case_id}", claim):
        return now()
    colleagues.forget_all(case)
    Seen(case.user_id, case.case_id).delete()
    certificates.issue(case, claim)
    return None
