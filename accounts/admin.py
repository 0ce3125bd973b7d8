"""Django's own table of users, read-only: who they are is the provider's to say."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import audit, profiles
from accounts.admin_pages import admin_of
from accounts.audit import Action
from accounts.models import User

if TYPE_CHECKING:  # generic for type checkers alone
    _UserModelAdmin = admin.ModelAdmin[User]
else:
    _UserModelAdmin = admin.ModelAdmin

admin.site.unregister(Group)  # rights follow the provider's group, not ours


@admin.register(User)
class UserAdmin(_UserModelAdmin):
    """All users by name; a name leads to the profile among the records."""

    list_display = ("username", "display_name", "email", "is_staff", "is_active", "profile")
    list_filter = ("is_staff", "is_active")
    search_fields = ("=user_id", "=email", "display_name")
    readonly_fields = (
        "user_id",
        "issuer",
        "subject",
        "username",
        "email",
        "display_name",
        "is_staff",
        "is_active",
        "last_login",
        "created_at",
        "profile",
    )
    fields = readonly_fields
    ordering = ("display_name", "email")
    actions = ("close_accounts", "open_accounts")
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    @admin.display(description=_("Profile"))
    def profile(self, user: User) -> str:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:records_user", args=[user.pk]), _("Records")
        )

    @admin.action(description=_("Close the accounts: their sessions end at the next click"))
    def close_accounts(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            profiles.deactivate(admin_of(request), str(user.pk))
        self.message_user(request, _("The accounts are closed."))

    @admin.action(description=_("Open the accounts again"))
    def open_accounts(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            profiles.reactivate(admin_of(request), str(user.pk))
        self.message_user(request, _("The accounts are open again."))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        _note_view(request, "users")
        return super().changelist_view(request, extra_context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        _note_view(request, f"user:{object_id[:40]}")
        return super().change_view(request, object_id, form_url, extra_context)


def _note_view(request: HttpRequest, target: str) -> None:
    actor = admin_of(request)
    audit.record_alone(audit.user_stream(actor.user_id), Action.ADMIN_VIEW, actor, target=target)
