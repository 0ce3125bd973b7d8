"""The Dockerfile, read: its stages and their instructions, in order."""

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from filevault.local.ministack import REPOSITORY


@dataclass
class Stage:
    """One `FROM` and what follows it, as (instruction, rest) pairs."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        """What follows every instruction of a kind."""
        return [rest for name, rest in self.steps if name == instruction]

    def variables(self) -> dict[str, str]:
        """What its `ENV` lines set."""
        pairs = [pair for rest in self.all("ENV") for pair in shlex.split(rest)]
        return dict(pair.split("=", 1) for pair in pairs)

    def command(self) -> list[str]:
        """Its `CMD`, in the form without a shell."""
        (command,) = self.all("CMD")
        return list(map(str, json.loads(command)))

    def health_check(self) -> list[str]:
        """The command of its `HEALTHCHECK`."""
        (check,) = self.all("HEALTHCHECK")
        return list(map(str, json.loads(check.partition("CMD ")[2])))


def read_stages(path: Path = REPOSITORY / "Dockerfile") -> list[Stage]:
    """The stages, with every `ARG` before the first of them put in."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _blank, rest = line.partition(" ")
        if name == "FROM":
            stages.append(Stage(Template(rest).substitute(arguments)))
        elif not stages:
            argument, _equals, default = rest.partition("=")
            arguments[argument] = default
        else:
            stages[-1].steps.append((name, " ".join(rest.split())))
    return stages
