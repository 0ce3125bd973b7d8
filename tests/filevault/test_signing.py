"""Signed documents: what was signed stays provable, and nothing else passes for it (T3)."""

import copy
import json
import threading
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from filevault import signing
from filevault.base64url import encode
from filevault.signing import Altered, Malformed, SignatureFault, UnknownKey, sign, verify
from filevault.tables import SigningKey

KIND = "filevault-test"
CONTENT = {"name": "Übergabe \u2028\U0001f600", "size": 9, "items": [{"a": "1", "b": ""}]}
FIRST, SECOND = ("s1", bytes(range(32))), ("s2", bytes(range(1, 33)))


def keys_of(client: Client) -> dict[str, bytes]:
    answer = client.get("/.well-known/filevault-keys.json")
    assert answer.status_code == 200
    return signing.from_jwks(answer.json())


def test_a_document_holds_through_json() -> None:
    document = json.loads(json.dumps(sign(KIND, CONTENT)))
    body = verify(document, signing.published_keys(), kind=KIND)
    assert body == {"type": KIND, **CONTENT, "keyId": "s1"}


def test_the_spelling_is_that_of_rfc_8785() -> None:
    value = {"b": "\u20ac$\u000f\nA'\"\\\u007f", "a": [1, -2], "A": {}}
    assert signing.canonical_json(value) == (
        '{"A":{},"a":[1,-2],"b":"\u20ac$\\u000f\\nA\'\\"\\\\\u007f"}'.encode()
    )


@pytest.mark.parametrize(
    "value", [1.5, True, None, 2**53, -(2**53), {"ä": 1}, {1: 1}, ["\ud800"], b"x", ({},)]
)
def test_what_has_two_spellings_is_not_signed(value: object) -> None:
    with pytest.raises(ValueError):
        sign(KIND, {"value": value})


@pytest.mark.parametrize("name", ["type", "keyId", "signature"])
def test_the_signers_own_fields_cant_be_given(name: str) -> None:
    with pytest.raises(ValueError, match="added here"):
        sign(KIND, {name: "x"})


def changed(path: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(sign(KIND, CONTENT))
    if path == "items.a":
        document["items"][0]["a"] = value
    else:
        document[path] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("name", "Another", Altered),
        ("size", 10, Altered),
        ("size", 9.0, Altered),
        ("size", True, Altered),
        ("items.a", "2", Altered),
        ("more", "x", Altered),
        ("signature", encode(bytes(64)), Altered),
        ("signature", "", Altered),
        ("signature", "ü", Altered),
        ("signature", 7, Malformed),
        ("keyId", None, Malformed),
        ("keyId", "s9", UnknownKey),
        ("type", "filevault-other", Malformed),
    ],
)
def test_what_was_altered_is_named(path: str, value: Any, fault: type[SignatureFault]) -> None:
    keys = signing.published_keys()
    verify(sign(KIND, CONTENT), keys, kind=KIND)
    with pytest.raises(fault):
        verify(changed(path, value), keys, kind=KIND)


def test_a_type_that_is_exchanged_breaks_the_signature() -> None:
    with pytest.raises(Altered):
        verify(changed("type", "other"), signing.published_keys(), kind="other")


@pytest.mark.parametrize("value", [None, [], "x", 1, {}, {"type": KIND}])
def test_what_is_no_document_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        verify(value, {}, kind=KIND)


def test_another_spelling_of_the_signature_is_refused() -> None:
    """The last character of 64 bytes in base64 has four bits that say nothing."""
    document = sign(KIND, CONTENT)
    last = document["signature"][-1]
    other = {"A": "B", "Q": "R", "g": "h", "w": "x"}[last]
    document["signature"] = document["signature"][:-1] + other
    with pytest.raises(Altered):
        verify(document, signing.published_keys(), kind=KIND)


def test_the_published_keys_are_a_key_set(client: Client) -> None:
    answer = client.get("/.well-known/filevault-keys.json")
    (key,) = answer.json()["keys"]
    assert {name: key[name] for name in ("kty", "crv", "kid", "alg", "use")} == {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": "s1",
        "alg": "EdDSA",
        "use": "sig",
    }
    assert "d" not in key
    assert answer["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in answer
    assert client.post("/.well-known/filevault-keys.json").status_code == 405


def test_a_document_outlives_its_private_key_T3(client: Client, settings: Any) -> None:
    settings.SIGNING_KEYS = [FIRST]
    before = sign(KIND, CONTENT)
    settings.SIGNING_KEYS = [SECOND]
    after = sign(KIND, CONTENT)
    assert (before["keyId"], after["keyId"]) == ("s1", "s2")
    for document in (before, after):
        verify(document, keys_of(client), kind=KIND)


def test_a_key_is_published_before_it_signs_T3(client: Client, settings: Any) -> None:
    settings.SIGNING_KEYS = [FIRST, SECOND]
    assert set(keys_of(client)) == {"s1", "s2"}


def test_an_id_that_comes_back_with_another_key_stops_T3(settings: Any) -> None:
    settings.SIGNING_KEYS = [FIRST]
    document = sign(KIND, CONTENT)
    settings.SIGNING_KEYS = [("s1", SECOND[1])]
    with pytest.raises(ImproperlyConfigured, match="'s1' to another key"):
        sign(KIND, CONTENT)
    with pytest.raises(ImproperlyConfigured, match="'s1' to another key"):
        signing.published_keys()
    settings.SIGNING_KEYS = [SECOND]
    verify(document, signing.published_keys(), kind=KIND)


def test_processes_that_publish_at_once_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes the key between our look and our write."""
    fetch, mine = SigningKey.fetch, threading.local()

    def fetch_late(hash_key: str, range_key: str | None = None) -> SigningKey | None:
        if not getattr(mine, "again", False):
            mine.again = True
            sign(KIND, CONTENT)
            return None
        return fetch(hash_key, range_key)

    monkeypatch.setattr(SigningKey, "fetch", fetch_late)
    document = sign(KIND, CONTENT)
    verify(document, signing.published_keys(), kind=KIND)


@pytest.mark.parametrize("value", [None, {}, {"keys": 1}, {"keys": [{"kid": "a"}]}, []])
def test_what_is_no_key_set_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        signing.from_jwks(value)
