"""Signed documents: JSON that anybody can check with the public keys, for ever.

A document is `{"type", …, "keyId", "signature"}`. The signature (Ed25519, RFC 8032, in base64url)
stands for the canonical JSON (RFC 8785) of everything else in it. The type is part of that, so that
a document of one kind can't pass for another. docs/audit.md shows how to check one without us.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from filevault import base64url
from filevault.dynamo import STORE_ERRORS, condition_failed, now
from filevault.tables import SigningKey

KEY_SET: Final = "documents"
#: Whole numbers up to this one are the same in every reader of JSON (RFC 8785, section 3.2.2.3).
LARGEST: Final = 2**53 - 1
_ADDED: Final = ("type", "keyId", "signature")

Keys = Mapping[str, bytes]


class SignatureFault(Exception):
    """Base of the reasons why a document proves nothing; its text is for whoever checks one."""


class Malformed(SignatureFault):
    """Not a signed document of the kind that was asked for."""


class UnknownKey(SignatureFault):
    """Signed under an id that no published key has."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"it was signed with the key {key_id!r}, which is not a known one")


class Altered(SignatureFault):
    """The signature doesn't belong to this content."""

    def __init__(self) -> None:
        super().__init__("its content and its signature don't belong together: it was altered")


def sign(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The signed document of a kind, under the first of `SIGNING_KEYS`, whose public key is
    published before anything is signed with it. Raises ValueError for content that isn't made of
    strings, whole numbers, lists and objects alone."""
    if not content.keys().isdisjoint(_ADDED):
        raise ValueError(f"{', '.join(_ADDED)} are added here")
    key_id, seed = settings.SIGNING_KEYS[0]
    _publish(key_id, _public_half(seed))
    private = Ed25519PrivateKey.from_private_bytes(seed)
    document = {"type": kind, **content, "keyId": key_id}
    return document | {"signature": base64url.encode(private.sign(canonical_json(document)))}


def verify(document: object, keys: Keys, *, kind: str) -> dict[str, Any]:
    """What a document says, without its signature, if one of the keys signed it. Raises a
    `SignatureFault`."""
    if not isinstance(document, dict) or document.get("type") != kind:
        raise Malformed(f"it is not a signed document of the type {kind}")
    body = {name: value for name, value in document.items() if name != "signature"}
    key_id, signature = body.get("keyId"), document.get("signature")
    if not isinstance(key_id, str) or not isinstance(signature, str):
        raise Malformed("it has no signature")
    if key_id not in keys:
        raise UnknownKey(key_id)
    try:
        public = Ed25519PublicKey.from_public_bytes(keys[key_id])
        public.verify(base64url.decode(signature), canonical_json(body))
    except (InvalidSignature, ValueError) as error:
        raise Altered from error
    return body


def parse(text: bytes | str) -> object:
    """JSON that says each thing once. Raises `Malformed`, also for a name that stands twice, of
    which another reader may take the other."""
    try:
        return json.loads(text, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise Malformed("it is not readable JSON") from error


def canonical_json(value: object) -> bytes:
    """The one spelling of a value (RFC 8785): names sorted, no spaces, UTF-8. Raises ValueError
    for what has more than one: fractions, numbers above `LARGEST`, names outside of ASCII."""
    _check_plain(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def published_keys() -> dict[str, bytes]:
    """Every public key by its id: those of `SIGNING_KEYS`, and those that signed before."""
    for key_id, seed in settings.SIGNING_KEYS:
        _publish(key_id, _public_half(seed))
    rows = SigningKey.query(KEY_SET, consistent_read=True)
    return {row.key_id: base64url.decode(row.public_key) for row in rows}


def check_ids() -> None:
    """Raises ImproperlyConfigured where an id of `SIGNING_KEYS` stands for another key than before.
    Writes nothing."""
    for key_id, seed in settings.SIGNING_KEYS:
        _check_same(SigningKey.fetch(KEY_SET, key_id), _public_half(seed))


def as_jwks(keys: Keys) -> dict[str, Any]:
    """The keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    common = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}
    return {
        "keys": [
            common | {"kid": key_id, "x": base64url.encode(key)} for key_id, key in keys.items()
        ]
    }


def from_jwks(document: object) -> dict[str, bytes]:
    """The keys of a set that `as_jwks` made. Raises `Malformed`."""
    try:
        keys = document["keys"]  # type: ignore[index]
        return {
            str(key["kid"]): base64url.decode(key["x"]) for key in keys if key["crv"] == "Ed25519"
        }
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed("it is not a set of Ed25519 keys") from error


def _publish(key_id: str, public: bytes) -> None:
    """Write a public key once. Raises ImproperlyConfigured where its id stands for another."""
    known = SigningKey.fetch(KEY_SET, key_id)
    if known is None:
        row = SigningKey(KEY_SET, key_id, public_key=base64url.encode(public), created_at=now())
        try:
            row.save(condition=SigningKey.key_id.does_not_exist())
        except STORE_ERRORS as error:
            if not condition_failed(error):
                raise
            known = SigningKey.fetch(KEY_SET, key_id)  # another process was first
    _check_same(known, public)


def _check_same(known: SigningKey | None, public: bytes) -> None:
    """An id stands for one key for ever."""
    if known is not None and known.public_key != base64url.encode(public):
        raise ImproperlyConfigured(
            f"SIGNING_KEYS gives the id {known.key_id!r} to another key than before. "
            "What the earlier one signed must stay provable: give the new key a new id."
        )


def _public_half(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _check_plain(value: object) -> None:
    if isinstance(value, dict):
        for name, each in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise ValueError("names are ASCII")
            _check_plain(each)
    elif isinstance(value, list):
        for each in value:
            _check_plain(each)
    elif type(value) is int:
        if abs(value) > LARGEST:
            raise ValueError("too large a number")
    elif not isinstance(value, str):  # a bool isn't an int here
        raise ValueError(f"{type(value).__name__} has no one spelling")
