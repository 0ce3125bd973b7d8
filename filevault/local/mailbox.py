"""The mailbox page of the local stack: what the product has sent, to click through.

Anyone who reaches the page reads everything, so its routes exist in `filevault.local.urls` alone.
"""

import os
import re

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from filevault.local.mails import SentMail, sent_mails

#: A mail brings its styles inline and may do nothing else.
MAIL_POLICY = {
    "default-src": [NONE],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
}
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """Every mail, newest first; `?to=` keeps those to one address."""
    to = request.GET.get("to", "").strip()
    mails = _mails()
    return render(
        request,
        "local/mailbox.html",
        {
            "mails": [mail for mail in mails if not to or to.lower() in _lowered(mail)],
            "recipients": sorted({address for mail in mails for address in _lowered(mail)}),
            "to": to,
        },
    )


@require_safe
def mail(request: HttpRequest, mail_id: str) -> HttpResponse:
    """One mail: its headers, its HTML in a frame, its text with working links."""
    found = _find(mail_id)
    shown = ("From", "Reply-To", "To", "Date")
    headers = [(name, str(found.message[name])) for name in shown if found.message[name]]
    context = {"mail": found, "headers": headers, "text": _linked(found.text)}
    return render(request, "local/mail.html", context)


@require_safe
@csp(MAIL_POLICY)  # type: ignore[arg-type]  # typed for views without arguments
def mail_html(request: HttpRequest, mail_id: str) -> HttpResponse:
    """The HTML body alone, for the frame; its links open in the whole window."""
    body = _find(mail_id).html
    if not body:
        raise Http404
    response = HttpResponse(f'<base target="_top">{body}')
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _mails() -> list[SentMail]:
    return sent_mails(os.environ["AWS_ENDPOINT_URL"])


def _find(mail_id: str) -> SentMail:
    for each in _mails():
        if each.id == mail_id:
            return each
    raise Http404


def _lowered(mail: SentMail) -> list[str]:
    return [address.lower() for address in mail.to]


def _linked(text: str) -> SafeString:
    """The text with its addresses as links; everything else escaped."""
    made, end = [], 0
    for match in _LINK.finditer(text):
        address = escape(match[0])
        made += [escape(text[end : match.start()]), f'<a href="{address}">{address}</a>']
        end = match.end()
    return mark_safe("".join([*made, escape(text[end:])]))  # noqa: S308
