"""Login and logout. A person signs in at the provider; no password passes through here."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.params import BodyEx, P

from accounts import logins
from accounts.http import local_path
from accounts.middleware import brings_token
from filevault.api.routers import Router
from filevault.api.schemas import LoginIn, LoginOut, LogoutOut, answers
from filevault.errors import Forbidden

Login = BodyEx[LoginIn, P()]

router = Router(tag="auth")


@router.post("/login", auth=None, response=answers(200, LoginOut))
def login(request: HttpRequest, body: Login = LoginIn()) -> Any:  # noqa: B008
    """Begin a login: open the address in the browser that holds this session's cookie. It comes
    back to `next`, a path of this site."""
    if brings_token(request):
        raise Forbidden(_("A token brings its own sign-in; leave it out here."), code="has_token")
    return {"authorization_url": logins.begin(request, next_path=local_path(body.next))}


@router.post("/logout", response=answers(200, LogoutOut))
def logout(request: HttpRequest) -> Any:
    """End the session at once; open the address to end the provider's too."""
    if brings_token(request):
        raise Forbidden(_("A token can't be signed out; it ends by itself."), code="has_token")
    return {"logout_url": logins.end(request)}
