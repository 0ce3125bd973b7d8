"""Admin views of users: found by id or address, closed and opened again."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_safe

from accounts import audit, profiles
from accounts.admin_pages import (
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
from accounts.admin_site import links_of_user, register_records
from accounts.tables import User
from filevault.dynamo import is_id
from filevault.mail import address_hash


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Users by exact id or e-mail. All of them are listed by Django's own view of its table."""
    asked = request.GET.get("q", "").strip()
    found = find_users(asked) if asked else []
    table = Table(
        _("Found"),
        [_("Name"), _("Practice"), _("E-mail"), _("Last login"), _("State")],
        [
            [
                Cell(user.display_name or user.user_id, record_url("user", user.user_id)),
                Cell(user.practice),
                Cell(user.email),
                Cell(user.last_login_at),
                _state(user),
            ]
            for user in found
        ],
        _("Nobody has this id or address."),
    )
    page = Page(
        _("Users"),
        note=_("Search by a user's exact id or e-mail address."),
        search=Search(_("Id or e-mail"), asked),
        links=[(_("All users"), reverse("admin:accounts_user_changelist"))],
        tables=[table] if asked else [],
    )
    return show(request, page, target="users")


def find_users(asked: str) -> list[User]:
    """Users of an exact id or a verified address. The index only lists: the row is read again."""
    if is_id(asked):
        user = User.fetch(asked)
        return [user] if user else []
    digest = address_hash(asked)
    listed = [row.user_id for row in User.by_email_hash.query(digest, limit=20)]
    return [user for user in User.fetch_many(listed) if user.email_hash == digest]


@require_safe
def detail(request: HttpRequest, user_id: str) -> HttpResponse:
    user = profiles.get_profile(user_id)
    page = Page(
        user.display_name or user.email or user_id,
        parents=[(_("Users"), record_url("users"))],
        links=[*links_of_user(user_id), audit_link(audit.user_stream(user_id))],
        facts=[
            (_("Id"), Cell(user.user_id)),
            (_("State"), _state(user)),
            (_("Admin"), Cell(_("yes") if user.is_admin else _("no"))),
            (_("E-mail"), Cell(user.email)),
            (_("E-mail verified"), Cell(_("yes") if user.email_verified else _("no"))),
            (_("Practice"), Cell(user.practice)),
            (_("Language"), Cell(user.language)),
            (_("First login"), Cell(user.created_at)),
            (_("Last login"), Cell(user.last_login_at)),
            (pgettext("account", "Closed"), Cell(user.deactivated_at)),
            (_("Issuer"), Cell(user.issuer)),
            (_("Subject"), Cell(user.subject)),
        ],
        buttons=[_toggle(user)],
    )
    return show(request, page, target=audit.user_stream(user_id))


def _state(user: User) -> Cell:
    if user.deactivated_at is not None:
        return Cell(_("closed"), badge="revoked")
    return Cell(_("active"), badge="active")


def _toggle(user: User) -> Button:
    if user.deactivated_at is not None:
        return Button(_("Open the account again"), record_url("user_reactivate", user.user_id))
    return Button(
        _("Close the account"), record_url("user_deactivate", user.user_id), is_dangerous=True
    )


def _user_url(user_id: str) -> str:
    return record_url("user", user_id)


@change(_user_url, gettext_lazy("The account is closed. Its sessions end at their next click."))
def deactivate(request: HttpRequest, user_id: str) -> None:
    profiles.deactivate(admin_of(request), user_id)


@change(_user_url, gettext_lazy("The account is open again."))
def reactivate(request: HttpRequest, user_id: str) -> None:
    profiles.reactivate(admin_of(request), user_id)


register_records(
    gettext_lazy("Users"),
    "users",
    ("", "users", search),
    ("<id:user_id>/", "user", detail),
    ("<id:user_id>/deactivate", "user_deactivate", deactivate),
    ("<id:user_id>/reactivate", "user_reactivate", reactivate),
    place=10,
)
