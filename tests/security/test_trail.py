"""What people do is in the audit trail, with who, when and from where: A2, from outside."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.audit import DAILY_SHARDS, Action
from accounts.tables import AuditEvent
from cases.tables import Case
from filevault.dynamo import new_id, now
from tests.files.samples import PDF
from tests.security.people import ADMIN_EMAIL, B_EMAIL, Invited, Person, Town, newcomer
from tests.security.scene import user_id_of
from tests.stack import TestStack

pytestmark = pytest.mark.stack

Entry = tuple[str, str, str]


def entries(*streams: str) -> set[Entry]:
    """Action, kind of actor and address of the events of this test's time."""
    today = now().date().isoformat()
    days = [f"day:{today}#{shard}" for shard in range(DAILY_SHARDS)]
    found = [e for s in (*streams, *days) for e in AuditEvent.query(s, consistent_read=True)]
    fresh = [event for event in found if abs(now() - event.at) < timedelta(minutes=10)]
    return {(e.action, str(e.actor).partition(":")[0], str(e.address)) for e in fresh}


def test_what_people_do_is_in_the_trail_A2(
    town: Town, invited: Invited, stranger: Callable[[], Person], app: str, stack: TestStack
) -> None:
    b = newcomer(app, stack)
    a, x, admin, nobody = town.a, invited.person, stranger().sign_in(ADMIN_EMAIL), stranger()
    home = f"/cases/{invited.case}/"
    expected = come_in(x, invited) | send_and_read(a, x, invited, home) | share(a)

    admin.get(f"/admin/records/cases/{invited.case}/")
    nobody.get("/auth/callback/?state=made-up&code=x")
    nobody.open_link("/invite/no-token/")
    b.get(home)
    x.get(f"{invited.home}files/{new_id()}/download")
    a.revoke(invited.case, invited.client)
    a.post(f"{home}close/", page=home)
    expected |= {
        (Action.USER_LOGIN, "user", admin.address),
        (Action.ADMIN_VIEW, "user", admin.address),
        (Action.USER_LOGIN_FAILED, "anonymous", nobody.address),
        (Action.INVITATION_REFUSED, "anonymous", nobody.address),
        (Action.ACCESS_DENY, "user", b.address),
        (Action.ACCESS_DENY, "client", x.address),
        (Action.INVITATION_REVOKE, "user", a.address),
        (Action.CASE_CLOSE, "user", a.address),
    }

    case = Case.fetch(invited.case)
    assert case is not None
    users = {str(case.user_id), user_id_of(admin)}
    written = entries(f"case:{invited.case}", *(f"user:{user_id}" for user_id in users))
    assert {tuple(map(str, entry)) for entry in expected} - written == set()


def come_in(x: Person, invited: Invited) -> set[Entry]:
    x.open_link(invited.link)
    code = x.ask_for_code(invited.email)
    x.post("/invite/code/", {"code": f"{(int(code) + 1) % 10**6:06}"})
    assert x.post("/invite/code/", {"code": code}).status_code == 302
    actions = (Action.CODE_SEND, Action.CODE_REFUSE, Action.CODE_ACCEPT, Action.INVITATION_OPEN)
    return {(action, "client", x.address) for action in actions}


def send_and_read(a: Person, x: Person, invited: Invited, home: str) -> set[Entry]:
    file = x.upload(invited.home)["fileId"]
    aborted = x.presign(invited.home)
    x.call(aborted["abortUrl"], page=invited.home)
    for way in (f"{file}/download", f"{file}/view", f"zip?file={file}"):
        assert a.get(f"{home}files/{way}").status_code in (200, 302)
    x.post(f"{invited.home}files/{file}/delete")
    sent = (Action.UPLOAD_BEGIN, Action.UPLOAD_ABORT, Action.FILE_DELETE)
    read = (Action.FILE_DOWNLOAD, Action.FILE_VIEW, Action.FILE_ZIP)
    return {(action, "client", x.address) for action in sent} | {
        (action, "user", a.address) for action in (Action.INVITATION_SEND, *read)
    }


def share(a: Person) -> set[Entry]:
    """A file of the vault, and taken back."""
    body = {"fileName": "letter.pdf", "mimeType": "", "size": len(PDF)}
    signed = a.call("/api/files/presign-upload", body, page="/").json()
    a.send(signed)
    a.call("/api/files/metadata", {"fileId": signed["fileId"]}, page="/")
    path = f"/files/{signed['fileId']}"
    assert a.post(f"{path}/sharing", {"email": B_EMAIL}).status_code == 302
    a.post(f"{path}/unshare", {"email": B_EMAIL}, page=f"{path}/sharing")
    return {(action, "user", a.address) for action in (Action.FILE_SHARE, Action.FILE_UNSHARE)}
