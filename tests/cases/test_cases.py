"""Cases: who is on them, how they close and go, and what that does to their clients."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from cases import cases, clients, invitations
from cases.overview import get_overview
from cases.seen import mark_seen, new_files
from cases.tables import Case, Invitation, Seen
from files import deletion, uploads
from files.spaces import Ability, get_space
from files.tables import File
from filevault import jobs
from filevault.dynamo import new_id, now
from filevault.errors import Forbidden, Invalid, NotFound
from tests.cases.casework import (
    actions_in,
    actor_of,
    again,
    arrived,
    edit,
    make_case,
    make_client,
    space_of,
    terms_of,
)
from tests.cast import Cast
from tests.faults.wire import Wire, meanwhile
from tests.files.samples import PDF

SURROGATE = "\ud800"


def test_a_case_is_kept_with_its_event_words_and_counters(cast: Cast) -> None:
    maria, jonas = make_client(cast.a, "Maria"), make_client(cast.a, "Jonas")
    made = cases.create_case(
        cast.a,
        title=" Keller v.  Brandt ",
        reference="2026-0417",
        notes="for me",
        client_ids=[maria.client_id, jonas.client_id, maria.client_id],
        link_only=True,
    )
    case = cases.get_case(cast.a, made.case_id)
    assert (case.title, case.reference, case.notes) == ("Keller v. Brandt", "2026-0417", "for me")
    assert (case.status, case.link_only) == ("open", True)
    assert case.client_ids == [maria.client_id, jonas.client_id]
    assert terms_of(case.case_id) == {"keller", "v", "brandt", "2026", "0417"}
    assert [again(client).open_cases for client in (maria, jonas)] == [1, 1]
    assert actions_in(f"case:{case.case_id}") == ["case:created"]
    assert [c.case_id for c in cases.cases_of(cast.a, again(maria))] == [case.case_id]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 201),
        ("title", "x" * 10_000),
        ("title", "a\x00b"),
        ("title", SURROGATE),
        ("title", "\u202egnp.exe"),
        ("reference", "x" * 61),
        ("reference", SURROGATE),
        ("notes", "x" * 5_001),
        ("notes", "\x00"),
        ("client_ids", []),
        ("client_ids", ["x" * 10_000]),
        ("client_ids", [SURROGATE]),
        ("client_ids", [""]),
        ("client_ids", [str(number) for number in range(21)]),
    ],
)
def test_bad_input_is_named_by_field_and_nothing_is_kept(
    cast: Cast, field: str, value: Any
) -> None:
    client = make_client(cast.a)
    good: dict[str, Any] = {"title": "Title", "client_ids": [client.client_id], "link_only": False}
    with pytest.raises(Invalid) as refused:
        cases.create_case(cast.a, **(good | {field: value}))
    assert list(refused.value.fields) == ["clients" if field == "client_ids" else field]
    assert not list(Case.scan())
    assert again(client).open_cases == 0


def test_twenty_clients_and_forty_words_fit_into_one_transaction(cast: Cast, wire: Wire) -> None:
    people = [make_client(cast.a, f"Client {number}") for number in range(20)]
    wire.calls.clear()
    title = " ".join(f"w{number}" for number in range(60))[:200].strip()
    case = make_case(cast.a, *people, title=title)
    (sent,) = wire.sent("TransactWriteItems")
    assert len(sent["TransactItems"]) == 62
    wire.calls.clear()
    cases.delete_case(cast.a, case.case_id)
    (sent,) = wire.sent("TransactWriteItems")
    assert len(sent["TransactItems"]) <= 100


def test_a_change_of_too_much_at_once_is_refused_whole(cast: Cast) -> None:
    people = [make_client(cast.a, f"Client {number}") for number in range(21)]
    words = [f"w{number}" for number in range(100)]
    case = make_case(cast.a, *people[:20], title=" ".join(words[:40]))
    for client in people[:20]:
        invitations.send(cast.a, case.case_id, client.client_id)
    with pytest.raises(Invalid) as refused:
        edit(cast.a, case, title=" ".join(words[40:80]), client_ids=[people[20].client_id])
    assert list(refused.value.fields) == ["clients"]
    assert again(case).title == case.title
    assert again(people[0]).open_cases == 1


def test_the_clients_of_others_are_refused(cast: Cast) -> None:
    theirs = make_client(cast.b)
    with pytest.raises(Invalid):
        make_case(cast.a, theirs)
    case = make_case(cast.a, make_client(cast.a))
    with pytest.raises(Invalid):
        edit(cast.a, case, client_ids=[*case.client_ids, theirs.client_id])
    assert again(theirs).open_cases == 0


def test_the_same_form_twice_makes_one_case(cast: Cast) -> None:
    client, once = make_client(cast.a), new_id()
    details: dict[str, Any] = {
        "title": "T",
        "client_ids": [client.client_id],
        "link_only": False,
        "case_id": once,
    }
    assert {cases.create_case(cast.a, **details).case_id for _ in range(2)} == {once}
    assert again(client).open_cases == 1
    with pytest.raises(clients.AlreadySaved):
        cases.create_case(cast.a, **(details | {"title": "Another"}))
    theirs = make_client(cast.b)
    with pytest.raises(NotFound):
        cases.create_case(cast.b, **(details | {"client_ids": [theirs.client_id]}))


def test_an_edit_moves_words_people_and_counters(cast: Cast) -> None:
    maria, jonas, lena = (make_client(cast.a, name) for name in ("Maria", "Jonas", "Lena"))
    case = make_case(cast.a, maria, jonas)
    invitations.send(cast.a, case.case_id, maria.client_id)
    edit(cast.a, case, title="Keller v. Weber", client_ids=[jonas.client_id, lena.client_id])
    assert terms_of(case.case_id) == {"keller", "v", "weber"}
    assert [again(client).open_cases for client in (maria, jonas, lena)] == [0, 1, 1]
    invitation = Invitation.fetch(case.case_id, maria.client_id)
    assert invitation is not None
    assert invitation.access == "revoked"
    assert cases.cases_of(cast.a, again(maria)) == []
    assert not space_of(case).abilities(actor_of(case, maria))
    assert {"case:edited", "invitation:revoked"} <= set(actions_in(f"case:{case.case_id}"))


def test_stale_edits_change_nothing(cast: Cast, wire: Wire) -> None:
    case = make_case(cast.a, make_client(cast.a))
    edit(cast.a, case, title="First")
    with pytest.raises(clients.ChangedMeanwhile):
        edit(cast.a, case, title="Stale", version=case.event_id)
    wire.add("TransactWriteItems", meanwhile(lambda: edit(cast.a, case, title="Meanwhile")))
    with pytest.raises(clients.ChangedMeanwhile):
        edit(cast.a, case, title="Late")
    assert again(case).title == "Meanwhile"
    assert terms_of(case.case_id) == {"meanwhile"}


def test_closing_and_reopening_count_once(cast: Cast) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    for _ in range(2):
        assert cases.close_case(cast.a, case.case_id).status == "closed"
        assert again(client).open_cases == 0
    assert again(case).closed_at is not None
    for _ in range(2):
        assert cases.reopen_case(cast.a, case.case_id).status == "open"
        assert again(client).open_cases == 1
    assert again(case).closed_at is None
    events = ["case:created", "case:closed", "case:reopened"]
    assert actions_in(f"case:{case.case_id}") == events


def test_closing_twice_at_once_counts_once(cast: Cast, wire: Wire) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    wire.add("TransactWriteItems", meanwhile(lambda: cases.close_case(cast.a, case.case_id)))
    assert cases.close_case(cast.a, case.case_id).status == "closed"
    assert again(client).open_cases == 0
    assert actions_in(f"case:{case.case_id}") == ["case:created", "case:closed"]


def test_a_closed_case_opens_without_who_was_deleted(cast: Cast) -> None:
    maria, jonas = make_client(cast.a, "Maria"), make_client(cast.a, "Jonas")
    case = make_case(cast.a, maria, jonas)
    cases.close_case(cast.a, case.case_id)
    clients.delete_client(cast.a, maria.client_id)
    assert cases.reopen_case(cast.a, case.case_id).client_ids == [jonas.client_id]
    assert again(maria) is None
    assert again(jonas).open_cases == 1


def test_people_of_a_closed_case_change_no_counter(cast: Cast) -> None:
    maria, jonas = make_client(cast.a, "Maria"), make_client(cast.a, "Jonas")
    case = make_case(cast.a, maria)
    cases.close_case(cast.a, case.case_id)
    edit(cast.a, case, client_ids=[jonas.client_id])
    assert [again(client).open_cases for client in (maria, jonas)] == [0, 0]


def test_strangers_find_nothing_Z2(cast: Cast) -> None:
    case = make_case(cast.a, make_client(cast.a))
    for case_id in (case.case_id, new_id(), case.case_id[:-1], "", SURROGATE):
        with pytest.raises(NotFound):
            cases.get_case(cast.b, case_id)
        for act in (cases.close_case, cases.reopen_case, cases.delete_case):
            with pytest.raises(NotFound):
                act(cast.b, case_id)
    assert again(case).status == "open"
    assert cases.list_cases(cast.b, "open").items == []


@pytest.mark.settled
def test_deletion_is_by_exact_id_and_leaves_a_tombstone_Z9(cast: Cast) -> None:
    client = make_client(cast.a)
    case, other = make_case(cast.a, client, title="Canary"), make_case(cast.a, client)
    for prefix in (case.case_id[:-1], case.case_id[:13], f"{case.case_id}0"):
        with pytest.raises(NotFound):
            cases.delete_case(cast.a, prefix)
    cases.delete_case(cast.a, case.case_id)
    tombstone = again(case)
    assert (tombstone.status, tombstone.title) == ("deleted", "")
    assert not terms_of(case.case_id)
    assert again(client).open_cases == 1
    assert not space_of(case).abilities(cast.a)
    with pytest.raises(NotFound):
        cases.get_case(cast.a, case.case_id)
    with pytest.raises(NotFound):
        cases.delete_case(cast.a, case.case_id)
    assert [c.case_id for c in cases.list_cases(cast.a, "open").items] == [other.case_id]
    assert [c.case_id for c in cases.cases_of(cast.a, again(client))] == [other.case_id]


def test_deleting_a_closed_case_counts_nobody_down(cast: Cast) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    cases.close_case(cast.a, case.case_id)
    cases.delete_case(cast.a, case.case_id)
    assert again(client).open_cases == 0
    assert cases.cases_of(cast.a, again(client)) == []


@pytest.mark.usefixtures("bucket")
def test_the_purge_takes_files_invitations_and_traces_T4(cast: Cast) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    invitations.send(cast.a, case.case_id, client.client_id)
    file = arrived(case, cast.a)
    mark_seen(cast.a, case)
    cases.delete_case(cast.a, case.case_id)
    while jobs.run_due("test", kinds={cases.PURGE_JOB}):
        pass
    row = File.fetch(file.space_id, file.file_id)
    assert row is not None
    assert (row.state, row.purged_at is not None) == ("DELETED", True)
    invitation = Invitation.fetch(case.case_id, client.client_id)
    assert invitation is not None
    assert invitation.access == "revoked"
    assert Seen.fetch(cast.a.user_id, case.case_id) is None


@pytest.mark.settled
def test_the_list_is_newest_first_in_pages_and_by_state(cast: Cast) -> None:
    client = make_client(cast.a)
    made = [make_case(cast.a, client, title=f"Case {number}") for number in range(5)]
    cases.close_case(cast.a, made[0].case_id)
    edit(cast.a, made[1], title="Touched last")
    first = cases.list_cases(cast.a, "open", limit=3)
    rest = cases.list_cases(cast.a, "open", limit=3, cursor=first.cursor)
    titles = [case.title for case in first.items + rest.items]
    assert titles == ["Touched last", "Case 4", "Case 3", "Case 2"]
    assert [case.title for case in cases.list_cases(cast.a, "closed").items] == ["Case 0"]
    with pytest.raises(Invalid):
        cases.list_cases(cast.a, "closed", cursor=first.cursor)


# --- The space ---


def test_what_each_may_do_with_the_files(cast: Cast) -> None:
    maria, other = make_client(cast.a, "Maria"), make_client(cast.a, "Other")
    case = make_case(cast.a, maria)
    stranger = make_case(cast.a, other)
    every = {Ability.READ, Ability.UPLOAD}
    space = space_of(case)
    assert space.abilities(cast.a) == every | {Ability.DELETE_ANY, Ability.MANAGE}
    assert space.abilities(actor_of(case, maria)) == every | {Ability.DELETE_OWN}
    assert not space.abilities(cast.b)
    assert not space.abilities(actor_of(case, other))
    assert not space.abilities(actor_of(stranger, maria))
    cases.close_case(cast.a, case.case_id)
    space = space_of(case)
    assert space.abilities(cast.a) == {Ability.READ, Ability.DELETE_ANY, Ability.MANAGE}
    assert space.abilities(actor_of(case, maria)) == {Ability.READ}
    cases.delete_case(cast.a, case.case_id)
    space = space_of(case)
    assert not space.abilities(cast.a)
    assert not space.abilities(actor_of(case, maria))
    with pytest.raises(NotFound):
        get_space(cast.a, space.space_id)


def test_an_upload_into_a_case_that_closes_meanwhile_is_refused(cast: Cast, wire: Wire) -> None:
    case = make_case(cast.a, make_client(cast.a))
    wire.add("TransactWriteItems", meanwhile(lambda: cases.close_case(cast.a, case.case_id)))
    with pytest.raises(Forbidden):
        uploads.begin(cast.a, space_of(case), file_name="a.pdf", size=5)
    assert not list(File.scan())


@pytest.mark.usefixtures("bucket")
def test_files_are_counted_and_named_by_who_sent_them(cast: Cast) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    arrived(case, actor_of(case, client))
    mine = arrived(case, cast.a)
    counted = again(case)
    assert (counted.file_count, counted.bytes_used) == (2, 2 * len(PDF))
    assert counted.event_id == case.event_id
    names = space_of(case).names_of({f"client:{client.client_id}", f"user:{cast.a.user_id}"})
    assert set(names.values()) == {"Maria Keller", "Dr Anna Novak"}
    deletion.delete(cast.a, space_of(case), mine.file_id)
    assert (again(case).file_count, again(case).bytes_used) == (1, len(PDF))
    cases.close_case(cast.a, case.case_id)
    clients.delete_client(cast.a, client.client_id)
    assert space_of(case).names_of({f"client:{client.client_id}"}) == {
        f"client:{client.client_id}": "Former client"
    }


# --- The start page ---


@pytest.mark.usefixtures("bucket")
def test_new_is_what_others_added_since_the_last_visit(cast: Cast) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    arrived(case, cast.a)
    assert new_files(cast.a, [again(case)]) == {case.case_id: 0}
    arrived(case, actor_of(case, client))
    arrived(case, actor_of(case, client))
    assert new_files(cast.a, [again(case)]) == {case.case_id: 2}
    mark_seen(cast.a, case)
    assert new_files(cast.a, [again(case)]) == {}
    with time_machine.travel(now() + timedelta(minutes=1), tick=True):
        arrived(case, actor_of(case, client))
        assert new_files(cast.a, [again(case)]) == {case.case_id: 1}


@pytest.mark.settled
def test_the_overview_shows_what_waits(cast: Cast) -> None:
    assert not get_overview(cast.a).has_clients
    maria, jonas = make_client(cast.a, "Maria"), make_client(cast.a, "Jonas")
    overview = get_overview(cast.a)
    assert (overview.has_clients, overview.has_cases) == (True, False)
    case = make_case(cast.a, maria, jonas)
    for client in (maria, jonas):
        invitations.send(cast.a, case.case_id, client.client_id)
    assert get_overview(cast.a).attention == []
    Invitation(case.case_id, maria.client_id).update([Invitation.wished_at.set(now())])
    Invitation(case.case_id, jonas.client_id).update([Invitation.mail_state.set("dead")])
    overview = get_overview(cast.a)
    assert {
        (item.kind, item.client.name if item.client else "") for item in overview.attention
    } == {
        ("wish", "Maria"),
        ("bounced", "Jonas"),
    }
    assert [row.case.case_id for row in overview.rows] == [case.case_id]
    assert get_overview(cast.b).rows == []
