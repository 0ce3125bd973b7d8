"""What the tests of notices do: a case with its people, uploads into it, and time passing."""

import email
import email.policy
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from email.message import EmailMessage

import time_machine
from time_machine import escape_hatch

from accounts.actors import CaseClient, Practitioner
from cases.notices import CLOSE_JOB
from cases.tables import Case, Client, Invitation
from files import uploads
from files.spaces import get_space
from files.states import FileState
from files.tables import File
from filevault import jobs
from filevault.dynamo import new_id, now
from filevault.mail import SEND_JOB, address_hash
from tests.faults.wire import Wire
from tests.files.samples import PDF
from tests.files.space import put

#: What must never be read in a mail (T2).
TITLE = "Canary matter Quillfeather"
NOTES = "canary-notes"
FILE_NAME = "canary-scan.pdf"


@dataclass
class Burst:
    """A case of A's with clients, as rows; `clients` by their first names."""

    practitioner: Practitioner
    case: Case
    clients: dict[str, CaseClient] = field(default_factory=dict)

    def invite(self, name: str) -> CaseClient:
        """Put a client with a live invitation on the case."""
        client_id, moment = new_id(), now()
        address = f"{name.lower()}@clients.example.test"
        Client(
            self.case.user_id,
            client_id,
            name=name,
            email=address,
            notes=NOTES,
            name_key=name.lower(),
            email_hash=address_hash(address),
            created_at=moment,
            updated_at=moment,
        ).save()
        Invitation(
            self.case.case_id,
            client_id,
            user_id=self.case.user_id,
            access="active",
            jti=new_id(),
            expires_at=moment + timedelta(days=30),
            created_at=moment,
        ).save()
        self.case.update([Case.client_ids.set([*self.case.client_ids, client_id])])
        actor = CaseClient(client_id, self.case.case_id, self.case.user_id, name)
        self.clients[name] = actor
        return actor

    def invitation(self, name: str) -> Invitation:
        found = Invitation.fetch(self.case.case_id, self.clients[name].client_id)
        assert found is not None
        return found

    def begin(self, actor: Practitioner | CaseClient) -> File:
        """Begin an upload: a row and a window, nothing in storage yet."""
        space = get_space(actor, f"case:{self.case.case_id}")
        file, _post = uploads.begin(actor, space, file_name=FILE_NAME, size=len(PDF))
        return file

    def arrive(self, file: File) -> File:
        """The bytes reach storage; nobody says so."""
        put(file, PDF)
        return file

    def upload(self, actor: Practitioner | CaseClient) -> File:
        """A whole upload whose browser was closed right after the last byte."""
        return self.arrive(self.begin(actor))

    def confirm(self, actor: Practitioner | CaseClient, file: File) -> File:
        space = get_space(actor, f"case:{self.case.case_id}")
        return uploads.confirm(actor, space, file.file_id)


def make_burst(practitioner: Practitioner, *clients: str) -> Burst:
    """An open case of a practitioner's, with these clients on it."""
    moment = now()
    case = Case(
        new_id(),
        user_id=practitioner.user_id,
        owner_status=f"{practitioner.user_id}#open",
        status="open",
        title=TITLE,
        notes=NOTES,
        created_at=moment,
        updated_at=moment,
    )
    case.save()
    made = Burst(practitioner, case)
    for name in clients:
        made.invite(name)
    return made


def state_of(file: File) -> str:
    found = File.fetch(file.space_id, file.file_id)
    assert found is not None
    return FileState(found.state).value


def run(owner: str = "w1", *, minutes: float = 0, seconds: float = 0) -> int:
    """Do what is due, in so many minutes from the real now: closings, then their mails."""
    done = 0
    travelling = escape_hatch.is_travelling()
    start = escape_hatch.datetime.datetime.now(UTC) if travelling else now()
    with time_machine.travel(start + timedelta(minutes=minutes, seconds=seconds), tick=True):
        while found := jobs.run_due(owner, kinds={CLOSE_JOB, SEND_JOB}):
            done += found
    return done


def sent(wire: Wire) -> list[EmailMessage]:
    """The mails that were handed to SES."""
    raw = [call["Content"]["Raw"]["Data"] for call in wire.sent("SendEmail")]
    return [email.message_from_bytes(data, policy=email.policy.default) for data in raw]
