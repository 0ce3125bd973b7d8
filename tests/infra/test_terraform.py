"""Every configuration is in Terraform's own form and valid against the provider."""

from pathlib import Path

import pytest

from filevault.local.ministack import REPOSITORY
from tests.infra.terraform import EMULATED, INFRA, Root, copied, find_mirror, find_terraform

pytestmark = pytest.mark.skipif(find_terraform() is None, reason="no terraform was found")


def test_the_files_are_in_terraforms_own_form() -> None:
    for tree in (INFRA, EMULATED):
        done = Root(tree, {}).run("fmt", "-check", "-recursive")
        assert done.returncode == 0, f"run: make format\n{done.stdout}"


# The other root, tests/infra/emulated, is applied.
def test_the_whole_service_is_valid(tmp_path: Path) -> None:
    live = copied(INFRA / "live", tmp_path)
    live.init()
    live.must("validate")


@pytest.mark.parametrize("depth", range(3))
def test_a_mirror_is_found_by_name_and_under_the_usual_roots(
    depth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path.joinpath(*"abc"[:depth])
    (mirror / "registry.terraform.io" / "hashicorp" / "aws").mkdir(parents=True)
    monkeypatch.delenv("TF_PLUGIN_DIR", raising=False)
    monkeypatch.setattr("tests.infra.terraform.USUAL_ROOTS", (str(tmp_path),))
    assert find_mirror() == mirror
    monkeypatch.setenv("TF_PLUGIN_DIR", str(REPOSITORY))
    assert find_mirror() == REPOSITORY
