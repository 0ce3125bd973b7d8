"""Terraform for tests: the binary, the AWS provider where a mirror of it is on the machine, and a
copy of infra/ to work in, so that nothing is left in the repository.

The mirror is looked for under the usual roots, or named by `TF_PLUGIN_DIR`; elsewhere `init`
downloads the provider.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from filevault.local.environment import outside_environment
from filevault.local.ministack import REPOSITORY

PROVIDER = Path("registry.terraform.io/hashicorp/aws")
USUAL_ROOTS = ("~/.terraform.d", "/opt", "/usr/local", "/usr/share", "/usr/lib", "/var/lib")
#: How many directories may lie between a root and the mirror.
DEPTH = 3
INFRA = REPOSITORY / "infra"
EMULATED = REPOSITORY / "tests" / "infra" / "emulated"


def find_terraform() -> str | None:
    """The path of the program, if there is one."""
    return shutil.which(os.environ.get("TERRAFORM", "terraform"))


def find_mirror() -> Path | None:
    """The directory of a provider mirror that holds the AWS provider, if there is one."""
    named = os.environ.get("TF_PLUGIN_DIR")
    return Path(named) if named else next(_mirrors(), None)


def _mirrors() -> Iterator[Path]:
    for root in USUAL_ROOTS:
        for depth in range(DEPTH + 1):
            pattern = "/".join(["*"] * depth + [str(PROVIDER)])
            for found in sorted(Path(root).expanduser().glob(pattern)):
                yield found.parents[2]


@dataclass(frozen=True)
class Root:
    """A directory with a configuration to run, in a copy of its own."""

    path: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; output as text, any exit code."""
        program = find_terraform()
        assert program
        command = [program, arguments[0], "-no-color", *arguments[1:]]
        return subprocess.run(
            command,
            cwd=self.path,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def must(self, *arguments: str) -> str:
        """The output of a command that has to go well."""
        done = self.run(*arguments)
        assert done.returncode == 0, (
            f"terraform {arguments[0]}:\n{done.stdout[-2000:]}\n{done.stderr}"
        )
        return done.stdout

    def init(self) -> None:
        """Make the provider ready. The test is left out where there is neither a mirror nor a
        network; `REQUIRE_TERRAFORM=1` makes that a failure."""
        mirror = find_mirror()
        where = [f"-plugin-dir={mirror}"] if mirror else []
        done = self.run("init", "-backend=false", "-input=false", *where)
        if done.returncode and not mirror and os.environ.get("REQUIRE_TERRAFORM") != "1":
            pytest.skip("the provider is neither in a mirror nor to be downloaded")
        assert done.returncode == 0, done.stderr

    def outputs(self) -> dict[str, Any]:
        """What was applied says of itself."""
        values = json.loads(self.must("output", "-json"))
        return {name: each["value"] for name, each in values.items()}


def copied(root: Path, where: Path, settings: Mapping[str, str] | None = None) -> Root:
    """The configuration in `root`, with all of infra/ beside it as in the repository. `settings`
    are further variables of its environment."""
    skip = shutil.ignore_patterns(".terraform*", "*.tfstate*", "__pycache__")
    for tree in {INFRA, root}:
        target = where / tree.relative_to(REPOSITORY)
        shutil.copytree(tree, target, ignore=skip, dirs_exist_ok=True)
    ours = {
        "CHECKPOINT_DISABLE": "1",
        "GOGC": "400",  # the provider's schema is large: a quarter less of processor time
        "TF_CLI_CONFIG_FILE": os.devnull,
        "TF_IN_AUTOMATION": "1",
    }
    return Root(
        where / root.relative_to(REPOSITORY), outside_environment() | ours | dict(settings or {})
    )
