"""The one-server setup, as far as it can be held without an engine: its schema is checked by
`make lint`, its sense here."""

import ipaddress
import re
from typing import Any

import pytest
import yaml

from filevault.local.ministack import REPOSITORY
from tests.filevault.test_configuration import variables
from tests.local.dockerfile import read_stages

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker")
#: What the file itself reads of .env, beside the product's variables.
OF_THE_FILE = {"POSTGRES_PASSWORD", "FILEVAULT_VERSION"}


def test_web_worker_and_migration_are_one_image() -> None:
    assert len({SERVICES[name]["image"] for name in OURS}) == 1
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["migrate"]


def test_other_images_are_named_to_the_last_digit() -> None:
    others = [service["image"] for name, service in SERVICES.items() if name not in OURS]
    assert all(re.search(r":\d+\.\d+(\.\d+)?-\w+$", image) for image in others), others


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_writes_where_nothing_is_kept(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", OURS)
def test_the_product_has_no_rights_and_a_place_for_its_drafts(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["tmpfs"][0].startswith("/tmp")
    assert SERVICES[name]["stop_grace_period"] == "10s"


def test_the_proxy_alone_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert "database" not in SERVICES["proxy"]["networks"]
    assert not set(SERVICES["proxy"]["networks"]) & set(SERVICES["database"]["networks"])


def test_who_is_trusted_is_the_proxys_network_alone() -> None:
    (edge,) = COMPOSE["networks"]["edge"]["ipam"]["config"]
    for name in OURS:
        assert SERVICES[name]["environment"]["TRUSTED_PROXIES"] == edge["subnet"]
    assert ipaddress.ip_network(edge["subnet"]).is_private
    assert {name for name in SERVICES if "edge" in SERVICES[name]["networks"]} == {"web", "proxy"}


def test_every_variable_is_one_that_is_read() -> None:
    text = (REPOSITORY / "compose.yaml").read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.strip().startswith("#"))
    asked = set(re.findall(r"\$\{([A-Z_]+)", lines))
    given = {variable for name in OURS for variable in SERVICES[name]["environment"]}
    assert given <= variables()
    assert asked - OF_THE_FILE <= variables()
    assert set(re.findall(r"\{\$([A-Z_]+)", (REPOSITORY / "deploy/Caddyfile").read_text())) == set(
        SERVICES["proxy"]["environment"]
    )


def test_the_proxy_finds_the_port_that_the_image_serves() -> None:
    (exposed,) = read_stages()[-1].all("EXPOSE")
    assert f"reverse_proxy web:{exposed}\n" in (REPOSITORY / "deploy/Caddyfile").read_text()


def test_each_part_waits_for_what_it_needs() -> None:
    for name in ("web", "worker"):
        assert SERVICES[name]["depends_on"]["migrate"]["condition"] == (
            "service_completed_successfully"
        )
    assert SERVICES["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"


def test_what_must_outlive_a_container_lies_in_a_volume() -> None:
    kept = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    assert {name for name in kept if not name.startswith(".")} == set(COMPOSE["volumes"])
    assert not any("volumes" in SERVICES[name] for name in OURS)
