"""The audit trail from outside: A1, A2 and A4, and what it says of admins (Z10)."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from accounts import checkpoints
from accounts.audit import DAILY_SHARDS
from accounts.tables import AuditEvent, User
from cases.tables import Case, Client, Invitation
from files.receipts import check_receipt
from files.tables import File
from filevault import signing
from filevault.dynamo import new_id, now
from filevault.local.seed import admin_session
from tests.files.samples import PDF
from tests.security.outages import tables_away
from tests.security.people import A_EMAIL, ADMIN_EMAIL, NO_TLS, Invited, Person, Town, newcomer
from tests.stack import TestStack, run_manage, wait_for_mail
from tests.waiting import wait_until

pytestmark = pytest.mark.stack


def events(stream_id: str) -> list[AuditEvent]:
    return list(AuditEvent.query(stream_id, consistent_read=True))


def actions_of(listed: list[AuditEvent]) -> list[str]:
    return [event.action for event in listed]


def verify(stack: TestStack, stream: str) -> tuple[int, str]:
    done = run_manage(stack, "verify_audit", "--stream", stream)
    return done.returncode, done.stdout


def audit_store_away(stack: TestStack) -> AbstractContextManager[None]:
    """Take the product's right to write audit events away, until the end of the block."""
    return tables_away(stack, "AuditEvent", action="dynamodb:PutItem")


def test_each_changed_row_keeps_its_event_A1(town: Town, invited: Invited) -> None:
    x = invited.person.enter(invited.link, invited.email)
    file_id = x.upload(invited.home)["fileId"]
    assert town.a.post(f"/cases/{invited.case}/close/", page=f"/cases/{invited.case}/")
    case = Case.fetch(invited.case)
    assert case is not None
    file = File.fetch(f"case:{invited.case}", file_id)
    client = Client.fetch(case.user_id, invited.client)
    invitation = Invitation.fetch(invited.case, invited.client)
    profile = User.fetch(case.user_id)
    by_id = {e.event_id: e for e in events(f"case:{invited.case}") + events(f"user:{case.user_id}")}
    expected = [
        (case, "case:closed", f"user:{case.user_id}", town.a.address),
        (client, "client:created", f"user:{case.user_id}", town.a.address),
        (invitation, "invitation:opened", f"client:{invited.client}", x.address),
    ]
    for row, action, actor, address in expected:
        assert row is not None
        event = by_id[str(row.event_id)]
        assert (event.action, event.actor, event.address) == (action, actor, address)
    assert profile is not None
    assert profile.event_id in by_id
    # The bucket's event may be faster than the browser's confirm, and the worker's look follows.
    assert file is not None
    assert by_id[str(file.event_id)].target == file_id
    (begun,) = [e for e in by_id.values() if (e.action, e.target) == ("upload:begun", file_id)]
    assert (begun.actor, begun.address) == (f"client:{invited.client}", x.address)


def test_the_trail_is_sealed_and_tampering_is_named_A1(
    town: Town, invited: Invited, stack: TestStack
) -> None:
    x, stream = invited.person.enter(invited.link, invited.email), f"case:{invited.case}"
    file_id = x.upload(invited.home)["fileId"]
    x.get(f"{invited.home}files/{file_id}/download")
    by_worker = {"file:inspected", "notice:queued"}  # nothing comes after them
    wait_until(lambda: by_worker <= set(actions_of(events(stream))), str(by_worker))
    sealed = seal(stack, stream)
    actions = actions_of(sealed)
    for action in (
        "case:created",
        "invitation:sent",
        "code:sent",
        "code:accepted",
        "invitation:opened",
        "upload:begun",
        "upload:available",
        "file:downloaded",
    ):
        assert action in actions
    code, said = verify(stack, stream)
    assert (code, said.splitlines()[0]) == (0, "The audit trail is as it was sealed.")
    second, third, last = sealed[1], sealed[2], sealed[-1]
    with rewritten(third, actor="user:somebody-else"):
        assert_named(stack, stream, "edited", third.event_id)
    with rewritten(second, sequence=3), rewritten(third, sequence=2):
        assert_named(stack, stream, "reordered", third.event_id)
    with removed(second):
        assert_named(stack, stream, "removed", "at 2 ")
    with removed(last):
        assert_named(stack, stream, "cut off", last.event_id)


def assert_named(stack: TestStack, stream: str, fault: str, place: str) -> None:
    code, said = verify(stack, stream)
    assert code == 1
    assert fault in said
    assert place in said


@contextmanager
def rewritten(event: AuditEvent, **changes: object) -> Iterator[None]:
    """A row changed behind the product's back, until the end of the block."""
    kept = {name: getattr(event, name) for name in changes}
    event.update([getattr(AuditEvent, name).set(value) for name, value in changes.items()])
    yield
    event.update([getattr(AuditEvent, name).set(value) for name, value in kept.items()])


@contextmanager
def removed(event: AuditEvent) -> Iterator[None]:
    event.delete()
    yield
    event.save()


def seal(stack: TestStack, stream: str) -> list[AuditEvent]:
    """The events of a stream in the order of their chain. The worker seals by itself; the command
    spares the wait, but for what the index doesn't list yet."""
    deadline = time.monotonic() + 60
    while any(event.sequence is None for event in events(stream)):
        assert time.monotonic() < deadline, "not sealed within a minute"
        assert run_manage(stack, "seal_audit").returncode == 0
    return sorted(events(stream), key=lambda event: int(event.sequence))


def test_a_client_takes_a_receipt_along_A1_T3(
    town: Town, invited: Invited, stack: TestStack, stranger: Callable[[], Person]
) -> None:
    """Within a minute, signed with a key that anybody finds, and about what the sealed trail
    holds."""
    x, stream = invited.person.enter(invited.link, invited.email), f"case:{invited.case}"
    file_id = x.upload(invited.home)["fileId"]
    path, deadline = f"files/{file_id}/receipt", time.monotonic() + 60
    while (answer := x.get(f"{invited.home}{path}")).status_code == 202:
        assert time.monotonic() < deadline, "no receipt within a minute"
        assert run_manage(stack, "seal_audit").returncode == 0
        time.sleep(0.2)
    keys = stranger().get("/.well-known/filevault-keys.json").json()
    said = check_receipt(answer.json(), signing.from_jwks(keys))
    assert (said["fileId"], said["caseId"]) == (file_id, invited.case)
    assert said["sha256"] == hashlib.sha256(PDF).hexdigest()
    (event,) = [e for e in events(stream) if e.event_id == said["trail"]["eventId"]]
    assert (event.sequence, event.hash) == (said["trail"]["sequence"], said["trail"]["hash"])
    theirs = town.a.get(f"/cases/{invited.case}/{path}").json()
    assert theirs == answer.json()


def test_nobody_deletes_a_locked_checkpoint_A1(
    invited: Invited, stack: TestStack, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket with Object Lock, and the rights of the account's administrator."""
    session = admin_session(stack.ministack)
    s3 = session.client("s3", endpoint_url=stack.ministack.endpoint, config=path_style())
    settings.FILEVAULT_BUCKET = f"locked-{invited.case}"
    settings.AUDIT_LOCK_DAYS = 1
    monkeypatch.setattr(checkpoints, "s3_client", lambda: s3)
    s3.create_bucket(
        Bucket=settings.FILEVAULT_BUCKET,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    seal(stack, f"case:{invited.case}")
    deadline = time.monotonic() + 20
    while not checkpoints.write_checkpoints():  # as soon as the index lists the stream
        assert time.monotonic() < deadline
        time.sleep(0.2)
    ((key, version_id),) = checkpoints._versions()
    kept = s3.get_object_retention(Bucket=settings.FILEVAULT_BUCKET, Key=key, VersionId=version_id)[
        "Retention"
    ]
    assert kept["Mode"] == "COMPLIANCE"
    assert kept["RetainUntilDate"] > now() + timedelta(hours=23)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(
            Bucket=settings.FILEVAULT_BUCKET,
            Key=key,
            VersionId=version_id,
            BypassGovernanceRetention=True,
        )
    s3.delete_object(Bucket=settings.FILEVAULT_BUCKET, Key=key)  # a marker hides nothing
    assert checkpoints.read_checkpoints().checkpoints == 1


def path_style() -> Config:
    return Config(s3={"addressing_style": "path"})


def test_no_audit_no_content_A4(town: Town, stack: TestStack) -> None:
    """With the audit store away nothing is signed, on either side, by any way."""
    c1, home = town.c1, town.portal_one
    file = c1.upload(home)["fileId"]
    waiting = c1.presign(home)
    token = {"X-CSRFToken": c1.token(home)}
    form = {"csrfmiddlewaretoken": token["X-CSRFToken"]}
    body = {"fileName": "new.pdf", "size": len(PDF)}
    rows = len(list(File.query(f"case:{town.case_one}", consistent_read=True)))
    with audit_store_away(stack):
        answers = [
            ask(person, f"{at}files/{file}/download")
            for ask in (Person.get, Person.head)
            for person, at in ((town.a, town.one), (c1, home), (town.d, home))
        ]
        answers.append(c1.http.post(f"{home}files/presign", json=body, headers=token))
        answers.append(c1.http.post(f"{home}files/add", data={**form, "fileName": "new.pdf"}))
        answers.append(c1.http.post(f"{home}files/{file}/delete", data=form))
        c1.send(waiting)
        answers.append(c1.http.post(waiting["confirmUrl"], json={}, headers=token))
    for answer in answers:
        assert answer.status_code == 503, answer.request.url
        assert int(answer.headers["Retry-After"]) > 0
        assert "Location" not in answer.headers
        assert "Signature" not in answer.text
        assert "signature" not in answer.text.lower()
    assert len(list(File.query(f"case:{town.case_one}", consistent_read=True))) == rows
    assert town.a.get(f"{town.one}files/{file}/download").status_code == 302
    assert c1.call(waiting["confirmUrl"], page=home).json()["state"] == "AVAILABLE"


def test_what_cant_be_recorded_is_not_done_A1(
    town: Town, invited: Invited, stack: TestStack
) -> None:
    """A change and its event are one transaction: without the event there is no change."""
    a, case = town.a, f"/cases/{invited.case}/"
    form = {"csrfmiddlewaretoken": a.token("/settings/")}
    before = [Case.fetch(invited.case), Invitation.fetch(invited.case, invited.client)]
    with audit_store_away(stack):
        for path in (
            "close/",
            "delete/",
            f"clients/{invited.client}/revoke/",
            f"clients/{invited.client}/resend/",
        ):
            assert a.http.post(f"{case}{path}", data=form).status_code == 503, path
        x = invited.person
        x.open_link(invited.link)
        assert x.post("/invite/send-code/", page="/invite/").status_code == 503
    after = [Case.fetch(invited.case), Invitation.fetch(invited.case, invited.client)]
    for was, is_ in zip(before, after, strict=True):
        assert was is not None
        assert is_ is not None
        assert is_.event_id == was.event_id


def denials(person: Person) -> list[tuple[str, str]]:
    """What somebody at an address was refused today: whom, and about what."""
    streams = [f"day:{now().date().isoformat()}#{shard}" for shard in range(DAILY_SHARDS)]
    found = [event for stream in streams for event in events(stream)]
    return [
        (event.actor, event.target)
        for event in sorted(found, key=lambda event: event.event_id)
        if (event.action, event.address) == ("access:denied", person.address)
    ]


def test_what_was_refused_is_in_the_trail_A2(
    town: Town, invited: Invited, app: str, stack: TestStack
) -> None:
    x, stranger = invited.person.enter(invited.link, invited.email), new_id()
    b = newcomer(app, stack)
    assert b.get(f"/cases/{invited.case}/").status_code == 404
    assert x.get(town.portal_one).status_code == 404
    assert x.get(f"/portal/{stranger}/").status_code == 404
    town.a.revoke(invited.case, invited.client)
    assert x.get(invited.home).status_code == 401
    client = f"client:{invited.client}"
    assert denials(x) == [
        (client, town.case_one),
        (client, stranger),
        (client, invited.case),
    ]
    ((actor, target),) = denials(b)
    assert actor.startswith("user:")
    assert target == invited.case


def test_an_admin_reads_content_for_a_stated_reason_alone_Z10(
    town: Town, app: str, stack: TestStack
) -> None:
    admin = Person(app, stack).sign_in(ADMIN_EMAIL)
    file_id, reason = town.c1.upload(town.portal_one)["fileId"], "Asked for by the practice"
    page = f"/admin/records/files/{file_id}/"
    assert admin.get(f"{town.one}files/{file_id}/download").status_code == 404
    for nothing in ("", "because"):
        assert admin.post(f"{page}open", {"reason": nothing}, page=page).status_code == 422
    answer = admin.post(f"{page}open", {"reason": reason}, page=page)
    assert answer.status_code == 302
    assert httpx.get(answer.headers["Location"], verify=NO_TLS).content == PDF
    assert reason in town.a.get(town.one).text
    assert reason not in town.c1.get(town.portal_one).text
    told = wait_for_mail(stack, A_EMAIL, lambda mail: "administrator" in mail.subject)
    assert reason not in told.text
    (event,) = [
        event
        for event in events(f"case:{town.case_one}")
        if (event.action, event.target) == ("file:opened_by_admin", file_id)
    ]
    assert event.details["reason"] == reason
    assert event.address == admin.address
