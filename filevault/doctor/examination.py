"""The parts of an examination, and how each step of one is told."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import requests
from botocore.exceptions import NoCredentialsError
from django.db import DatabaseError
from django.utils.module_loading import autodiscover_modules

from filevault.aws import AWS_ERRORS, error_code, lacking_right
from filevault.dynamo import STORE_ERRORS
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)

#: Connect and read, in seconds.
TIMEOUT: Final = (3, 10)


class Fault(Exception):
    """What a step found. Its text is the way to mend it, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the examination: what must be so, and a check that raises `Fault` where it
    isn't. What AWS, the store or an HTTP server raise is told as a fault too."""

    what: str
    check: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Finding:
    """A step's outcome; no `fix` means that all is well."""

    what: str
    fix: str = ""

    def __str__(self) -> str:
        return f"FAIL {self.what}: {self.fix}" if self.fix else f"ok   {self.what}"


#: Gives its steps one by one, so that it can clean up after the last.
Part = Callable[[], Iterable[Step]]
_parts: dict[str, Part] = {}


def part(name: str) -> Callable[[Part], Part]:
    """Register a part. Parts stand in the module `doctor` of the app that knows them."""

    def register(function: Part) -> Part:
        _parts[name] = function
        return function

    return register


def part_names() -> list[str]:
    """Every part of the installed apps, in their order."""
    autodiscover_modules("doctor")
    return list(_parts)


def examine(names: Collection[str] = ()) -> Iterator[Finding]:
    """Take every step of the parts that are named, or of all."""
    for name in part_names():
        if not names or name in names:
            for step in _parts[name]():
                yield _take(step)


def _take(step: Step) -> Finding:
    try:
        step.check()
    except Fault as fault:
        return Finding(step.what, str(fault))
    except (*STORE_ERRORS, *AWS_ERRORS, Unavailable) as error:
        return Finding(step.what, _mend_call(error))
    except requests.exceptions.SSLError:
        return Finding(step.what, "its certificate isn't trusted: renew it, or install its chain")
    except (requests.RequestException, OSError) as error:
        return Finding(step.what, f"no answer ({type(error).__name__}): check address and network")
    except DatabaseError as error:
        return Finding(step.what, f"{type(error).__name__}: check DATABASE_URL and its network")
    except Exception as error:  # one answer that nobody thought of must not hide the other lines
        logger.exception("step failed")
        kind = type(error).__name__
        return Finding(step.what, f"an answer that can't be read ({kind}): mend what failed above")
    return Finding(step.what)


def _mend_call(error: Exception) -> str:
    cause: BaseException = error
    while following := getattr(cause, "cause", None) or cause.__cause__:
        cause = following
    if isinstance(cause, Unavailable):
        return "mend what failed above first"
    if isinstance(cause, NoCredentialsError):
        return "give this process AWS credentials (a role, or the SDK's environment variables)"
    right = lacking_right(cause)
    if right:
        return f"allow {right} to this role, or run the doctor with one that may look"
    code = error_code(cause)
    if code:
        return f"AWS says {code}: check the name, the region and the endpoint"
    return f"no answer ({type(cause).__name__}): check endpoint and network"
