"""A login provider in memory, behind the HTTP transport: discovery, keys, tokens.

It checks what a careful provider checks (PKCE, client secret, redirect address, one use of a code)
and can be told to misbehave: other claims, another algorithm, another key, away.
"""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import responses
from joserfc import jwt
from joserfc.jwk import RSAKey
from requests import ConnectionError, PreparedRequest

ISSUER = "https://login.example.test/pool"
CLIENT_ID = "filevault-web"
CLIENT_SECRET = "a-client-secret"
BASE = "https://sign-in.example.test"
_KEYS = {kid: RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}) for kid in ("one", "two")}


@dataclass
class Provider:
    """What the next login says and how it is signed; change it before the callback."""

    claims: dict[str, Any] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    algorithm: str = "RS256"
    kid: str = "one"
    published: tuple[str, ...] = ("one",)
    metadata: dict[str, Any] = field(default_factory=dict)
    away: bool = False
    #: What UserInfo answers; the endpoint is offered where this is set.
    userinfo: Any = None
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def serve(self, mock: responses.RequestsMock) -> None:
        discovery = f"{ISSUER}/.well-known/openid-configuration"
        for method, url, answer in (
            ("GET", discovery, self._discovery),
            ("GET", f"{BASE}/keys", self._jwks),
            ("POST", f"{BASE}/token", self._token),
            ("GET", f"{BASE}/userinfo", self._userinfo),
        ):
            mock.add_callback(method, url, callback=self._noting(answer))

    def authorize(self, address: str, **changes: str) -> str:
        """What the provider's login page leads back to: the callback's path and query."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = query
        path = urlsplit(query["redirect_uri"]).path
        return f"{path}?{urlencode({'code': code, 'state': query['state'], **changes})}"

    def _noting(self, answer: Any) -> Any:
        def respond(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
            if self.away:
                raise ConnectionError("away")
            self.asked.append(urlsplit(str(request.url)).path)
            status, body = answer(request)
            return status, {"Content-Type": "application/json"}, json.dumps(body)

        return respond

    def _discovery(self, request: PreparedRequest) -> tuple[int, dict[str, Any]]:
        return 200, {
            "issuer": ISSUER,
            "authorization_endpoint": f"{BASE}/authorize",
            "token_endpoint": f"{BASE}/token",
            "jwks_uri": f"{BASE}/keys",
            "end_session_endpoint": "https://sign-out.example.test/end",
            **({"userinfo_endpoint": f"{BASE}/userinfo"} if self.userinfo is not None else {}),
            **self.metadata,
        }

    def _jwks(self, request: PreparedRequest) -> tuple[int, dict[str, Any]]:
        return 200, {"keys": [_KEYS[kid].as_dict(private=False) for kid in self.published]}

    def _token(self, request: PreparedRequest) -> tuple[int, dict[str, Any]]:
        form = {name: values[0] for name, values in parse_qs(str(request.body)).items()}
        begun = self._codes.pop(form["code"], None)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        if (
            begun is None
            or request.headers["Authorization"] != f"Basic {basic}"
            or form["redirect_uri"] != begun["redirect_uri"]
            or _base64(challenge) != begun["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        token = self.id_token(begun["nonce"])
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": token}

    def _userinfo(self, request: PreparedRequest) -> tuple[int, Any]:
        if not str(request.headers["Authorization"]).startswith("Bearer "):
            return 401, {"error": "invalid_token"}
        answer = self.userinfo() if callable(self.userinfo) else self.userinfo
        return (answer, {}) if isinstance(answer, int) else (200, answer)

    def id_token(self, nonce: str) -> str:
        moment = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": CLIENT_ID,
            "sub": "anna",
            "iat": moment,
            "exp": moment + 3600,
            "nonce": nonce,
            "token_use": "id",
            "email": "anna.novak@example.test",
            "email_verified": True,
            "name": "Anna Novak",
        }
        return self._signed(claims)

    def access_token(self) -> str:
        """An access token as Cognito makes it: with `client_id` and without `aud` and `email`."""
        moment = int(time.time())
        claims = {
            "iss": ISSUER,
            "client_id": CLIENT_ID,
            "sub": "anna",
            "iat": moment,
            "exp": moment + 3600,
            "token_use": "access",
            "scope": "openid email profile",
            "username": "anna",
        }
        return self._signed(claims)

    def _signed(self, claims: dict[str, Any]) -> str:
        claims |= self.claims
        kept = {name: value for name, value in claims.items() if name not in self.left_out}
        header = {"alg": self.algorithm, "kid": self.kid}
        if self.algorithm == "none":
            return f"{_encoded(header)}.{_encoded(kept)}."
        if self.algorithm == "HS256":  # the public key as a MAC's secret, RFC 8725 §2.1
            signed = f"{_encoded(header)}.{_encoded(kept)}"
            secret = _KEYS[self.kid].as_pem(private=False)
            return f"{signed}.{_base64(hmac.digest(secret, signed.encode(), 'sha256'))}"
        return jwt.encode(header, kept, _KEYS[self.kid], algorithms=[self.algorithm])


def _encoded(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
