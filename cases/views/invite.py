"""From the link in the mail to the case: nothing here is spent by a GET or HEAD (I1)."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import add_errors, client_address, speak
from accounts.tables import User
from cases import client_session, codes, devices, invitations, tokens
from cases.invitations import Grant
from filevault import limits
from filevault.errors import Forbidden, Invalid


class CodeForm(forms.Form):
    """The code of the mail, and whether to be spared the next one."""

    code = forms.CharField(
        label=gettext_lazy("Code from the e-mail"),
        max_length=20,
        error_messages={"required": gettext_lazy("Please enter the six digits from the e-mail.")},
        widget=forms.TextInput(
            attrs={
                "class": "code",
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autofocus": True,
            }
        ),
    )
    remember = forms.BooleanField(
        label=gettext_lazy("Remember this device"),
        help_text=gettext_lazy(
            "The next link then opens here without a code. Choose it on your own devices only."
        ),
        required=False,
    )


def link_required(
    view: Callable[[HttpRequest, Grant], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Load what the opened link leads to, or answer with the one page for every link that leads
    nowhere (I6)."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        client_session.choose_link(request.session, request.POST.get("case", ""))
        try:
            claims = client_session.current_claims(request.session)
        except tokens.TokenError as error:
            return _dead_link(request, error.reason)
        grant = invitations.get_live(claims.case_id, claims.client_id, claims.jti)
        if grant is None:
            return _dead_link(request, "not_live")
        speak(request, grant.client.language)
        return view(request, grant)

    return guarded


@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address bar. Whether it opens anything is said at the clean
    address, so that this answer is the same for every token (I6)."""
    client_session.keep_link(request.session, token)
    response = redirect("invite:start")
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
@link_required
def start(request: HttpRequest, grant: Grant) -> HttpResponse:
    """Who asks, what for, and one button."""
    if client_session.live_grant(request.session, grant.case.case_id) is not None:
        return redirect("portal:case", case_id=grant.case.case_id)
    code_needed = codes.is_needed(grant, _device(request))
    return _page(request, "invite/start.html", grant, {"code_needed": code_needed})


@require_POST
@link_required
def enter(request: HttpRequest, grant: Grant) -> HttpResponse:
    """The button of a link without a code, or on a remembered device."""
    try:
        codes.enter_without_code(grant, grant.actor(client_address(request)), _device(request))
    except Forbidden:  # the case began to ask for codes while the page was open
        return redirect("invite:start")
    return _entered(request, grant)


@require_POST
@link_required
def send_code(request: HttpRequest, grant: Grant) -> HttpResponse:
    """The button that mails a code."""
    _limit(request, "code-from", 30)
    codes.send_code(grant, grant.actor(client_address(request)))
    messages.info(request, _("A code is on its way to you. It may take a minute to arrive."))
    return redirect("invite:code")


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@link_required
def code(request: HttpRequest, grant: Grant) -> HttpResponse:
    """Enter the mailed code."""
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _limit(request, "code-tries", 60)
        device = _device(request) or devices.new_device() if form.cleaned_data["remember"] else ""
        try:
            codes.enter_by_code(
                grant,
                grant.actor(client_address(request)),
                form.cleaned_data["code"],
                device=device,
            )
            return _entered(request, grant, device)
        except Invalid as error:
            add_errors(form, error)
    status = 422 if form.errors else 200
    return _page(request, "invite/code.html", grant, {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def fresh(request: HttpRequest) -> HttpResponse:
    """Ask for a fresh link: answered alike whether or not one was sent (I7)."""
    if request.method != "POST":
        return render(request, "invite/fresh.html")
    address = client_address(request)
    _limit(request, "wish-from", 10)
    claims = client_session.readable_claims(request.session)
    if claims is not None:
        invitations.wish_fresh_link(claims, address)
    return HttpResponse(render_to_string("invite/wished.html"))


def _entered(request: HttpRequest, grant: Grant, device: str = "") -> HttpResponse:
    client_session.enter(request.session, grant)
    response = redirect("portal:case", case_id=grant.case.case_id)
    if device:
        response.set_cookie(
            settings.DEVICE_COOKIE_NAME,
            device,
            max_age=settings.DEVICE_REMEMBERED,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _page(
    request: HttpRequest,
    template: str,
    grant: Grant,
    context: dict[str, object],
    *,
    status: int = 200,
) -> HttpResponse:
    sender = User.fetch(grant.case.user_id)
    shown = {"sender": sender, "case_id": grant.case.case_id, **context}
    return render(request, template, shown, status=status)


def _dead_link(request: HttpRequest, reason: str) -> HttpResponse:
    """The same bytes for every reason: no name, token or nonce in them (I6)."""
    invitations.record_refusal(reason, client_address(request))
    return HttpResponse(render_to_string("invite/dead.html"), status=410)


def _device(request: HttpRequest) -> str:
    return request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")


def _limit(request: HttpRequest, what: str, limit: int) -> None:
    """Limit what one address may ask for in ten minutes (I7)."""
    key = limits.address_key(what, client_address(request))
    limits.spend(key, limit=limit, window=timedelta(minutes=10))
