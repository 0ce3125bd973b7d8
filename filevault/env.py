"""Reading the environment strictly: a malformed variable stops the start, and says which it is."""

import os
import re
import warnings
from collections.abc import Collection, Mapping
from email.utils import parseaddr
from ipaddress import ip_network
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import certifi
import environ
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from filevault import base64url
from filevault.aws import AWS_ERRORS, error_code, read_parameters

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_DSQL = "aurora_dsql_django"
_DATABASES = {"django.db.backends.postgresql", "django.db.backends.sqlite3", _DSQL}
environ.Env.DB_SCHEMES["dsql"] = _DSQL
#: What the secrets of .env.example begin with: everybody knows them.
_PLACEHOLDER = "change-me"
#: Above every size and duration that makes sense, and below what date arithmetic can't hold.
MOST: Final = 10**15
RSA_BITS: Final = 2048
SEED_BYTES: Final = 32


class Environment:
    """The variables of this process. An empty one counts as not set, as compose files and task
    definitions leave them. Each reader raises `ImproperlyConfigured` with one line that names the
    variable."""

    def __init__(self) -> None:
        self._stored: Mapping[str, str] = MappingProxyType({})

    def read_parameters(self, prefix: str) -> None:
        """Take what is in no variable from Parameter Store, once. It isn't copied into the
        environment, which child processes inherit. An empty prefix does nothing."""
        if prefix:
            self._stored = _stored_under(prefix)

    def text(self, name: str, *, default: str) -> str:
        given = os.environ.get(name, "").strip()
        return given or self._stored.get(name, "").strip() or default

    def listing(self, name: str) -> list[str]:
        """What stands between commas."""
        parts = [part.strip() for part in self.text(name, default="").split(",")]
        return [part for part in parts if part]

    def required(self, name: str) -> str:
        """A text without which nothing can start."""
        value = self.text(name, default="")
        if not value:
            raise ImproperlyConfigured(f"{name} is not set. See .env.example for what it means.")
        return value

    def secret(self, name: str, *, length: int, optional: bool = False) -> str:
        """A secret of at least so many characters, required unless it is optional. Never quoted in
        a message."""
        if optional and not self.text(name, default=""):
            return ""
        value = self.required(name)
        if not _is_secret(value, length):
            raise ImproperlyConfigured(f"{name} needs {length} random characters or more.")
        return value

    def keys(self, name: str, *, length: int) -> list[str]:
        """`id:secret` pairs, at least one."""
        self.required(name)
        pairs = self.listing(name)
        if not all(_is_key(pair, length) for pair in pairs):
            raise ImproperlyConfigured(
                f"{name} needs id:secret, with {length} random characters or more as the secret."
            )
        return pairs

    def seeds(self, name: str) -> list[tuple[str, bytes]]:
        """`id:seed` pairs of Ed25519 private keys, at least one: 32 bytes in base64url (RFC 8032).
        Never quoted in a message."""
        self.required(name)
        pairs = []
        for part in self.listing(name):
            key_id, _colon, text = part.partition(":")
            seed = b"" if text.startswith(_PLACEHOLDER) else _from_base64url(text)
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", key_id) or len(seed) != SEED_BYTES:
                raise ImproperlyConfigured(
                    f"{name} needs id:seed, with 32 random bytes in base64url as the seed."
                )
            pairs.append((key_id, seed))
        if len(dict(pairs)) < len(pairs):
            raise ImproperlyConfigured(f"{name} names a key twice.")
        return pairs

    def rsa_keys(self, name: str) -> list[tuple[str, str]]:
        """`id:PEM` pairs of RSA private keys, in which `\\n` may stand for a new line; none where
        it is not set. Never quoted in a message."""
        pairs = []
        for part in self.listing(name):
            key_id, _colon, text = part.partition(":")
            pem = text.replace("\\n", "\n")
            if not re.fullmatch(r"[A-Za-z0-9_-]+", key_id) or not _is_rsa_key(pem):
                raise ImproperlyConfigured(
                    f"{name} needs id:PEM, with an RSA private key of 2048 bits as the PEM."
                )
            pairs.append((key_id, pem))
        return pairs

    def matching(
        self, name: str, pattern: str, *, example: str, default: str = "", optional: bool = False
    ) -> str:
        """A text of a fixed form; required unless there is a default, or it is optional."""
        value = self.text(name, default=default)
        if not value and optional:
            return ""
        value = value or self.required(name)
        if not re.fullmatch(pattern, value):
            raise ImproperlyConfigured(f"{name} must look like {example}, not {value!r}.")
        return value

    def mailbox(self, name: str) -> str:
        """An e-mail address, with or without a name before it."""
        value = self.required(name)
        try:
            validate_email(parseaddr(value)[1])
        except ValidationError:
            raise ImproperlyConfigured(
                f"{name} must be an e-mail address, not {value!r}."
            ) from None
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.text(name, default="1" if default else "0").lower()
        if value not in _TRUE | _FALSE:
            raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
        return value in _TRUE

    def number(self, name: str, *, default: int, least: int = 1, most: int = MOST) -> int:
        """A whole number above 0: no setting of ours has a use for another."""
        value = self.text(name, default=str(default))
        if not re.fullmatch(r"[0-9]{1,16}", value) or not least <= int(value) <= most:
            above = "above 0" if least == 1 else f"of at least {least}"
            raise ImproperlyConfigured(
                f"{name} must be a whole number {above} and at most {most}, not {value!r}."
            )
        return int(value)

    def choice(self, name: str, options: Collection[str], *, default: str) -> str:
        """One of a few words."""
        value = self.text(name, default=default)
        if value not in options:
            words = ", ".join(sorted(options))
            raise ImproperlyConfigured(f"{name} must be one of {words}, not {value!r}.")
        return value

    def address(self, name: str, *, default: str | None = None) -> str:
        """An http(s) address; required unless there is a default."""
        value = self.required(name) if default is None else self.text(name, default=default)
        if value and not _is_address(value):
            raise ImproperlyConfigured(f"{name} must be an http(s) address, not {value!r}.")
        return value

    def service(self, name: str, *, scheme: str) -> str:
        """An optional `scheme://host` or `scheme://host:port`, and nothing more."""
        value = self.text(name, default="")
        if value and not _is_service(value, scheme):
            raise ImproperlyConfigured(
                f"{name} must look like {scheme}://host:port, not {value!r}."
            )
        return value

    def networks(self, name: str) -> list[str]:
        """Addresses or networks, with commas between them."""
        networks = self.listing(name)
        for network in networks:
            try:
                ip_network(network, strict=False)
            except ValueError:
                raise ImproperlyConfigured(
                    f"{name} must list networks such as 10.0.0.0/8, not {network!r}."
                ) from None
        return networks

    def time_zone(self, name: str, *, default: str) -> str:
        value = self.text(name, default=default)
        try:
            ZoneInfo(value)
        except (ValueError, OSError, LookupError):  # a path, a folder of zones, an unknown one
            raise ImproperlyConfigured(
                f"{name} must be a time zone such as Europe/Berlin."
            ) from None
        return value

    def database(self, name: str) -> dict[str, Any]:
        """A database address. Never quoted in a message, since it holds a password."""
        url = self.required(name)
        try:
            with warnings.catch_warnings(action="ignore"):  # they quote the whole address
                config: dict[str, Any] = environ.Env.db_url_config(url)
        except ValueError:
            config = {}
        if config.get("ENGINE") not in _DATABASES:
            raise ImproperlyConfigured(
                f"{name} must be an address such as postgres://user:password@host/database."
            )
        if config["ENGINE"] == _DSQL:
            # Each connection has a token of the role for a password, which nobody else on the way
            # may get. The driver's wheel doesn't know where the system keeps its roots.
            config["OPTIONS"] = {"sslmode": "verify-full", "sslrootcert": certifi.where()}
        return config


def _stored_under(prefix: str) -> Mapping[str, str]:
    if not re.fullmatch(r"(/[A-Za-z0-9_.-]+)+/?", prefix):
        raise ImproperlyConfigured(
            f"SSM_PREFIX must look like /filevault/production, not {prefix!r}."
        )
    try:
        return read_parameters(prefix)
    except AWS_ERRORS as error:
        reason = error_code(error) or type(error).__name__
        raise ImproperlyConfigured(
            f"SSM_PREFIX is {prefix}, but its parameters can't be read ({reason})."
        ) from None


def _is_secret(value: str, length: int) -> bool:
    return len(value) >= length and not value.startswith(_PLACEHOLDER)


def _is_key(pair: str, length: int) -> bool:
    key_id, _colon, secret = pair.partition(":")
    return bool(key_id) and _is_secret(secret, length)


def _from_base64url(text: str) -> bytes:
    """The bytes; none where the text is something else."""
    try:
        return base64url.decode(text)
    except ValueError:
        return b""


def _is_rsa_key(pem: str) -> bool:
    """CloudFront takes keys of 2048 bits alone (AWS, "Create key pairs for your signers")."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm):  # TypeError: it has a password
        return False
    return isinstance(key, RSAPrivateKey) and key.key_size == RSA_BITS


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that don't close, a port that is no number
        return False


def _is_service(value: str, scheme: str) -> bool:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    host = f"[{host}]" if host and ":" in host else host
    plain = f"{scheme}://{host}" if port is None else f"{scheme}://{host}:{port}"
    return bool(host) and port != 0 and not re.search(r"\s", value) and value.lower() == plain
