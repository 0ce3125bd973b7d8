"""Colleagues on a case: what each may do there, and what nobody learns from sharing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from accounts import addressing
from accounts.actors import Practitioner
from accounts.tables import AuditEvent, User
from cases import activity, cases, colleagues, invitations
from cases.clients import ChangedMeanwhile
from cases.overview import CaseRow, case_rows, get_overview
from cases.seen import mark_seen
from cases.space import get_case_space
from cases.tables import Case, CaseMember, Client, Invitation, PendingMember, Seen
from files import deletion, downloads, uploads
from files.records import get_usage
from files.spaces import Ability
from filevault import jobs
from filevault.dynamo import new_id, now
from filevault.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, Unavailable
from filevault.mail import address_hash
from tests.cases.casework import actions_in, again, arrived, edit, make_case, make_client
from tests.cases.invited import deliver
from tests.faults.wire import Wire, meanwhile, refuse
from tests.files.vaults import BEN, STRANGER, known, log_in

#: Profiles are found by an index; that it lags costs a share no more than waiting for a login.
pytestmark = pytest.mark.settled

WRITER = {Ability.READ, Ability.UPLOAD, Ability.DELETE_OWN}


@pytest.fixture
def maria(a: Practitioner) -> Client:
    return make_client(a)


@pytest.fixture
def case(a: Practitioner, maria: Client) -> Case:
    return make_case(a, maria)


def share(actor: Practitioner, case: Case, email: object = BEN, access: object = "read") -> str:
    return colleagues.share(actor, case.case_id, email=email, access=access)


def remove(actor: Practitioner, case: Case, email: object = BEN) -> None:
    colleagues.remove(actor, case.case_id, email=email)


def abilities(actor: Practitioner, case: Case) -> set[Ability]:
    """What somebody may do on a case; nothing where they don't find it."""
    try:
        return set(get_case_space(actor, case.case_id).abilities(actor))
    except NotFound:
        return set()


def listed(actor: Practitioner, case: Case) -> list[tuple[str, str]]:
    found = colleagues.get_colleagues(cases.get_case(actor, case.case_id))
    return [(each.email, each.access) for each in found]


def rows(actor: Practitioner, status: str = "open") -> list[CaseRow]:
    return case_rows(actor, cases.list_cases(actor, status).items)


def test_a_reader_reads_and_does_nothing_else(
    a: Practitioner, b: Practitioner, maria: Client, case: Case
) -> None:
    assert abilities(b, case) == set()
    share(a, case)
    assert abilities(b, case) == {Ability.READ}
    file = arrived(case, a)
    space = get_case_space(b, case.case_id)
    assert downloads.get_download(b, space, file.file_id).url
    version = str(again(case).event_id)
    details: dict[str, Any] = {
        "title": "Mine",
        "client_ids": [],
        "link_only": True,
        "retention_rule": "",
    }
    for refused in (
        lambda: uploads.begin(b, space, file_name="a.pdf", size=9),
        lambda: deletion.delete(b, space, file.file_id),
        lambda: cases.edit_case(b, case.case_id, version=version, **details),
        lambda: cases.close_case(b, case.case_id),
        lambda: cases.reopen_case(b, case.case_id),
        lambda: cases.delete_case(b, case.case_id),
        lambda: invitations.send(b, case.case_id, maria.client_id),
        lambda: invitations.revoke(b, case.case_id, maria.client_id),
        lambda: share(b, case, "third@example.test"),
        lambda: remove(b, case),
        lambda: colleagues.change_access(b, case.case_id, email=BEN, access="write"),
    ):
        with pytest.raises(Forbidden):
            refused()
    assert again(case).event_id == version
    assert abilities(known("Cleo Third", 3), case) == set()


def test_a_writer_adds_files_and_deletes_their_own(
    a: Practitioner, b: Practitioner, case: Case
) -> None:
    share(a, case, access="write")
    assert abilities(b, case) == WRITER
    theirs, mine = arrived(case, a), arrived(case, b)
    space = get_case_space(b, case.case_id)
    assert space.names_of([b.actor_id]) == {b.actor_id: "Ben Okafor"}
    assert int(get_usage(a.user_id).file_count) == 2
    assert int(get_usage(b.user_id).file_count) == 0
    with pytest.raises(Forbidden):
        deletion.delete(b, space, theirs.file_id)
    deletion.delete(b, space, mine.file_id)
    cases.close_case(a, case.case_id)
    assert abilities(b, case) == {Ability.READ}
    with pytest.raises(Forbidden):
        cases.reopen_case(b, case.case_id)


def test_what_was_taken_back_ends_at_the_next_click_Z5(
    a: Practitioner, b: Practitioner, case: Case
) -> None:
    share(a, case, access="write")
    mark_seen(b, case)
    colleagues.change_access(a, case.case_id, email=BEN.upper(), access="read")
    assert abilities(b, case) == {Ability.READ}
    assert listed(a, case) == [(BEN, "read")]
    remove(a, case)
    assert abilities(b, case) == set()
    assert (listed(a, case), rows(b)) == ([], [])
    assert CaseMember.fetch(b.user_id, case.case_id) is None
    assert Seen.fetch(b.user_id, case.case_id) is None
    remove(a, case)
    colleagues.change_access(a, case.case_id, email=BEN, access="write")
    assert abilities(b, case) == set()
    assert actions_in(f"case:{case.case_id}") == ["case:created"] + ["case:members_changed"] * 3
    for stream in (f"case:{case.case_id}", f"user:{b.user_id}"):
        events = [e for e in AuditEvent.query(stream) if e.action == "case:members_changed"]
        assert [event.details["access"] for event in events] == ["write", "read", "none"]
        assert {(event.actor, event.target) for event in events} == {(a.actor_id, case.case_id)}


def test_a_row_alone_gives_no_access_Z5(a: Practitioner, b: Practitioner, case: Case) -> None:
    share(a, case)
    again(case).update([Case.members.set({})])
    assert CaseMember.fetch(b.user_id, case.case_id) is not None
    assert abilities(b, case) == set()
    assert rows(b) == []


def test_nobody_learns_who_has_an_account(a: Practitioner, b: Practitioner, maria: Client) -> None:
    made = {email: make_case(a, maria, title="Canary Quillfeather") for email in (BEN, STRANGER)}
    for email, case in made.items():
        assert share(a, case, f" {email} ") == email
        assert listed(a, case) == [(email, "read")]
    mails = {mail.to[0]: mail for mail in deliver()}
    texts = [
        str((mail.subject, mail.body, mail.from_email, mail.reply_to, mail.alternatives)).replace(
            made[email].case_id, "<id>"
        )
        for email, mail in mails.items()
    ]
    assert set(mails) == {BEN, STRANGER}
    assert texts[0] == texts[1]
    assert mails[BEN].subject == "Dr Anna Novak (Practice 1) shared a case with you"
    assert mails[BEN].reply_to == [a.email]
    assert f"http://testserver/cases/{made[BEN].case_id}/" in mails[BEN].body
    for canary in ("Quillfeather", "Maria", "Ben"):  # T2
        assert canary not in texts[0]


def test_what_the_owner_reads_of_a_case_tells_it_neither_before_nor_after_a_login(
    a: Practitioner, b: Practitioner, maria: Client
) -> None:
    shared = {email: make_case(a, maria) for email in (BEN, STRANGER)}
    for email, case in shared.items():
        share(a, case, email)
    log_in(STRANGER)  # who is bound by it
    told = []
    for case in map(again, shared.values()):
        arrived(case, a)
        events = list(AuditEvent.query(f"case:{case.case_id}"))
        told.append(
            (
                [(event.action, event.actor, str(sorted(event.details))) for event in events],
                [name for _actor_id, name in activity.people_of(a, case)],
                colleagues.count_colleagues(case),
                [each.access for each in colleagues.get_colleagues(case)],
            )
        )
    assert told[0] == told[1]
    assert "Ben Okafor" not in str(told)
    for case in map(again, shared.values()):  # a form's version is one that the owner made
        versions = {event.event_id for event in AuditEvent.query(f"case:{case.case_id}")}
        assert case.event_id in versions
    mark_seen(b, again(shared[BEN]))
    assert "Ben Okafor" in str(activity.people_of(a, again(shared[BEN])))


def test_what_is_taken_back_or_deleted_before_its_mail_sends_none(
    a: Practitioner, b: Practitioner, maria: Client, case: Case
) -> None:
    for email in (BEN, STRANGER):
        share(a, case, email)
        remove(a, case, email)
    other = make_case(a, maria)
    share(a, other)
    cases.delete_case(a, other.case_id)
    assert deliver() == []


def test_an_unknown_address_is_bound_at_its_proved_login(a: Practitioner, case: Case) -> None:
    share(a, case, STRANGER.upper(), "read")
    colleagues.change_access(a, case.case_id, email=STRANGER, access="write")
    (before,) = colleagues.get_colleagues(again(case))
    impostor = log_in(STRANGER, verified=False)
    assert abilities(impostor, case) == set()
    proved = log_in(STRANGER)
    assert proved.user_id == impostor.user_id
    assert abilities(proved, case) == WRITER
    (after,) = colleagues.get_colleagues(again(case))
    assert (after.email, after.since) == (before.email, before.since)
    assert (before.user_id, after.user_id) == ("", proved.user_id)
    assert PendingMember.fetch(address_hash(STRANGER), case.case_id) is None
    assert again(case).pending_members.as_dict() == {}
    remove(a, case, STRANGER)
    assert abilities(log_in(STRANGER), case) == set()


def test_who_comes_in_while_the_owner_edits_is_not_told_by_a_conflict(
    a: Practitioner, case: Case
) -> None:
    share(a, case, STRANGER, "write")
    begun_with = again(case).event_id
    newcomer = log_in(STRANGER)
    assert edit(a, case, title="Changed", version=begun_with).title == "Changed"
    assert abilities(newcomer, case) == WRITER


def test_who_comes_in_while_the_case_is_deleted_leaves_nothing_T4(
    a: Practitioner, case: Case, wire: Wire
) -> None:
    share(a, case, STRANGER)
    (pending,) = PendingMember.query(address_hash(STRANGER))
    newcomer = User.fetch(log_in("other@example.test", subject="other").user_id)
    assert newcomer is not None

    def delete() -> None:
        cases.delete_case(a, case.case_id)
        while jobs.run_due("test", kinds={cases.PURGE_JOB}):
            pass

    wire.add("TransactWriteItems", meanwhile(delete))
    colleagues._retrying(lambda: colleagues._bind(newcomer, pending))
    assert again(case).members.as_dict() == {}
    assert list(CaseMember.query(newcomer.user_id)) == []


def test_nobody_learns_that_two_addresses_are_one_persons(a: Practitioner, case: Case) -> None:
    first, second = "one@example.test", "two@example.test"
    log_in(first)
    share(a, case, first)
    person = log_in(second)  # the same subject under another address
    share(a, case, second, "write")
    both = [(first, "read"), (second, "write")]
    assert listed(a, case) == both
    log_in(second)
    assert listed(a, case) == both
    assert {mail.to[0] for mail in deliver()} == {first, second}
    assert abilities(person, case) == {Ability.READ}
    remove(a, case, first)
    assert (listed(a, case), abilities(person, case)) == ([(second, "write")], set())
    assert abilities(log_in(second), case) == WRITER


def test_what_was_taken_back_is_not_bound(a: Practitioner, maria: Client, case: Case) -> None:
    gone = make_case(a, maria)
    for each in (case, gone):
        share(a, each, STRANGER)
    stale = PendingMember.fetch(address_hash(STRANGER), case.case_id)
    remove(a, case, STRANGER)
    assert stale is not None
    stale.save()  # as a login holds it that began before
    cases.delete_case(a, gone.case_id)
    person = log_in(STRANGER)
    assert abilities(person, case) == abilities(person, gone) == set()
    assert list(PendingMember.query(address_hash(STRANGER))) == []


def test_an_address_that_became_the_owners_binds_nobody(a: Practitioner, case: Case) -> None:
    share(a, case, STRANGER)
    (pending,) = PendingMember.query(address_hash(STRANGER))
    owner = User.fetch(a.user_id)
    assert owner is not None
    colleagues._bind(owner, pending)
    assert listed(a, case) == []
    assert abilities(a, case) >= {Ability.MANAGE}
    assert [row.case.case_id for row in rows(a)] == [case.case_id]


@pytest.mark.parametrize("email", [BEN, STRANGER])
def test_again_changes_nothing_but_the_access(
    a: Practitioner, b: Practitioner, case: Case, email: str
) -> None:
    share(a, case, email)
    version = again(case).event_id
    share(a, case, email.upper())
    assert again(case).event_id == version
    share(a, case, email, "write")
    assert listed(a, case) == [(email, "write")]
    assert len(deliver()) == 1


@pytest.mark.parametrize(
    ("email", "access", "code"),
    [
        ("", "read", "bad_email"),
        ("ben@", "read", "bad_email"),
        ("ben@example.test\nBcc: all@example.test", "read", "bad_email"),
        (f"{'x' * 300}@example.test", "read", "bad_email"),
        (["ben@example.test"], "read", "bad_email"),
        (None, "read", "bad_recipient"),
        ("Dr.Anna.Novak@Example.TEST", "read", "own_case"),
        (BEN, "", "bad_access"),
        (BEN, "owner", "bad_access"),
        (BEN, None, "bad_access"),
        (BEN, ["read"], "bad_access"),
    ],
)
def test_bad_input_is_named(
    a: Practitioner, case: Case, email: object, access: object, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        share(a, case, email, access)
    assert refused.value.reason == code
    assert refused.value.fields
    assert listed(a, case) == []


def test_twenty_colleagues_and_no_more(a: Practitioner, case: Case) -> None:
    people = [f"p{number}@example.test" for number in range(colleagues.MOST_COLLEAGUES)]
    for email in people:
        share(a, case, email)
    with pytest.raises(Invalid) as refused:
        share(a, case, "one.more@example.test")
    assert refused.value.reason == "too_many_shares"
    share(a, case, people[0], "write")
    remove(a, case, people[1])
    share(a, case, "one.more@example.test")
    assert len(listed(a, case)) == colleagues.MOST_COLLEAGUES


def test_only_so_many_an_hour(a: Practitioner, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addressing, "SHARES_AN_HOUR", 2)
    with time_machine.travel(datetime(2026, 3, 4, 12, tzinfo=UTC), tick=True):
        for number in range(2):
            share(a, case, f"p{number}@example.test")
        with pytest.raises(RateLimited):
            share(a, case, "p3@example.test")


def test_a_strangers_or_deleted_case_is_not_found_Z2(
    a: Practitioner, b: Practitioner, case: Case
) -> None:
    share(a, case)
    third = known("Cleo Third", 3)
    cases_of_nobody = [(third, case.case_id), (a, new_id()), (a, "x"), (a, "\ud800")]
    for actor, case_id in cases_of_nobody:
        with pytest.raises(NotFound):
            colleagues.share(actor, case_id, email=BEN, access="read")
    cases.delete_case(a, case.case_id)
    assert abilities(b, case) == set()
    assert rows(b) == []
    with pytest.raises(NotFound):
        share(a, case)


def test_the_purge_takes_what_is_kept_of_colleagues_T4(
    a: Practitioner, b: Practitioner, case: Case
) -> None:
    share(a, case)
    share(a, case, STRANGER)
    mark_seen(b, case)
    cases.delete_case(a, case.case_id)
    while jobs.run_due("test", kinds={cases.PURGE_JOB}):
        pass
    assert CaseMember.fetch(b.user_id, case.case_id) is None
    assert PendingMember.fetch(address_hash(STRANGER), case.case_id) is None
    assert Seen.fetch(b.user_id, case.case_id) is None
    assert again(case).members.as_dict() == again(case).pending_members.as_dict() == {}


# --- At the same moment ---


def test_two_shares_at_once_are_both_kept(
    a: Practitioner, b: Practitioner, case: Case, wire: Wire
) -> None:
    wire.add("TransactWriteItems", meanwhile(lambda: share(a, case, STRANGER)))
    share(a, case)
    assert sorted(listed(a, case)) == [(BEN, "read"), (STRANGER, "read")]


def test_an_upload_begun_while_access_is_taken_back(
    a: Practitioner, b: Practitioner, case: Case, wire: Wire
) -> None:
    share(a, case, access="write")
    wire.add("TransactWriteItems", meanwhile(lambda: remove(a, case)))
    with pytest.raises(NotFound):
        arrived(case, b)
    share(a, case, access="write")
    wire.add(
        "TransactWriteItems",
        meanwhile(lambda: colleagues.change_access(a, case.case_id, email=BEN, access="read")),
    )
    with pytest.raises(Forbidden):
        arrived(case, b)
    assert again(case).file_count == 0


def test_an_upload_goes_on_while_somebody_else_is_added(
    a: Practitioner, b: Practitioner, case: Case, wire: Wire
) -> None:
    wire.add("TransactWriteItems", meanwhile(lambda: share(a, case)))
    assert arrived(case, a).state == "AVAILABLE"


def test_a_share_that_stays_contended_gives_up_whole(
    a: Practitioner, case: Case, wire: Wire
) -> None:
    fault = refuse("TransactionCanceledException", reasons=["ConditionalCheckFailed"] * 6)
    wire.add("TransactWriteItems", fault, times=9)
    with pytest.raises((Unavailable, Conflict)):
        share(a, case)
    assert listed(a, case) == []


# --- Among one's cases ---


def test_shared_cases_stand_among_ones_own_marked(
    a: Practitioner, b: Practitioner, case: Case
) -> None:
    own = make_case(b, make_client(b, "Carl Lind"), title="Tax return")
    share(a, case)
    file = arrived(case, a)
    (first, second) = rows(b)
    assert (first.case.case_id, second.case.case_id) == (case.case_id, own.case_id)
    assert (first.sharer, first.is_read_only) == ("Dr Anna Novak (Practice 1)", True)
    assert (second.sharer, second.is_read_only) == ("", False)
    assert [client.name for client in first.clients] == ["Maria Keller"]
    assert (first.new, rows(a)[0].new) == (1, 0)
    mark_seen(b, again(case))
    assert rows(b)[0].new == 0
    assert file.state == "AVAILABLE"
    colleagues.change_access(a, case.case_id, email=BEN, access="write")
    assert not rows(b)[0].is_read_only
    cases.close_case(a, case.case_id)
    assert [row.case.title for row in rows(b)] == ["Tax return"]
    assert [row.sharer for row in rows(b, "closed")] == ["Dr Anna Novak (Practice 1)"]


@pytest.mark.parametrize("owners", ["babaabbab", "aaaaaaaaa", "bbbbbbbbb"])
def test_pages_hold_each_shared_case_once_in_its_place(
    a: Practitioner, b: Practitioner, owners: str
) -> None:
    start = now()
    for number, letter in enumerate(owners):
        owner = a if letter == "a" else b
        made = row_of(owner, f"Case {number}", at=start + timedelta(minutes=number))
        if owner is a:
            share(a, made)
            made.update([Case.updated_at.set(start + timedelta(minutes=number))])
    titles, cursor = [], ""
    while True:
        page = cases.list_cases(b, "open", cursor=cursor, limit=2)
        assert len(page.items) <= 2
        titles += [case.title for case in page.items]
        cursor = page.cursor
        if not cursor:
            break
    assert titles == [f"Case {number}" for number in reversed(range(9))]


def row_of(owner: Practitioner, title: str, *, at: datetime) -> Case:
    case = Case(
        new_id(),
        user_id=owner.user_id,
        owner_status=f"{owner.user_id}#open",
        status="open",
        title=title,
        event_id=new_id(),
        created_at=at,
        updated_at=at,
    )
    case.save()
    return case


def test_the_start_page_of_a_colleague(
    a: Practitioner, b: Practitioner, maria: Client, case: Case
) -> None:
    assert not get_overview(b).has_cases
    share(a, case)
    invitations.send(a, case.case_id, maria.client_id)
    row = Invitation.fetch(case.case_id, maria.client_id)
    assert row is not None
    row.update([Invitation.wished_at.set(now())])
    overview = get_overview(b)
    assert [each.sharer for each in overview.rows] == ["Dr Anna Novak (Practice 1)"]
    assert overview.attention == []  # only the owner can answer it
    assert [item.kind for item in get_overview(a).attention] == ["wish"]


def test_an_edit_begun_before_a_share_is_named(a: Practitioner, case: Case) -> None:
    version = case.event_id
    share(a, case)
    with pytest.raises(ChangedMeanwhile):
        edit(a, case, title="Other", version=version)
