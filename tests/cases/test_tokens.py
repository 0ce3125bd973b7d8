"""The token of an invitation's link (I3, T3)."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import OctKey
from pytest_django import Settings

from cases import tokens
from filevault.dynamo import new_id, now

KEY = "0123456789abcdef0123456789abcdef"
CLAIMS = tokens.Claims(new_id(), new_id(), new_id())
HOUR = timedelta(hours=1)


def body(**changes: Any) -> dict[str, Any]:
    moment = int(now().timestamp())
    return {
        "iss": "http://testserver",
        "aud": "filevault-portal",
        "iat": moment,
        "exp": moment + 3600,
        "jti": CLAIMS.jti,
        "caseId": CLAIMS.case_id,
        "clientId": CLAIMS.client_id,
    } | changes


def forge(claims: dict[str, Any], *, key: str = KEY, alg: str = "HS256", **header: Any) -> str:
    head = {"alg": alg, "kid": "k1", "typ": "invitation+jwt"} | header
    return jwt.encode(head, claims, OctKey.import_key(key), [alg])


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_signed_token_reads_back() -> None:
    assert tokens.read(tokens.sign(CLAIMS, expires_at=now() + HOUR)) == CLAIMS
    assert tokens.read(forge(body())) == CLAIMS


@pytest.mark.parametrize(
    "claims",
    [
        body(iss="https://other.example.test"),
        body(aud="filevault-api"),
        body(aud=["filevault-portal", "other"]),
        body(exp=None),
        body(exp="4102444800"),
        body(jti=""),
        body(jti=7),
        body(caseId=[CLAIMS.case_id]),
        body(caseId=CLAIMS.case_id.upper()),
        {key: value for key, value in body().items() if key != "exp"},
        {key: value for key, value in body().items() if key != "jti"},
        {key: value for key, value in body().items() if key != "clientId"},
    ],
)
def test_claims_that_are_not_ours_are_refused_I3(claims: dict[str, Any]) -> None:
    with pytest.raises(tokens.Broken):
        tokens.read(forge(claims))


def test_another_key_type_or_algorithm_is_refused_I3() -> None:
    unsigned = f"{part({'alg': 'none', 'kid': 'k1', 'typ': 'invitation+jwt'})}.{part(body())}."
    forgeries = [
        forge(body(), key="f" * 32),
        forge(body(), typ="JWT"),
        forge(body(), kid="k2"),
        forge(body(), key=KEY * 2, alg="HS512"),
        forge(body(), key=KEY, alg="HS384"),
        unsigned,
    ]
    for token in forgeries:
        with pytest.raises(tokens.Broken):
            tokens.read(token)


def test_any_altered_claim_is_refused_I3() -> None:
    head, _payload, signature = tokens.sign(CLAIMS, expires_at=now() + HOUR).split(".")
    for name in ("iss", "aud", "iat", "exp", "jti", "caseId", "clientId"):
        altered = body(**{name: new_id()})
        with pytest.raises(tokens.Broken):
            tokens.read(f"{head}.{part(altered)}.{signature}")


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "\x00", "x" * 5000])
def test_what_is_no_token_is_refused_I3(text: str) -> None:
    with pytest.raises(tokens.Broken):
        tokens.read(text)


def test_a_deeply_nested_header_is_refused_I3() -> None:
    header = base64.urlsafe_b64encode(b"[" * 1200).decode()
    with pytest.raises(tokens.Broken):
        tokens.read(f"{header}.e30.e30")


def test_an_expired_token_keeps_its_claims_I6() -> None:
    token = tokens.sign(CLAIMS, expires_at=now() + HOUR)
    late = now() + HOUR + timedelta(seconds=1)
    with time_machine.travel(late, tick=False), pytest.raises(tokens.Expired) as caught:
        tokens.read(token)
    assert caught.value.claims == CLAIMS


def test_a_link_signed_by_a_clock_that_is_ahead_opens() -> None:
    with time_machine.travel(now() + timedelta(minutes=5), tick=False):
        token = tokens.sign(CLAIMS, expires_at=now() + HOUR)
    assert tokens.read(token) == CLAIMS


def test_a_key_is_rotated_without_breaking_links_T3(settings: Settings) -> None:
    before = tokens.sign(CLAIMS, expires_at=now() + HOUR)
    settings.INVITATION_SIGNING_KEYS = [f"k2:{'n' * 32}", f"k1:{KEY}"]
    after = tokens.sign(CLAIMS, expires_at=now() + HOUR)
    assert tokens.read(before) == tokens.read(after) == CLAIMS
    settings.INVITATION_SIGNING_KEYS = [f"k2:{'n' * 32}"]
    assert tokens.read(after) == CLAIMS
    with pytest.raises(tokens.Broken):
        tokens.read(before)
