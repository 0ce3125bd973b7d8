"""Admin views of cases, clients and invitations: a user's, or found by id or address."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.admin_pages import (
    PAGE_SIZE,
    Button,
    Cell,
    Page,
    Search,
    Table,
    admin_of,
    audit_link,
    change,
    record_url,
    show,
)
from accounts.admin_site import register_records
from cases import admin_holds, invitations
from cases.case_parts import owner_status
from cases.colleagues import Colleague, get_colleagues
from cases.space import Access
from cases.tables import Case, Client, Invitation
from filevault.dynamo import is_id
from filevault.errors import Invalid, NotFound
from filevault.mail import address_hash
from filevault.paging import Page as Listed
from filevault.paging import open_cursor, read_page

STATES: Final = ("open", "closed", "deleted")
_CASE_BADGES: Final = {"open": "open", "closed": "closed", "deleted": "deleted"}


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """A case by its exact id, or the invitations of a client by id or e-mail."""
    asked = request.GET.get("q", "").strip()
    page = Page(
        _("Cases"),
        note=_(
            "Search by the exact id of a case or client, or by a client's e-mail address. "
            "A practitioner's cases are listed from the user's page."
        ),
        search=Search(_("Id or e-mail"), asked),
        tables=_found(asked) if asked else [],
    )
    return show(request, page, target="cases")


def _found(asked: str) -> list[Table]:
    case = Case.fetch(asked) if is_id(asked) else None
    if case is not None:
        return [_case_table([case])]
    client_ids = [asked] if is_id(asked) else [row.client_id for row in _clients_of(asked)]
    return [_invitation_table([row for each in client_ids for row in _invitations_of(each)])]


def _clients_of(address: str) -> list[Client]:
    """Clients of an address, in anybody's address book. The index only lists."""
    digest = address_hash(address)
    listed = Client.by_email_hash.query(digest, limit=PAGE_SIZE)
    rows = Client.fetch_many((row.user_id, row.client_id) for row in listed)
    return [row for row in rows if row.email_hash == digest]


def _invitations_of(client_id: str) -> list[Invitation]:
    listed = Invitation.by_client.query(client_id, limit=PAGE_SIZE)
    return Invitation.fetch_many((row.case_id, row.client_id) for row in listed)


@require_safe
def of_user(request: HttpRequest, user_id: str) -> HttpResponse:
    """A practitioner's cases of one state, newest first."""
    state = request.GET.get("state", "open")
    if state not in STATES:
        raise Invalid(_("There is no such state of a case."))
    listed = _list(user_id, state, request.GET.get("cursor", ""))
    more_url = record_url("cases_of", user_id, state=state, cursor=listed.cursor)
    page = Page(
        _("Cases of a user"),
        parents=[(_("User"), record_url("user", user_id))],
        links=[
            (_state_label(each), record_url("cases_of", user_id, state=each)) for each in STATES
        ],
        tables=[_case_table(listed.items, _state_label(state), more_url if listed.cursor else "")],
    )
    return show(request, page, target=f"cases-of:{user_id}")


def _list(user_id: str, state: str, cursor: str) -> Listed[Case]:
    """The index lists, and the rows are read again."""
    scope = f"admin:cases:{user_id}:{state}"
    rows = Case.by_status.query(
        owner_status(user_id, state),
        scan_index_forward=False,
        limit=PAGE_SIZE,
        last_evaluated_key=open_cursor(cursor, scope=scope),
    )
    listed = read_page(rows, scope=scope)
    cases = {case.case_id: case for case in Case.fetch_many(row.case_id for row in listed.items)}
    there = [cases[row.case_id] for row in listed.items if row.case_id in cases]
    return Listed(there, listed.cursor)


@require_safe
def detail(request: HttpRequest, case_id: str) -> HttpResponse:
    """A case as it is recorded, without its notes, and who may enter it."""
    case = Case.fetch(case_id)
    if case is None:
        raise NotFound
    clients = Client.fetch_many((case.user_id, client_id) for client_id in case.client_ids)
    names = {client.client_id: client.name for client in clients}
    page = Page(
        case.title or case_id,
        parents=[
            (_("User"), record_url("user", case.user_id)),
            (_("Cases"), record_url("cases_of", case.user_id)),
        ],
        links=_links(case),
        facts=_facts(case),
        tables=[
            _invitation_table(list(Invitation.query(case_id, consistent_read=True)), names=names),
            _colleague_table(get_colleagues(case)),
        ],
    )
    return show(request, page, target=audit.case_stream(case_id))


def _links(case: Case) -> list[tuple[str, str]]:
    files = (_("Files"), record_url("files_of", f"case:{case.case_id}"))
    hold = (_("Legal hold"), record_url("case_hold", case.case_id))
    trail = audit_link(audit.case_stream(case.case_id))
    return [files, trail] if case.status == "deleted" else [files, hold, trail]


def _facts(case: Case) -> list[tuple[str, Cell]]:
    return [
        (_("Id"), Cell(case.case_id)),
        (_("State"), Cell(_state_label(case.status), badge=_CASE_BADGES.get(case.status, ""))),
        (_("Owner"), Cell(case.user_id, record_url("user", case.user_id))),
        (_("Reference"), Cell(case.reference)),
        (_("Entry"), Cell(_("link only") if case.link_only else _("link and code"))),
        (_("Files"), Cell(int(case.file_count))),
        (_("Bytes"), Cell(int(case.bytes_used))),
        (pgettext("case", "Opened"), Cell(case.created_at)),
        (_("Changed"), Cell(case.updated_at)),
        (_("Closed"), Cell(case.closed_at)),
        (_("Kept until"), Cell(case.retain_until)),
        (_("Held since"), Cell(case.held_at)),
        (_("Deleted"), Cell(case.deleted_at)),
    ]


def _case_table(cases: list[Case], title: str = "", more_url: str = "") -> Table:
    rows = [
        [
            Cell(case.title or case.case_id, record_url("case", case.case_id)),
            Cell(case.reference),
            Cell(_state_label(case.status), badge=_CASE_BADGES.get(case.status, "")),
            Cell(int(case.file_count)),
            Cell(case.updated_at),
        ]
        for case in cases
    ]
    columns = [_("Title"), _("Reference"), _("State"), _("Files"), _("Changed")]
    return Table(title or _("Cases"), columns, rows, _("No cases."), more_url)


def _invitation_table(found: list[Invitation], *, names: dict[str, str] | None = None) -> Table:
    rows = [
        [
            Cell((names or {}).get(each.client_id, each.client_id)),
            Cell(each.case_id, record_url("case", each.case_id)),
            Cell(each.access, badge="active" if each.access == "active" else "revoked"),
            Cell(each.mail_state or ""),
            Cell(each.opened_at),
            Cell(each.last_used_at),
            Cell(each.expires_at),
            _revocation(each),
        ]
        for each in found
    ]
    columns = [
        _("Client"),
        _("Case"),
        _("Access"),
        _("Mail"),
        _("Opened"),
        _("Last used"),
        _("Expires"),
        _("End it"),
    ]
    return Table(_("Invitations"), columns, rows, _("No invitations."))


def _colleague_table(found: list[Colleague]) -> Table:
    rows = [
        [
            Cell(each.email),
            Cell(each.user_id, record_url("user", each.user_id) if each.user_id else ""),
            Cell(_access_label(each.access)),
            Cell(each.since),
        ]
        for each in found
    ]
    columns = [_("E-mail"), _("User"), _("Access"), _("Shared since")]
    return Table(_("Colleagues"), columns, rows, _("Shared with nobody."))


def _access_label(access: Access) -> str:
    return _("read and write") if access == Access.WRITE else _("read only")


def _revocation(invitation: Invitation) -> Button | Cell:
    if invitation.access != "active":
        return Cell(invitation.revoked_at)
    url = record_url("invitation_revoke", invitation.case_id, invitation.client_id)
    return Button(_("Revoke"), url, is_dangerous=True)


def _state_label(state: str) -> str:
    labels = {"open": _("Open"), "closed": _("Closed"), "deleted": _("Deleted")}
    return labels.get(state, state)


def _case_url(case_id: str, client_id: str) -> str:
    return record_url("case", case_id)


@change(_case_url, gettext_lazy("The invitation is revoked. Its link and sessions are dead."))
def revoke(request: HttpRequest, case_id: str, client_id: str) -> None:
    invitations.revoke_any(admin_of(request), case_id, client_id)


register_records(
    gettext_lazy("Cases"),
    "cases",
    ("", "cases", search),
    ("of/<id:user_id>/", "cases_of", of_user),
    ("<id:case_id>/", "case", detail),
    ("<id:case_id>/hold", "case_hold", admin_holds.detail),
    ("<id:case_id>/lift", "case_lift", admin_holds.lift),
    ("<id:case_id>/<id:client_id>/revoke", "invitation_revoke", revoke),
    place=20,
    of_user=(gettext_lazy("Cases"), "cases_of"),
)
