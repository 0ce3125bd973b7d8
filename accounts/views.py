"""Login, logout and settings of practitioners."""

import logging
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import discovery, logins, models, oidc, profiles
from accounts.actors import Practitioner
from accounts.forms import BreakGlassForm, ProfileForm
from accounts.http import (
    PractitionerRequest,
    add_errors,
    client_address,
    local_path,
    practitioner_required,
)
from accounts.sessions import AMR_KEY, BREAK_GLASS_AMR, SessionStore
from filevault import limits
from filevault.dynamo import now
from filevault.errors import DomainError, Invalid, NotFound, NotSignedIn

logger = logging.getLogger(__name__)


@require_safe
def login(request: HttpRequest) -> HttpResponse:
    """Begin a login at the provider. Works anew for who is signed in, to change the user."""
    return redirect(logins.begin(request, next_path=local_path(request.GET.get("next"))))


@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends the browser back. Nothing but a login that this very browser began
    gives a session (L1)."""
    try:
        verified, next_path = _complete(request)
        profile = profiles.sign_in(verified.identity, address=client_address(request))
    except (oidc.LoginRefused, profiles.Deactivated) as refusal:
        return _refuse(request, refusal)
    logins.establish(
        request,
        profiles.sync_user(verified.identity),
        **{
            AMR_KEY: list(verified.amr),
            logins.ID_TOKEN_KEY: "" if discovery.speaks_cognito_logout() else verified.id_token,
            logins.SUGGESTED_NAME_KEY: "" if profile.display_name else verified.identity.name,
        },
    )
    return redirect(next_path)


def _complete(request: HttpRequest) -> tuple[oidc.Verified, str]:
    begun, next_path = logins.recall(request, request.GET.get("state", ""))
    # RFC 9207: where the provider names itself, it must be the one that we sent the browser to.
    if request.GET.get("iss", settings.OIDC_ISSUER).rstrip("/") != settings.OIDC_ISSUER:
        raise oidc.LoginRefused(code="wrong_issuer")
    code = request.GET.get("code", "")
    if not code:
        raise oidc.LoginRefused(code="denied_by_provider")
    return oidc.complete(begun, code=code, redirect_uri=logins.callback_uri()), next_path


def _refuse(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    profiles.record_refusal(address=client_address(request), reason=refusal.reason)
    logger.warning("login refused", extra={"reason": refusal.reason})
    closed = isinstance(refusal, profiles.Deactivated)
    context = {"closed": closed, "message": refusal.message}
    return render(request, "accounts/login_failed.html", context, status=403 if closed else 400)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session here, then at the provider (L6)."""
    return redirect(logins.end(request))


@require_safe
def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/signed_out.html")


@require_POST
def keepalive(request: HttpRequest) -> HttpResponse:
    """Use the session, so that it doesn't end while somebody types or uploads (L7)."""
    if not isinstance(getattr(request, "actor", None), Practitioner):
        raise NotSignedIn
    return seconds_left(request)


def seconds_left(request: HttpRequest) -> JsonResponse:
    """How long the session lasts from now on: what `session.js` wants to know."""
    session = request.session
    ends_at = session.ends_at if isinstance(session, SessionStore) else None
    left = int((ends_at - now()).total_seconds()) if ends_at else 0
    return JsonResponse({"secondsLeft": max(0, left)})


@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest) -> HttpResponseBase:
    """The first login asks for the name that clients will read."""
    actor = getattr(request, "actor", None)
    if not isinstance(actor, Practitioner):
        raise NotSignedIn
    next_path = local_path(request.GET.get("next"))
    if actor.display_name:
        return redirect(next_path)
    suggested = {"display_name": request.session.get(logins.SUGGESTED_NAME_KEY, "")}
    form = ProfileForm(request.POST or None, initial=suggested)
    if request.method == "POST" and _save_profile(actor, form):
        messages.success(request, _("Welcome to Filevault. Your settings are saved."))
        return redirect(next_path)
    context = {"form": form, "query": urlencode({"next": next_path})}
    return render(request, "accounts/welcome.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def profile_settings(request: PractitionerRequest) -> HttpResponseBase:
    profile = profiles.get_profile(request.actor.user_id)
    initial = {name: getattr(profile, name) for name in ProfileForm.base_fields}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and _save_profile(request.actor, form):
        with override(form.cleaned_data["language"] or None):
            messages.success(request, _("Your settings are saved."))
        return redirect("accounts:settings")
    return render(request, "accounts/settings.html", {"form": form, "profile": profile})


def _save_profile(actor: Practitioner, form: ProfileForm) -> bool:
    if not form.is_valid():
        return False
    try:
        profiles.update_profile(actor, **form.cleaned_data)
    except Invalid as error:
        add_errors(form, error)
        return False
    return True


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def break_glass(request: HttpRequest) -> HttpResponse:
    """The password form for when the provider is away; it is not there unless BREAK_GLASS is set.
    Each use is an alert."""
    if not settings.BREAK_GLASS:
        raise NotFound
    form = BreakGlassForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        key = limits.address_key("break-glass", client_address(request))
        limits.spend(key, limit=5, window=timedelta(minutes=15))
        limits.spend("break-glass", limit=100, window=timedelta(minutes=15))
        user = auth.authenticate(request, **form.cleaned_data)
        if isinstance(user, models.User) and user.issuer == models.BREAK_GLASS_ISSUER:
            return _enter_by_break_glass(request, user)
        profiles.record_refusal(address=client_address(request), reason="break_glass_password")
        logger.error("ALERT: break-glass login failed")
        form.add_error(None, _("User name and password don't match."))
    return render(request, "accounts/break_glass.html", {"form": form})


def _enter_by_break_glass(request: HttpRequest, user: models.User) -> HttpResponse:
    address = client_address(request)
    profile = profiles.sign_in_by_break_glass(user, address=address)
    logger.error("ALERT: break-glass login", extra={"userId": profile.user_id, "address": address})
    logins.establish(request, user, **{AMR_KEY: [BREAK_GLASS_AMR]})
    return redirect(local_path(request.GET.get("next"), reverse("admin:index")))
