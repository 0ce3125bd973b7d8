"""Bytes as text that fits anywhere: base64url without padding (RFC 4648, section 5)."""

import base64


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """The bytes of a text in the one spelling that `encode` makes. Raises ValueError for any other,
    of which Python takes several."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data
