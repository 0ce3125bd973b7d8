"""What a client's session holds: the links opened on this device, and the cases entered by them.

Every case has entries of its own, so that parallel requests lose nothing. What is named
here counts only as far as the invitation says so now.
"""

from typing import Final

from django.contrib.sessions.backends.base import SessionBase

from accounts.actors import CaseClient
from cases import tokens
from cases.invitations import Grant, get_live
from filevault.dynamo import now

#: The case of the link opened last; empty where that link couldn't be read.
CURRENT: Final = "invite"
_LINK: Final = "invite:"
_CASE: Final = "case:"


def keep_link(session: SessionBase, token: str) -> None:
    """Note a link as opened. An expired one is kept too: it is what a fresh one is asked with."""
    try:
        claims = tokens.read(token)
    except tokens.Expired as error:
        claims = error.claims
    except tokens.Broken:
        session[CURRENT] = ""
        return
    session[CURRENT] = claims.case_id
    session[f"{_LINK}{claims.case_id}"] = token


def choose_link(session: SessionBase, case_id: str) -> None:
    """Go on with the link of this case, if it is one of those opened here: a page in another tab
    may show an older one."""
    if f"{_LINK}{case_id}" in session and session.get(CURRENT) != case_id:
        session[CURRENT] = case_id


def current_claims(session: SessionBase) -> tokens.Claims:
    """The claims of the link opened last. Raises `tokens.TokenError`."""
    case_id = session.get(CURRENT) or ""
    return tokens.read(session.get(f"{_LINK}{case_id}") or "")


def readable_claims(session: SessionBase) -> tokens.Claims | None:
    """The claims of the link opened last even where it has expired; None where it isn't ours."""
    try:
        return current_claims(session)
    except tokens.Expired as error:
        return error.claims
    except tokens.Broken:
        return None


def enter(session: SessionBase, grant: Grant) -> None:
    """Open a case in this session, under a new key (against a session that somebody planted)."""
    session.cycle_key()
    session[f"{_CASE}{grant.case.case_id}"] = {
        "clientId": grant.client.client_id,
        "practitionerId": grant.case.user_id,
        "jti": grant.invitation.jti,
        "at": now().isoformat(),
    }


def live_grant(session: SessionBase, case_id: str) -> Grant | None:
    """The live grant behind the session's entry for a case; a dead entry is dropped."""
    key = f"{_CASE}{case_id}"
    entry = session.get(key)
    if entry is None:
        return None
    grant = get_live(
        case_id, entry["clientId"], entry["jti"], practitioner_id=entry.get("practitionerId", "")
    )
    if grant is None:
        del session[key]
    return grant


def known_client(session: SessionBase, case_id: str, address: str) -> CaseClient | None:
    """Who the session says that asks for a case, to name whom it is refused to: by its entry, dead
    or not, or else by the one entered last. Opens nothing."""
    key = next(
        (key for key in [case_id, *open_case_ids(session)] if f"{_CASE}{key}" in session), ""
    )
    entry = session.get(f"{_CASE}{key}")
    if entry is None:
        return None
    return CaseClient(entry["clientId"], key, entry.get("practitionerId", ""), address=address)


def open_case_ids(session: SessionBase) -> list[str]:
    """The cases that were entered in this session, the last one first."""
    entries = [(key, session[key]) for key in session.keys() if key.startswith(_CASE)]  # noqa: SIM118
    entries.sort(key=lambda pair: pair[1]["at"], reverse=True)
    return [key.removeprefix(_CASE) for key, _entry in entries]


def live_grants(session: SessionBase) -> list[Grant]:
    """The live grants of all cases entered here, the last one first."""
    grants = [live_grant(session, case_id) for case_id in open_case_ids(session)]
    return [grant for grant in grants if grant is not None]
