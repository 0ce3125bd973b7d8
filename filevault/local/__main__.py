"""`python -m filevault.local run` and `python -m filevault.local exec -- <command>`."""

import argparse
import os
import sys

from filevault.local.environment import outside_environment
from filevault.local.ministack import StackError
from filevault.local.runner import execute, run


def main() -> int:
    """Parse the command line and do what it says; an error is one message and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m filevault.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("run", help="start everything and stay")
    start.add_argument("--port", type=_port, default=8000)
    become = commands.add_parser("exec", help="run a command with the stack's environment")
    become.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    # Provisioning must not pick up a developer's real profile either.
    environment = outside_environment()
    os.environ.clear()
    os.environ.update(environment)
    try:
        if options.command == "run":
            run(options.port)
        else:
            command = [a for i, a in enumerate(options.arguments) if (i, a) != (0, "--")]
            if not command:
                parser.error("exec needs a command, as in: exec -- python manage.py check")
            execute(command)
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def _port(text: str) -> int:
    port = int(text) if text.isdigit() else 0
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number (1 to 65535)")
    return port


if __name__ == "__main__":
    sys.exit(main())
