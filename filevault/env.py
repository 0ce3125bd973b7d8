"""Reading the environment strictly: a malformed variable stops the start, and says which it is."""

import warnings
from collections.abc import Collection
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class Environment(environ.Env):  # type: ignore[misc]
    """django-environ's, where it would guess (a misspelt boolean is False to it) or trace."""

    def required(self, name: str) -> str:
        """A text without which nothing can start."""
        value: str = self.str(name, default="")
        if not value:
            raise ImproperlyConfigured(f"{name} is not set. See .env.example for what it means.")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.str(name, default="1" if default else "0").strip().lower()
        if value not in _TRUE | _FALSE:
            raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
        return value in _TRUE

    def number(self, name: str, *, default: int) -> int:
        """A whole number above 0: no setting of ours has a use for another."""
        value = self.str(name, default=str(default)).strip()
        if not (value.isascii() and value.isdecimal()) or not int(value):
            raise ImproperlyConfigured(f"{name} must be a whole number above 0, not {value!r}.")
        return int(value)

    def choice(self, name: str, options: Collection[str], *, default: str) -> str:
        """One of a few words."""
        value: str = self.str(name, default=default)
        if value not in options:
            words = ", ".join(sorted(options))
            raise ImproperlyConfigured(f"{name} must be one of {words}, not {value!r}.")
        return value

    def address(self, name: str, *, default: str | None = None) -> str:
        """An http(s) address; required unless there is a default."""
        value: str = self.required(name) if default is None else self.str(name, default=default)
        if value and not _is_address(value):
            raise ImproperlyConfigured(f"{name} must be an http(s) address, not {value!r}.")
        return value

    def networks(self, name: str) -> list[str]:
        """Addresses or networks, with commas between them."""
        networks: list[str] = self.list(name, default=[])
        for network in networks:
            try:
                ip_network(network, strict=False)
            except ValueError:
                raise ImproperlyConfigured(
                    f"{name} must list networks such as 10.0.0.0/8, not {network!r}."
                ) from None
        return networks

    def time_zone(self, name: str, *, default: str) -> str:
        value: str = self.str(name, default=default)
        if value not in available_timezones():
            raise ImproperlyConfigured(f"{name} must be a time zone such as Europe/Berlin.")
        return value

    def database(self, name: str) -> dict[str, Any]:
        """A database address. Never quoted in a message, since it holds a password."""
        url = self.required(name)
        try:
            with warnings.catch_warnings(action="ignore"):  # they quote the whole address
                config: dict[str, Any] = self.db_url_config(url)
        except ValueError:
            config = {}
        if not config.get("ENGINE"):
            raise ImproperlyConfigured(
                f"{name} must be an address such as postgres://user:password@host/database."
            )
        return config


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that don't close, a port that is no number
        return False
