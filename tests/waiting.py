"""Waiting for what happens by itself, with a deadline and never by luck."""

import time
from collections.abc import Callable

DEADLINE = 60


def wait_until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    """Ask again and again until it holds. AssertionError after `seconds`, saying what did not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.1)
