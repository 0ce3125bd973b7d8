"""A real worker process that meets one accident at its first call of an operation.

    python -m tests.faults.faulty_worker SendEmail kill-before

Accidents: `kill-before` and `kill-after` the call (SIGKILL), `stop-before` (SIGSTOP) and
`slow-before` (two seconds). It prints a line when the accident begins.
"""

import os
import signal
import sys
import time
from collections.abc import Callable

import django
from django.core.management import call_command

from tests.faults.wire import Answer, Fault, open_wire


def accident(kind: str) -> Fault:
    """The fault of a kind, which strikes this very process."""

    def fault(call: Callable[[], Answer]) -> Answer:
        answer = call() if kind == "kill-after" else None
        print("accident", flush=True)
        if kind == "slow-before":
            time.sleep(2)
        else:
            strike = signal.SIGSTOP if kind == "stop-before" else signal.SIGKILL
            os.kill(os.getpid(), strike)
        return answer if answer is not None else call()

    return fault


def main() -> None:
    operation, kind = sys.argv[1:]
    django.setup()
    with open_wire() as wire:
        wire.add(operation, accident(kind))
        call_command("run_worker")


if __name__ == "__main__":
    main()
