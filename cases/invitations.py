"""A client's way into one case: granted, renewed and revoked here, and looked up on every request
of a client session (I4)."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.urls import reverse

from accounts import audit, denials
from accounts.actors import Actor, Anonymous, CaseClient, Practitioner
from accounts.audit import Action
from cases import tokens
from cases.notices import is_live
from cases.space import get_case_space
from cases.tables import Case, Client, Invitation
from files.spaces import Ability
from filevault import limits, mail
from filevault.dynamo import Transaction, fetch_together, new_id, now
from filevault.errors import Conflict, NotFound, RateLimited

logger = logging.getLogger(__name__)

#: How exactly "last seen" is kept: not worth a write on every request.
SEEN_EVERY: Final = timedelta(minutes=5)
#: Invitations that a practitioner can have mailed to one client.
SENT: Final = 10
SENT_WINDOW: Final = timedelta(hours=1)
#: Mails with a link that a case's clients can make us send (I7).
WISHES: Final = 3
WISHES_WINDOW: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Grant:
    """A live invitation with its case and client, read consistently for this request."""

    invitation: Invitation
    case: Case
    client: Client

    def actor(self, address: str) -> CaseClient:
        return CaseClient(
            client_id=self.client.client_id,
            case_id=self.case.case_id,
            practitioner_id=self.case.user_id,
            display_name=self.client.name,
            address=address,
        )


def get_live(case_id: str, client_id: str, jti: str, *, practitioner_id: str = "") -> Grant | None:
    """What a grant opens just now; None once it was revoked, renewed, has expired, or the case is
    gone. Where the practitioner is known, all of it is one read."""
    grant = _get_grant(case_id, client_id, practitioner_id)
    if grant is None or grant.invitation.jti != jti or not is_live(grant.invitation):
        return None
    return grant


def link(invitation: Invitation) -> str:
    """The invitation's address, signed anew under the same grant. It is built from `SITE_URL`, and
    never from a request (I8)."""
    claims = tokens.Claims(invitation.case_id, invitation.client_id, invitation.jti)
    token = tokens.sign(claims, expires_at=invitation.expires_at)
    return f"{settings.SITE_URL}{reverse('invite:open', kwargs={'token': token})}"


def get_case_client(actor: Practitioner, case_id: str, client_id: str) -> tuple[Case, Client]:
    """A case of the actor's own and a client of that case. Raises `NotFound`, and `Forbidden` for a
    colleague's."""
    case = get_case_space(actor, case_id, Ability.MANAGE).case
    client = Client.fetch(case.user_id, client_id) if client_id in case.client_ids else None
    if client is None:
        raise NotFound
    return case, client


def send(actor: Practitioner, case_id: str, client_id: str) -> None:
    """Grant access and mail the link, in one transaction. A live grant is kept (and lasts longer);
    after a revocation or expiry it is a new one, which the old links and devices don't open."""
    case, _client = get_case_client(actor, case_id, client_id)
    limits.spend(f"invite#{case_id}#{client_id}", limit=SENT, window=SENT_WINDOW)
    tx = Transaction()
    before = Invitation.fetch(case_id, client_id)
    invitation = _renew_in(tx, case, client_id, before, extra=[Invitation.wished_at.remove()])
    record_in(tx, invitation, Action.INVITATION_SEND, actor)
    tx.commit()


def revoke(actor: Practitioner, case_id: str, client_id: str) -> None:
    """End a client's access; the next request of a live session is refused. Again changes
    nothing."""
    get_case_client(actor, case_id, client_id)
    revoke_any(actor, case_id, client_id)


def revoke_any(actor: Actor, case_id: str, client_id: str) -> None:
    """The same for admins, whosever the case is. Raises `NotFound`."""
    invitation = Invitation.fetch(case_id, client_id)
    if invitation is None:
        raise NotFound
    _revoke(actor, invitation)


def revoke_in(tx: Transaction, actor: Actor, invitation: Invitation) -> None:
    """Revoke in the transaction of what makes it necessary (a client taken off a case)."""
    tx.update(
        invitation,
        [
            Invitation.access.set("revoked"),
            Invitation.revoked_at.set(now()),
            Invitation.code_hash.remove(),
            Invitation.wished_at.remove(),
        ],
        condition=Invitation.jti == invitation.jti,
    )
    record_in(tx, invitation, Action.INVITATION_REVOKE, actor)


def revoke_all(actor: Actor, case_id: str) -> None:
    """Revoke each invitation of a case that is being deleted; resumable, one transaction each."""
    for invitation in Invitation.query(case_id, consistent_read=True):
        _revoke(actor, invitation)


def _revoke(actor: Actor, invitation: Invitation) -> None:
    if invitation.access == "active":
        tx = Transaction()
        revoke_in(tx, actor, invitation)
        tx.commit()


def mark_opened_in(tx: Transaction, grant: Grant, actor: CaseClient, how: str) -> None:
    """Note that a person (not a mail scanner) came in, by `link`, `code` or `device`. The commit
    raises `Conflict` where the grant ended meanwhile."""
    invitation, moment = grant.invitation, now()
    tx.update(
        invitation,
        [
            Invitation.opened_at.set(Invitation.opened_at | moment),
            Invitation.last_used_at.set(moment),
            Invitation.wished_at.remove(),
        ],
        condition=(Invitation.access == "active") & (Invitation.jti == invitation.jti),
    )
    details = {"how": how, "first": invitation.opened_at is None}
    record_in(tx, invitation, Action.INVITATION_OPEN, actor, details)


def mark_used(grant: Grant) -> None:
    """Note that the grant is in use, for the practitioner's list (I10)."""
    invitation, moment = grant.invitation, now()
    if invitation.last_used_at is None or moment - invitation.last_used_at >= SEEN_EVERY:
        invitation.try_update(
            [Invitation.last_used_at.set(moment)], condition=Invitation.jti == invitation.jti
        )


def wish_fresh_link(claims: tokens.Claims, address: str) -> None:
    """Mail a fresh link to the address on file, while access is active; the practitioner sees the
    wish in any case. Says nothing of whether a mail went (I6, I7)."""
    try:
        limits.spend(f"wish#{claims.case_id}", limit=WISHES, window=WISHES_WINDOW)
        _grant_wish(claims, address)
    except RateLimited:
        logger.info("wish for a link limited", extra={"case": claims.case_id})
    except Conflict:
        logger.info("wish for a link overtaken", extra={"case": claims.case_id})


def record_leave(actor: CaseClient) -> None:
    """Note that a client ended the session."""
    stream = audit.case_stream(actor.case_id)
    audit.record_alone(stream, Action.PORTAL_LEAVE, actor, target=actor.client_id)


def record_refusal(reason: str, address: str) -> None:
    """Note that a link opened nothing; `reason` is a code."""
    denials.record(Action.INVITATION_REFUSED, Anonymous(address), details={"reason": reason})


def _grant_wish(claims: tokens.Claims, address: str) -> None:
    grant = _get_grant(claims.case_id, claims.client_id)
    if grant is None:
        return
    wished = Invitation.wished_at.set(now())
    tx = Transaction()
    if grant.invitation.access == "active":
        _renew_in(tx, grant.case, claims.client_id, grant.invitation, extra=[wished])
    else:
        tx.update(grant.invitation, [wished], condition=Invitation.jti == grant.invitation.jti)
    record_in(tx, grant.invitation, Action.INVITATION_WISH, Anonymous(address))
    tx.commit()


def _get_grant(case_id: str, client_id: str, practitioner_id: str = "") -> Grant | None:
    """An invitation with what it belongs to, live or not; None where the case or client is gone."""
    client: Client | None = None
    if practitioner_id:
        invitation, case, client = fetch_together(
            (Invitation, (case_id, client_id)),
            (Case, (case_id,)),
            (Client, (practitioner_id, client_id)),
        )
    else:
        invitation = Invitation.fetch(case_id, client_id)
        case = Case.fetch(case_id) if invitation is not None else None
        client = Client.fetch(case.user_id, client_id) if case is not None else None
    if invitation is None or case is None or client is None or case.status == "deleted":
        return None
    if client.user_id != case.user_id or client_id not in case.client_ids:
        return None
    return Grant(invitation, case, client)


def _renew_in(
    tx: Transaction, case: Case, client_id: str, before: Invitation | None, *, extra: list[Any]
) -> Invitation:
    """Write the grant as active from now on, and queue its mail. Refused where the case, the
    client's place in it or the grant has changed since it was read."""
    moment = now()
    invitation = before or Invitation(case.case_id, client_id)
    fresh = before is None or not is_live(before)
    jti = new_id() if fresh else invitation.jti
    condition = (
        (Invitation.jti == before.jti) & (Invitation.access == before.access)
        if before is not None
        else Invitation.case_id.does_not_exist()
    )
    mail_id = mail.queue(tx, "invitation", {"caseId": case.case_id, "clientId": client_id})
    actions = [
        Invitation.user_id.set(case.user_id),
        Invitation.access.set("active"),
        Invitation.jti.set(jti),
        Invitation.expires_at.set(moment + settings.INVITATION_TTL),
        Invitation.mail_id.set(mail_id),
        Invitation.mail_state.set("queued"),
        Invitation.mail_sent_at.remove(),
    ]
    if fresh:
        actions += [Invitation.created_at.set(moment), Invitation.revoked_at.remove()]
        actions += [Invitation.opened_at.remove()]
        actions += [Invitation.code_hash.remove(), Invitation.last_used_at.remove()]
    tx.update(invitation, actions + extra, condition=condition)
    unchanged = (Case.status != "deleted") & Case.client_ids.contains(client_id)
    tx.check(case, unchanged, otherwise=NotFound())
    return invitation


def record_in(
    tx: Transaction,
    invitation: Invitation,
    action: Action,
    actor: Actor,
    details: dict[str, Any] | None = None,
) -> None:
    stream, target = audit.case_stream(invitation.case_id), invitation.client_id
    event_id = audit.record(tx, stream, action, actor, target=target, details=details)
    tx.update(invitation, [Invitation.event_id.set(event_id)])


def expiry_of_new() -> datetime:
    """Until when a link is good that is sent now."""
    return now() + settings.INVITATION_TTL
