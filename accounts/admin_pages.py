"""The pages of the admin's record views: what one may hold, and showing it with an audit event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import audit
from accounts.actors import Practitioner
from accounts.audit import Action
from filevault.errors import DomainError, Forbidden, Invalid

#: Rows of a page of records.
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """One value; `url` makes it a link, `badge` one of the style sheet's states."""

    value: Any
    url: str = ""
    badge: str = ""

    @property
    def is_moment(self) -> bool:
        return isinstance(self.value, datetime)


@dataclass(frozen=True, slots=True)
class Button:
    """A change that one click makes by POST."""

    label: str
    url: str
    fields: dict[str, str] = field(default_factory=dict)
    is_dangerous: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A form that asks for a text before something is done. `error` says what is wrong with the one
    that was sent."""

    title: str
    field: str
    label: str
    note: str
    button: str
    url: str
    least: int
    most: int
    value: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells and buttons, as many as `columns`; `more_url` leads to the next page."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell | Button]]
    empty: str
    more_url: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """A form that looks for one record, by exact id or address."""

    label: str
    value: str = ""
    parameter: str = "q"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the admin area over records; all parts but the title may be left out."""

    title: str
    parents: Sequence[tuple[str, str]] = ()
    note: str = ""
    search: Search | None = None
    links: Sequence[tuple[str, str]] = ()
    facts: Sequence[tuple[str, Cell]] = ()
    buttons: Sequence[Button] = ()
    ask: Ask | None = None
    tables: Sequence[Table] = ()


def error_of(refusal: Invalid, field: str) -> str:
    """What an `Ask` says of the text that a rule refused."""
    return str(refusal.fields.get(field, refusal.message))


def show(request: HttpRequest, page: Page, *, target: str, status: int = 200) -> HttpResponse:
    """Render a page once it is recorded that this admin looked at `target` (ids only, T2)."""
    actor = admin_of(request)
    audit.record_alone(audit.user_stream(actor.user_id), Action.ADMIN_VIEW, actor, target=target)
    context = admin.site.each_context(request) | {"title": page.title, "page": page}
    return render(request, "admin/records/page.html", context, status=status)


def admin_of(request: HttpRequest) -> Practitioner:
    """The admin who asks; `Forbidden` for anybody else, whatever the site let through."""
    actor = getattr(request, "actor", None)
    if not isinstance(actor, Practitioner) or not actor.is_admin:
        raise Forbidden
    return actor


def change(
    back_to: Callable[..., str], done: Any
) -> Callable[[Callable[..., None]], Callable[..., HttpResponse]]:
    """Make a POST view of a function that changes a record. A refusal is said on the page that
    one comes back to; `back_to` makes its address from the route's arguments."""

    def decorate(function: Callable[..., None]) -> Callable[..., HttpResponse]:
        @require_POST
        @wraps(function)
        def view(request: HttpRequest, **route: str) -> HttpResponse:
            try:
                function(request, **route)
            except DomainError as refusal:
                messages.error(request, str(refusal.message))
            else:
                messages.success(request, str(done))
            return redirect(back_to(**route))

        return cast(Callable[..., HttpResponse], view)

    return decorate


def record_url(name: str, *args: str, **query: str) -> str:
    """The address of a record view by its route name, with a query of what isn't empty."""
    asked = {key: value for key, value in query.items() if value}
    address = reverse(f"admin:records_{name}", args=args)
    return f"{address}?{urlencode(asked)}" if asked else address


def audit_link(stream_id: str) -> tuple[str, str]:
    """The link to a stream of the audit trail."""
    return _("Audit trail"), record_url("audit", stream=stream_id)
