"""What the Dockerfile says of the image."""

import re

from filevault.local.ministack import REPOSITORY
from tests.local.dockerfile import read_stages

BUILD, IMAGE = read_stages()


def test_every_base_is_pinned_by_tag_and_digest() -> None:
    bases = {stage.base.partition(" ")[0] for stage in (BUILD, IMAGE)}
    (base,) = bases
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)


def test_what_is_installed_is_hashed_and_compiled_by_nobody() -> None:
    installs = [run for run in BUILD.all("RUN") if " install " in run]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "--only-binary :all:" in installs[0]
    assert not any("install" in run.split() for run in IMAGE.all("RUN"))


def test_it_runs_as_somebody_without_rights() -> None:
    user = IMAGE.all("USER")[-1]
    assert user.isdigit()
    assert int(user) > 0
    assert IMAGE.steps.index(("USER", user)) > max(
        place for place, (name, _rest) in enumerate(IMAGE.steps) if name in {"RUN", "COPY"}
    )


def test_only_what_it_needs_is_sent_to_the_engine() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    copied = {name for rest in BUILD.all("COPY") for name in rest.split()[:-1]}
    assert ignored[0] == "*"
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied
