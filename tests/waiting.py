"""Waiting for what happens by itself, with a deadline and never by luck."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 60


def wait_until(found: Callable[[], T], what: str, seconds: float = DEADLINE) -> T:
    """Ask again and again until there is something, and answer with that. AssertionError after
    `seconds`, saying what there was not."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.1)
    return value
