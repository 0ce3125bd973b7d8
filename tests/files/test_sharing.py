"""Sharing single files of a vault: who reads them then, and what nobody learns from it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as outbox

from accounts import addressing
from accounts.actors import Practitioner
from accounts.tables import AuditEvent, User
from files import deletion, downloads, sharing
from files.shared import get_shared, list_shared
from files.sharing import Share, get_shares
from files.spaces import Ability, get_space
from files.tables import File, FileShare, PendingShare
from files.vault import vault_of
from filevault import jobs
from filevault.dynamo import new_id
from filevault.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, Unavailable
from filevault.mail import address_hash
from tests.counting import counted
from tests.faults.wire import Wire, meanwhile, refuse
from tests.files.space import C1, put, row
from tests.files.vaults import BEN, STRANGER, known, log_in, own_file

#: Profiles are found by an index; that it lags costs a share no more than waiting for a login.
pytestmark = pytest.mark.settled


def share(actor: Practitioner, file: File, email: object = BEN, **named: Any) -> None:
    sharing.share(actor, vault_of(actor), file.file_id, email=email, **named)


def unshare(actor: Practitioner, file: File, email: object = BEN, **named: Any) -> None:
    sharing.unshare(actor, vault_of(actor), file.file_id, email=email, **named)


def access(actor: Practitioner, file: File) -> list[Share]:
    return get_shares(actor, vault_of(actor), file.file_id)


def shared_with(actor: Practitioner) -> list[str]:
    return [file.file_id for file in list_shared(actor).items]


def can_read(actor: Practitioner, file: File) -> bool:
    try:
        downloads.get_download(actor, get_shared(actor, file.file_id), file.file_id)
    except NotFound:
        return False
    return True


def deliver() -> list[Any]:
    """Send what is queued; returns all mails sent so far."""
    jobs.run_due("test", kinds={"mail.send"})
    return list(outbox.outbox)


def actions(actor: Practitioner) -> list[tuple[str, str]]:
    events = AuditEvent.query(vault_of(actor).space_id, consistent_read=True)
    return [(event.action, event.actor) for event in events if "share" in event.action]


def test_a_shared_file_is_read_by_its_recipient_alone(a: Practitioner, b: Practitioner) -> None:
    file, other = own_file(a), own_file(a, "other.pdf")
    third = known("Cleo Third", 3)
    share(a, file)
    assert shared_with(b) == [file.file_id]
    assert can_read(b, file)
    assert not can_read(b, other)
    assert not can_read(third, file)
    assert shared_with(third) == []
    (shown,) = access(a, file)
    assert (shown.label, shown.email, shown.user_id) == (BEN, BEN, "")
    assert actions(a) == [("file:shared", a.actor_id)]
    events = AuditEvent.query(vault_of(a).space_id, consistent_read=True)
    assert BEN not in str([dict(event.details) for event in events])


def test_nobody_learns_who_has_an_account(a: Practitioner, b: Practitioner) -> None:
    files = {email: own_file(a) for email in (BEN, STRANGER)}
    for email, file in files.items():
        assert sharing.share(a, vault_of(a), file.file_id, email=email) is None  # type: ignore[func-returns-value]
    (to_ben, to_stranger) = (access(a, file)[0] for file in files.values())
    assert (to_ben.label, to_ben.email) == (BEN, BEN)
    assert (to_stranger.label, to_stranger.email) == (STRANGER, STRANGER)
    assert to_ben.user_id == to_stranger.user_id == ""
    mails = {mail.to[0]: mail for mail in deliver()}
    first, second = mails[BEN], mails[STRANGER]
    for part in ("subject", "body", "from_email", "reply_to", "alternatives"):
        assert getattr(first, part) == getattr(second, part)


def test_the_mail_names_the_sender_and_never_the_file_T2(a: Practitioner, b: Practitioner) -> None:
    share(a, own_file(a, "Diagnosis Keller.pdf"))
    (mail,) = deliver()
    assert mail.to == [BEN]
    assert mail.subject == "Dr Anna Novak (Practice 1) shared a file with you"
    assert mail.reply_to == [a.email]
    assert mail.from_email.startswith('"Dr Anna Novak (Practice 1)" <no-reply@')
    html = mail.alternatives[0][0]
    for text in (mail.body, html):
        assert "http://testserver/files/shared/" in text
        assert "Diagnosis" not in text
        assert "Ben" not in text
        assert "no account yet" in text


def test_the_mail_speaks_the_senders_language(a: Practitioner, b: Practitioner) -> None:
    User(b.user_id).update([User.language.set("de")])
    share(a, own_file(a))
    assert deliver()[0].subject.endswith("shared a file with you")


def test_a_share_taken_back_before_its_mail_sends_none(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a)
    for email in (BEN, STRANGER):
        share(a, file, email)
        unshare(a, file, email)
    assert deliver() == []


def test_an_unknown_address_is_bound_at_its_proved_login(a: Practitioner) -> None:
    file = own_file(a)
    share(a, file, f" {STRANGER.upper()} ")
    before = access(a, file)
    impostor = log_in(STRANGER, verified=False)
    assert shared_with(impostor) == []
    assert not can_read(impostor, file)
    someone = log_in("other@example.test", subject="somebody")
    assert shared_with(someone) == []
    proved = log_in(STRANGER)  # the same person, whose address the provider has checked meanwhile
    assert proved.user_id == impostor.user_id
    assert shared_with(proved) == [file.file_id]
    assert can_read(proved, file)
    assert access(a, file) == before
    assert list(PendingShare.query(address_hash(STRANGER))) == []
    assert list(row(file).pending_with) == []
    assert actions(a) == [("file:shared", a.actor_id), ("file:shared", proved.actor_id)]
    unshare(a, file, STRANGER)
    assert not can_read(proved, file)
    assert access(a, file) == []


def test_a_bound_share_is_not_bound_again_after_it_was_taken_back(a: Practitioner) -> None:
    file = own_file(a)
    share(a, file, STRANGER)
    unshare(a, file, STRANGER)
    assert shared_with(log_in(STRANGER)) == []


def test_a_closed_account_waits_like_an_unknown_one(a: Practitioner, b: Practitioner) -> None:
    User(b.user_id).update([User.deactivated_at.set(datetime.now(UTC))])
    file = own_file(a)
    share(a, file)
    assert list(row(file).shared_with) == []
    assert [each.label for each in access(a, file)] == [BEN]


def test_a_login_goes_on_where_binding_fails(a: Practitioner, wire: Wire) -> None:
    file = own_file(a)
    share(a, file, STRANGER)
    wire.add("Query", refuse("InternalServerError"))
    person = log_in(STRANGER)
    assert shared_with(person) == []
    assert shared_with(log_in(STRANGER)) == [file.file_id]


@pytest.mark.parametrize("email", [BEN, STRANGER])
def test_again_changes_nothing(a: Practitioner, b: Practitioner, email: str) -> None:
    file = own_file(a)
    for written in (email, email.upper(), f"  {email}"):
        share(a, file, written)
    assert len(access(a, file)) == 1
    assert len(deliver()) == 1
    for _ in range(2):
        unshare(a, file, email.title())
    assert access(a, file) == []
    assert [action for action, _who in actions(a)] == ["file:shared", "file:unshared"]


def test_by_user_id_too(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a)
    share(a, file, None, user_id=b.user_id)
    assert can_read(b, file)
    (shown,) = access(a, file)
    assert (shown.label, shown.email, shown.user_id) == ("Ben Okafor", "", b.user_id)
    assert deliver()[0].to == [BEN]
    unshare(a, file, None, user_id=b.user_id)
    assert not can_read(b, file)
    for unknown in (new_id(), "", "x" * 5000, "\ud800"):
        with pytest.raises(NotFound):
            share(a, file, None, user_id=unknown)


def test_who_has_no_name_yet_is_shown_as_that(a: Practitioner) -> None:
    """As after a first token, which tells no name."""
    nameless = log_in(STRANGER)
    file = own_file(a)
    share(a, file, None, user_id=nameless.user_id)
    (listed,) = access(a, file)
    assert (listed.label, listed.user_id) == (
        "Somebody who has not given a name yet",
        nameless.user_id,
    )


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"email": ""}, "bad_email"),
        ({"email": "ben"}, "bad_email"),
        ({"email": "ben@"}, "bad_email"),
        ({"email": "ben@example.test\nBcc: all@example.test"}, "bad_email"),
        ({"email": "Ben <ben@example.test>"}, "bad_email"),
        ({"email": "a@example.test, b@example.test"}, "bad_email"),
        ({"email": "ben@\ud800.test"}, "bad_email"),
        ({"email": f"{'x' * 300}@example.test"}, "bad_email"),
        ({"email": ["ben@example.test"]}, "bad_email"),
        ({"email": 5}, "bad_email"),
        ({}, "bad_recipient"),
        ({"email": BEN, "user_id": new_id()}, "bad_recipient"),
        ({"user_id": 5}, "bad_user_id"),
        ({"email": "Dr.Anna.Novak@Example.TEST"}, "own_file"),
    ],
)
def test_bad_recipients_are_named(a: Practitioner, named: dict[str, object], code: str) -> None:
    file = own_file(a)
    with pytest.raises(Invalid) as refused:
        sharing.share(a, vault_of(a), file.file_id, **named)
    assert refused.value.reason == code
    assert refused.value.fields
    assert access(a, file) == []


def test_forty_people_and_no_more(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a)
    share(a, file)
    for number in range(sharing.MOST_SHARES - 1):
        share(a, file, f"p{number}@example.test")
    with pytest.raises(Invalid) as refused:
        share(a, file, "one.more@example.test")
    assert refused.value.reason == "too_many_shares"
    share(a, file, "p0@example.test")
    assert len(access(a, file)) == sharing.MOST_SHARES
    unshare(a, file, "p0@example.test")
    share(a, file, "one.more@example.test")
    deletion.delete(a, vault_of(a), file.file_id)  # within one transaction
    assert shared_with(b) == []
    assert list(PendingShare.query(address_hash("p5@example.test"))) == []


def test_only_so_many_an_hour(a: Practitioner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addressing, "SHARES_AN_HOUR", 2)
    file = own_file(a)
    with time_machine.travel(datetime(2026, 3, 4, 12, tzinfo=UTC), tick=True):
        for number in range(2):
            share(a, file, f"p{number}@example.test")
        with pytest.raises(RateLimited):
            share(a, file, "p3@example.test")


def test_what_was_taken_back_ends_at_the_next_click_Z5(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a)
    share(a, file)
    assert can_read(b, file)
    unshare(a, file)
    assert not can_read(b, file)
    assert shared_with(b) == []


def test_a_row_alone_gives_no_access_Z5(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a)
    share(a, file)
    row(file).update([File.shared_with.set([])])
    assert FileShare.fetch(b.user_id, file.file_id) is not None
    assert not can_read(b, file)
    assert shared_with(b) == []


def test_a_recipient_reads_and_does_nothing_else_Z6(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a)
    share(a, file)
    space = get_shared(b, file.file_id)
    assert space.abilities(b) == {Ability.READ}
    for refused in (
        lambda: sharing.share(b, space, file.file_id, email="third@example.test"),
        lambda: sharing.unshare(b, space, file.file_id, email=BEN),
        lambda: get_shares(b, space, file.file_id),
        lambda: deletion.delete(b, space, file.file_id),
    ):
        with pytest.raises(Forbidden):
            refused()
    for hidden in (
        lambda: get_space(b, vault_of(a).space_id),
        lambda: share(b, file, "third@example.test"),
        lambda: deletion.delete(b, vault_of(b), file.file_id),
        lambda: get_shared(C1, file.file_id),
    ):
        with pytest.raises(NotFound):
            hidden()
    assert row(file).state == "AVAILABLE"
    assert [each.label for each in access(a, file)] == [BEN]


def test_deleting_takes_the_shares_T4(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a)
    share(a, file)
    share(a, file, STRANGER)
    deletion.delete(a, vault_of(a), file.file_id)
    assert FileShare.fetch(b.user_id, file.file_id) is None
    assert PendingShare.fetch(address_hash(STRANGER), file.file_id) is None
    assert not can_read(b, file)
    assert deliver() == []
    with pytest.raises(NotFound):
        share(a, file)


def test_what_is_not_available_is_not_shared(a: Practitioner) -> None:
    file = own_file(a)
    row(file).update([File.state.set("REJECTED"), File.reason.set("infected")])
    with pytest.raises(Conflict):
        share(a, file)
    with pytest.raises(NotFound):
        sharing.share(a, vault_of(a), new_id(), email=BEN)


def test_a_file_stays_read_only(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a)
    share(a, file)
    put(file, b"something else")  # a version that nobody confirmed
    assert row(file).is_read_only is True
    assert row(file).version_id == file.version_id
    download = downloads.get_download(b, get_shared(b, file.file_id), file.file_id)
    assert f"versionId={file.version_id}" in download.url


# --- At the same moment ---


def test_sharing_while_deleting(a: Practitioner, b: Practitioner, wire: Wire) -> None:
    file = own_file(a)
    delete = meanwhile(lambda: deletion.delete(a, vault_of(a), file.file_id))
    wire.add("TransactWriteItems", delete)
    with pytest.raises(NotFound):
        share(a, file)
    assert FileShare.fetch(b.user_id, file.file_id) is None
    assert deliver() == []


def test_deleting_while_sharing(a: Practitioner, b: Practitioner, wire: Wire) -> None:
    file = own_file(a)
    wire.add("TransactWriteItems", meanwhile(lambda: share(a, file)))
    deletion.delete(a, vault_of(a), file.file_id)
    assert row(file).state == "DELETED"
    assert FileShare.fetch(b.user_id, file.file_id) is None


def test_two_shares_at_once_are_both_kept(a: Practitioner, b: Practitioner, wire: Wire) -> None:
    file = own_file(a)
    wire.add("TransactWriteItems", meanwhile(lambda: share(a, file, STRANGER)))
    share(a, file)
    assert sorted(each.label for each in access(a, file)) == [BEN, STRANGER]


def test_binding_while_taking_back(a: Practitioner, wire: Wire) -> None:
    file = own_file(a)
    person = log_in("old@example.test")
    share(a, file, STRANGER)
    on_binding(wire, lambda: unshare(a, file, STRANGER))
    log_in(STRANGER)
    assert shared_with(person) == []
    assert not can_read(person, file)
    assert access(a, file) == []
    assert FileShare.fetch(person.user_id, file.file_id) is None


def test_taking_back_while_binding(a: Practitioner, wire: Wire) -> None:
    file = own_file(a)
    share(a, file, STRANGER)
    people: list[Practitioner] = []
    wire.add("TransactWriteItems", meanwhile(lambda: people.append(log_in(STRANGER))))
    unshare(a, file, STRANGER)
    assert not can_read(people[0], file)
    assert access(a, file) == []


def test_sharing_anew_while_an_old_share_is_dropped(
    a: Practitioner, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addressing, "find_user", lambda _hash: "")  # the index hasn't heard yet
    file = own_file(a)
    log_in("old@example.test")
    share(a, file, STRANGER)
    waiting = PendingShare.fetch(address_hash(STRANGER), file.file_id)
    unshare(a, file, STRANGER)
    assert waiting is not None
    waiting.save()  # as a login holds it that began before
    on_binding(wire, lambda: share(a, file, STRANGER))
    assert can_read(log_in(STRANGER), file)


def test_two_logins_at_once_bind_once(a: Practitioner, wire: Wire) -> None:
    file = own_file(a)
    log_in("old@example.test")
    share(a, file, STRANGER)
    on_binding(wire, lambda: log_in(STRANGER))
    person = log_in(STRANGER)
    assert can_read(person, file)
    assert list(row(file).shared_with) == [person.user_id]
    assert [action for action, _who in actions(a)] == ["file:shared"] * 2


def on_binding(wire: Wire, action: Callable[[], object]) -> None:
    """Let somebody act before the second transaction from now: a login's first one is its own."""
    wire.add("TransactWriteItems", lambda call: call())
    wire.add("TransactWriteItems", meanwhile(action))


def test_a_share_that_stays_contended_gives_up_whole(a: Practitioner, wire: Wire) -> None:
    file = own_file(a)
    reasons = ["ConditionalCheckFailed"] * 6
    fault = refuse("TransactionCanceledException", reasons=reasons)
    wire.add("TransactWriteItems", fault, times=9)
    with pytest.raises((Unavailable, Conflict)):
        share(a, file)
    assert access(a, file) == []


# --- What it costs ---


def test_the_list_costs_the_same_for_any_number(
    a: Practitioner, b: Practitioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    for more in (10, 120):
        for _ in range(more):
            give(a, b)
        with counted(monkeypatch) as calls:
            page = list_shared(b)
        seen.append(calls)
    assert seen[0] == seen[1] == ["dynamodb.Query", "dynamodb.BatchGetItem"]
    assert len(page.items) == 50
    ids = [file.file_id for file in page.items]
    while page.cursor:
        page = list_shared(b, cursor=page.cursor)
        ids += [file.file_id for file in page.items]
    assert len(ids) == len(set(ids)) == 130
    assert ids == sorted(ids, reverse=True)


def give(a: Practitioner, b: Practitioner) -> None:
    """Rows of a shared file, without the work of an upload."""
    space, file_id, moment = vault_of(a), new_id(), datetime.now(UTC) - timedelta(days=1)
    File(
        space.space_id,
        file_id,
        owner_id=a.user_id,
        file_name="a.pdf",
        s3_key=f"{space.storage_prefix}{file_id}",
        version_id="v",
        size=1,
        mime_type="application/pdf",
        state="AVAILABLE",
        uploaded_by=a.actor_id,
        created_at=moment,
        upload_expires_at=moment,
        shared_with=[b.user_id],
    ).save()
    FileShare(
        b.user_id,
        file_id,
        space_id=space.space_id,
        file_name="a.pdf",
        size=1,
        mime_type="application/pdf",
        shared_by=a.user_id,
        created_at=moment,
    ).save()
