"""Legal holds beat every deletion (T5): the rules, on moto."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from accounts.actors import Practitioner
from cases import cases, clients, holds
from cases.retention import RETAIN_JOB
from cases.tables import Case
from files import deletion, purge, uploads
from files.checking import PURGE_JOB
from files.storage import case_storage
from files.sweeping import Sweep
from files.tables import File
from filevault.dynamo import new_id, now
from filevault.errors import Forbidden, Invalid, NotFound, OnHold
from tests.accounts.test_admin import make_user, signed_in
from tests.cases.casework import (
    actions_in,
    actor_of,
    again,
    arrived,
    make_case,
    make_client,
    space_of,
)
from tests.cases.endings import closed_case, days_later, live_through, run, state_of
from tests.cases.invited import sign_in
from tests.cast import Cast, make_practitioner
from tests.due import waiting
from tests.faults.wire import Wire, meanwhile
from tests.files.space import row

pytestmark = pytest.mark.usefixtures("bucket")

WHY = "Lawsuit 4 C 117/27"


@pytest.fixture
def admin() -> Practitioner:
    person = make_practitioner("Ada Min", "ada.min@example.test", 9)
    return Practitioner(person.user_id, "Ada Min", "", person.email, is_admin=True)


def hold(actor: Practitioner, case: Case) -> Case:
    return holds.place(actor, case.case_id, reason=WHY)


def versions(file: File) -> int:
    return len(case_storage().list_versions(file.s3_key))


def later(days: float) -> None:
    with time_machine.travel(now() + timedelta(days=days), tick=True):
        run()


# --- Placing and lifting ---


def test_a_hold_has_a_reason_and_both_ends_are_recorded(cast: Cast) -> None:
    case = make_case(cast.a, make_client(cast.a))
    held = holds.place(cast.a, case.case_id, reason=f"  {WHY}\r\n")
    assert (held.hold_reason, held.held_by) == (WHY, cast.a.actor_id)
    assert holds.place(cast.a, case.case_id, reason="Another").hold_reason == WHY
    for _ in range(2):
        lifted = holds.lift(cast.a, case.case_id)
    assert {lifted.held_at, lifted.held_by, lifted.hold_reason} == {None}
    assert actions_in(f"case:{case.case_id}") == [
        "case:created",
        "case:hold_set",
        "case:hold_lifted",
    ]


@pytest.mark.parametrize("reason", ["", " \n", "x" * 501, "a\x00b", "\ud800", "\u202etxt"])
def test_a_bad_reason_is_named_and_holds_nothing(cast: Cast, reason: str) -> None:
    case = make_case(cast.a, make_client(cast.a))
    with pytest.raises(Invalid) as refused:
        holds.place(cast.a, case.case_id, reason=reason)
    assert list(refused.value.fields) == ["reason"]
    assert again(case).held_at is None


def test_strangers_place_and_lift_nothing_Z2(cast: Cast) -> None:
    case = make_case(cast.a, make_client(cast.a))
    with pytest.raises(NotFound):
        hold(cast.b, case)
    hold(cast.a, case)
    with pytest.raises(NotFound):
        holds.lift(cast.b, case.case_id)
    assert again(case).held_at is not None


def test_what_an_admin_holds_an_admin_lifts(cast: Cast, admin: Practitioner) -> None:
    case = make_case(cast.a, make_client(cast.a))
    hold(admin, case)
    with pytest.raises(Forbidden):
        holds.lift(cast.a, case.case_id)
    assert again(case).held_at is not None
    assert holds.lift(admin, case.case_id).held_at is None
    hold(cast.a, case)
    assert holds.lift(admin, case.case_id).held_at is None
    cases.delete_case(cast.a, case.case_id)
    with pytest.raises(NotFound):
        hold(admin, case)


def test_an_owner_who_holds_a_case_first_keeps_no_admin_from_it(
    cast: Cast, admin: Practitioner
) -> None:
    case = make_case(cast.a, make_client(cast.a))
    hold(cast.a, case)
    held = holds.place(admin, case.case_id, reason="Court order")
    assert (held.held_by, held.hold_reason) == (admin.actor_id, "Court order")
    with pytest.raises(Forbidden):
        holds.lift(cast.a, case.case_id)
    with pytest.raises(OnHold):
        cases.delete_case(cast.a, case.case_id)
    for actor in (admin, cast.a):
        assert holds.place(actor, case.case_id, reason="Another").hold_reason == "Court order"
    assert actions_in(f"case:{case.case_id}") == ["case:created", *["case:hold_set"] * 2]


# --- What it keeps ---


def test_nobody_deletes_a_file_of_a_held_case_T5(cast: Cast) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    theirs, mine = arrived(case, actor_of(case, client)), arrived(case, cast.a)
    hold(cast.a, case)
    for actor, file in ((actor_of(case, client), theirs), (cast.a, theirs), (cast.a, mine)):
        with pytest.raises(OnHold):
            deletion.delete(actor, space_of(case), file.file_id)
        assert not deletion.can_delete(space_of(case), actor, row(file))
    with pytest.raises(Forbidden):
        deletion.delete(actor_of(case, client), space_of(case), mine.file_id)
    later(2)
    assert [row(file).state for file in (theirs, mine)] == ["AVAILABLE"] * 2
    holds.lift(cast.a, case.case_id)
    deletion.delete(actor_of(case, client), space_of(case), theirs.file_id)
    later(2)
    assert [versions(file) for file in (theirs, mine)] == [0, 1]


def test_a_held_case_can_be_used_closed_and_opened(cast: Cast) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    hold(cast.a, case)
    assert arrived(case, actor_of(case, client)).state == "AVAILABLE"
    assert cases.close_case(cast.a, case.case_id).held_at is not None
    assert cases.reopen_case(cast.a, case.case_id).held_at is not None


def test_a_held_case_is_not_deleted_T5(cast: Cast) -> None:
    case = make_case(cast.a, make_client(cast.a))
    hold(cast.a, case)
    with pytest.raises(OnHold):
        cases.delete_case(cast.a, case.case_id)
    assert (again(case).status, again(case).title) == ("open", case.title)


def test_a_client_of_a_held_case_stays_T5(cast: Cast, wire: Wire) -> None:
    client = make_client(cast.a)
    case = closed_case(cast.a, client)
    wire.add("TransactWriteItems", meanwhile(lambda: hold(cast.a, case)))
    for _ in range(2):  # a hold that comes in the last moment, and one that is there
        with pytest.raises(OnHold):
            clients.delete_client(cast.a, client.client_id)
    page = sign_in(cast.a).post(f"/clients/{client.client_id}/delete/")
    assert page.status_code == 409
    assert "under a legal hold" in page.content.decode()
    assert again(client).name == "Maria Keller"
    holds.lift(cast.a, case.case_id)
    clients.delete_client(cast.a, client.client_id)
    assert again(client) is None


@pytest.mark.parametrize("what", ["case", "file"])
def test_a_hold_that_comes_in_the_last_moment_is_in_time_T5(
    cast: Cast, wire: Wire, what: str
) -> None:
    """It was read that there is none, and the deletion is on its way."""
    case = make_case(cast.a, make_client(cast.a))
    file, space = arrived(case, cast.a), space_of(case)
    wire.add("TransactWriteItems", meanwhile(lambda: hold(cast.a, case)))
    delete: dict[str, Callable[[], None]] = {
        "case": lambda: cases.delete_case(cast.a, case.case_id),
        "file": lambda: deletion.delete(cast.a, space, file.file_id),
    }
    with pytest.raises(OnHold):
        delete[what]()
    later(2)
    assert (state_of(case), row(file).state, versions(file)) == ("open", "AVAILABLE", 1)


def test_retention_waits_for_a_hold_T5(cast: Cast) -> None:
    client = make_client(cast.a)
    with days_later(0):
        case = make_case(cast.a, client)
        file = arrived(case, cast.a)
    case = closed_case(cast.a, client)
    with days_later(40):
        hold(cast.a, case)
    live_through(until=120)
    assert state_of(case) == "closed"
    assert "case:deletion_warned" not in actions_in(f"case:{case.case_id}")
    assert versions(file) == 1


def test_after_a_hold_what_is_over_has_a_week(cast: Cast) -> None:
    case = closed_case(cast.a)
    with days_later(40):
        hold(cast.a, case)
    live_through(until=100)
    with days_later(101):
        assert holds.lift(cast.a, case.case_id).retain_until > now() + timedelta(days=7)
    live_through(until=108)
    assert state_of(case) == "closed"
    live_through(until=109)
    assert state_of(case) == "deleted"
    assert actions_in(f"case:{case.case_id}").count("case:deletion_warned") == 2


def test_a_hold_that_is_lifted_early_leaves_the_end_where_it_was(cast: Cast) -> None:
    case = closed_case(cast.a)
    with days_later(10):
        hold(cast.a, case)
        assert holds.lift(cast.a, case.case_id).retain_until == case.retain_until
    live_through(until=91)
    assert (state_of(case), waiting(RETAIN_JOB)) == ("deleted", [])
    assert actions_in(f"case:{case.case_id}").count("case:deletion_warned") == 3


def test_a_hold_while_retention_deletes_is_in_time_T5(cast: Cast, wire: Wire) -> None:
    case = closed_case(cast.a)
    live_through(until=90)
    wire.add("TransactWriteItems", meanwhile(lambda: hold(cast.a, case)))
    with days_later(91):
        run()
    assert (state_of(case), again(case).title) == ("closed", case.title)


# --- Bytes ---


def test_a_hold_keeps_the_bytes_of_what_was_deleted_before_T5(cast: Cast) -> None:
    case = make_case(cast.a, make_client(cast.a))
    file = arrived(case, cast.a)
    deletion.delete(cast.a, space_of(case), file.file_id)
    hold(cast.a, case)
    for days in (0.1, 2, 3):  # its purge, and the end of its upload
        later(days)
    assert row(file).purged_at is None
    assert versions(file) == 1
    sweep = Sweep(now() + timedelta(days=5), repairs=frozenset())
    while sweep.step():
        pass
    assert sweep.left == 0, "it is no leftover"
    holds.lift(cast.a, case.case_id)
    later(4)
    assert row(file).purged_at is not None
    assert (versions(file), waiting(PURGE_JOB)) == (0, [])


def test_an_upload_that_never_arrived_ends_all_the_same(cast: Cast) -> None:
    case = make_case(cast.a, make_client(cast.a))
    file, _post = uploads.begin(cast.a, space_of(case), file_name="a.pdf", size=5)
    hold(cast.a, case)
    with time_machine.travel(now() + timedelta(days=2), tick=True):
        while purge.end_upload(file.space_id, file.file_id) is not None:
            pass
    assert (row(file).state, row(file).purged_at is not None) == ("EXPIRED", True)


# --- The admin's page ---


@pytest.mark.django_db
def test_an_admin_places_and_lifts_a_hold_by_a_page(cast: Cast) -> None:
    office = signed_in(make_user("ada", is_admin=True))
    case = make_case(cast.a, make_client(cast.a))
    page = f"/admin/records/cases/{case.case_id}/hold"
    assert page in office.get(f"/admin/records/cases/{case.case_id}/").content.decode()
    for bad in ("", "x" * 501):
        assert office.post(page, {"reason": bad}).status_code == 422
        assert again(case).held_at is None
    assert WHY in office.post(page, {"reason": WHY}).content.decode()
    assert again(case).held_at is not None
    anna = sign_in(cast.a)
    assert anna.get(f"/cases/{case.case_id}/hold/lift/").status_code == 403
    assert anna.post(f"/cases/{case.case_id}/hold/lift/").status_code == 403
    assert again(case).held_at is not None
    assert office.get(page.replace("hold", "lift")).status_code == 405
    assert office.post(page.replace("hold", "lift")).status_code == 302
    assert again(case).held_at is None
    assert office.get(page.replace(case.case_id, new_id())).status_code == 404


@pytest.mark.django_db
def test_an_admins_page_takes_over_the_hold_of_an_owner(cast: Cast) -> None:
    office = signed_in(make_user("ada", is_admin=True))
    case = hold(cast.a, make_case(cast.a, make_client(cast.a)))
    page = f"/admin/records/cases/{case.case_id}/hold"
    asked = office.get(page).content.decode()
    assert WHY in asked
    assert 'name="reason"' in asked
    shown = office.post(page, {"reason": "Court order"}).content.decode()
    assert "Court order" in shown
    assert 'name="reason"' not in shown
    assert sign_in(cast.a).post(f"/cases/{case.case_id}/hold/lift/").status_code == 403
