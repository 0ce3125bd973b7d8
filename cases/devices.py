"""Remembered devices: a random value in the browser that stands in for the code (never for the
link, never for the session). It dies with the invitation's `jti`."""

import hashlib
import secrets
from typing import Final

from django.conf import settings

from cases.tables import ClientDevice, Invitation
from filevault.dynamo import Transaction, now

_BYTES: Final = 32


def new_device() -> str:
    """A value for a browser's device cookie."""
    return secrets.token_urlsafe(_BYTES)


def remember_in(tx: Transaction, invitation: Invitation, device: str) -> None:
    """Let a device in without a code, for `DEVICE_REMEMBERED` at most."""
    moment = now()
    row = ClientDevice(
        _invitation_key(invitation),
        _hash(device),
        jti=invitation.jti,
        created_at=moment,
        ttl=moment + settings.DEVICE_REMEMBERED,
    )
    tx.put(row)


def is_remembered(invitation: Invitation, device: str) -> bool:
    """Whether this device has proved itself under this very grant. TTL comes days late, so that the
    end is checked here."""
    row = ClientDevice.fetch(_invitation_key(invitation), _hash(device)) if device else None
    return row is not None and row.jti == invitation.jti and row.ttl > now()


def _invitation_key(invitation: Invitation) -> str:
    return f"{invitation.case_id}#{invitation.client_id}"


def _hash(device: str) -> str:
    """Who reads the table can use no device."""
    return hashlib.sha256(device.encode()).hexdigest()
