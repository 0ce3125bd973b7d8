"""The admin area: Django's own site behind the OIDC login, and the registry of its record views.

Records live in DynamoDB, so their views are ordinary views; an app contributes its own by
`register_records` when it is ready, since accounts may not know cases or files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts.actors import Practitioner
from accounts.sessions import AMR_KEY, BREAK_GLASS_AMR
from filevault import converters  # noqa: F401  (registers <id:…>)
from filevault.errors import Forbidden

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Records:
    """One kind of record: its title, its slug under /admin/records/, and its routes."""

    title: str | Promise
    slug: str
    place: int
    routes: tuple[tuple[str, str, View], ...]


_records: list[Records] = []
_of_user: list[tuple[str | Promise, str]] = []


def register_records(
    title: str | Promise,
    slug: str,
    *routes: tuple[str, str, View],
    place: int,
    of_user: tuple[str | Promise, str] | None = None,
) -> None:
    """Add a kind of record; each route is (path under /admin/records/<slug>/, name, view), and the
    first, with an empty path, is its front page. `place` orders the kinds. `of_user` is (label,
    name) of a route that takes a `user_id`: the user's page links to it."""
    _records.append(Records(title, slug, place, routes))
    _records.sort(key=lambda kind: kind.place)
    if of_user is not None:
        _of_user.append(of_user)


def links_of_user(user_id: str) -> list[tuple[str, str]]:
    """Where the records of a user are to be seen: (label, address)."""
    return [
        (str(label), reverse(f"admin:records_{name}", args=[user_id])) for label, name in _of_user
    ]


class FilevaultAdminSite(AdminSite):
    """Signs in through the provider like everybody, and asks for an active admin."""

    site_header = _("Filevault administration")
    site_title = _("Filevault administration")
    index_title = _("Overview")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """The ORM's flags are copies of the last login; `request.actor` was read just now."""
        user: Any = request.user
        actor = getattr(request, "actor", None)
        is_admin = isinstance(actor, Practitioner) and actor.is_admin
        return bool(user.is_active and user.is_staff) and is_admin and _is_proved(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """No password form here: the provider's login, back to where one wanted to go. Who is
        signed in and still may not enter would only come back here."""
        if request.user.is_authenticated:
            raise Forbidden
        target = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': target})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The product's own logout, which ends the session at the provider too (L6)."""
        return redirect("accounts:logout", preserve_request=True)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        kinds = [
            {
                "title": kind.title,
                "url": reverse(f"admin:records_{kind.routes[0][1]}"),
                "is_here": request.path.startswith(f"{reverse('admin:index')}records/{kind.slug}/"),
            }
            for kind in _records
        ]
        return super().each_context(request) | {"records": kinds}

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own: list[URLPattern | URLResolver] = [
            path(f"records/{kind.slug}/{route}", self.admin_view(view), name=f"records_{name}")
            for kind in _records
            for route, name, view in kind.routes
        ]
        return own + super().get_urls()


def _is_proved(request: HttpRequest) -> bool:
    """Whether the login gave the evidence that the admin area asks for (`OIDC_ADMIN_AMR`, L8)."""
    wanted = set(settings.OIDC_ADMIN_AMR)
    return not wanted or bool((wanted | {BREAK_GLASS_AMR}) & set(request.session.get(AMR_KEY, [])))


class FilevaultAdminConfig(AdminConfig):
    """Django's admin with our site as its default."""

    default_site = "accounts.admin_site.FilevaultAdminSite"
