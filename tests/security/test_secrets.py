"""Secrets come from Parameter Store, and rotate without ending anything (T3)."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from filevault.local.ministack import free_port
from filevault.local.processes import wait_until_answering, web_server
from filevault.local.seed import admin_session
from tests.security.outages import policy
from tests.security.people import B_EMAIL, Invited, Person, Town
from tests.stack import TestStack

pytestmark = pytest.mark.stack

PATH = "/filevault/rotation"
#: What production keeps in Parameter Store.
SECRETS = ("SECRET_KEY", "INVITATION_SIGNING_KEYS", "SIGNING_KEYS", "OIDC_CLIENT_SECRET")


def a_secret() -> str:
    return secrets.token_urlsafe(48)


def a_seed() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


@contextmanager
def parameters(stack: TestStack, values: dict[str, str]) -> Iterator[None]:
    """Values in Parameter Store, which the product may read until the end of the block."""
    session, endpoint = admin_session(stack.ministack), stack.ministack.endpoint
    ssm = session.client("ssm", endpoint_url=endpoint)
    for name, value in values.items():
        ssm.put_parameter(Name=f"{PATH}/{name}", Value=value, Type="SecureString", Overwrite=True)
    # MiniStack weighs this call against "*", where AWS takes the path.
    allow = {"Effect": "Allow", "Action": "ssm:GetParametersByPath", "Resource": "*"}
    try:
        with policy(stack, "parameters", allow):
            yield
    finally:
        for name in values:
            ssm.delete_parameter(Name=f"{PATH}/{name}")


@contextmanager
def rotated_app(stack: TestStack) -> Iterator[str]:
    """The product beside the stack's own, on the same tables: with new keys, which it has from
    Parameter Store, and the old ones behind them. None of the secrets is in its environment."""
    before = stack.environment
    stored = {
        "SECRET_KEY": a_secret(),
        "SECRET_KEY_FALLBACKS": before["SECRET_KEY"],
        "INVITATION_SIGNING_KEYS": f"new:{a_secret()},{before['INVITATION_SIGNING_KEYS']}",
        "SIGNING_KEYS": f"new:{a_seed()},{before['SIGNING_KEYS']}",
        "OIDC_CLIENT_SECRET": before["OIDC_CLIENT_SECRET"],
        "DEFAULT_FROM_EMAIL": "not-taken@example.test",  # a variable wins
    }
    environment = {name: value for name, value in before.items() if name not in SECRETS}
    port = free_port(int(stack.stack["site"].rpartition(":")[2]) + 30)
    web = web_server(environment | {"SSM_PREFIX": PATH}, port, stack.state / "rotated")
    with parameters(stack, stored):
        try:
            web.start()
            wait_until_answering(web, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            web.stop()


@pytest.fixture(scope="module")
def rotated(app: str, stack: TestStack) -> Iterator[str]:
    with rotated_app(stack) as site:
        yield site


def moved(person: Person, site: str, stack: TestStack) -> Person:
    """The same browser after the rotation: its cookies and nothing else."""
    after = Person(site, stack)
    for cookie in person.http.cookies.jar:
        after.http.cookies.set(cookie.name, cookie.value or "", domain="127.0.0.1", path="/")
    return after


def test_the_product_starts_with_its_secrets_from_parameter_store_T3(
    rotated: str, stack: TestStack
) -> None:
    """A login needs the client's secret, a signed session, and a form's token."""
    x = Person(rotated, stack)
    begun = x.begin_login().headers["Location"]
    callback = x.prove(begun, B_EMAIL).replace(stack.stack["site"], rotated)
    assert x.get(callback).status_code == 302
    x.post(
        "/welcome/", {"display_name": "Ben Okafor", "practice": "Practice"}, page="/invite/fresh/"
    )
    assert x.post("/auth/keepalive/", page="/settings/").json()["secondsLeft"] > 0


def test_sessions_links_and_open_forms_survive_a_rotation_T3(
    town: Town, invited: Invited, rotated: str, stack: TestStack
) -> None:
    a, c1 = moved(town.a, rotated, stack), moved(town.c1, rotated, stack)
    form = town.a.token("/settings/")
    assert a.is_signed_in
    assert c1.get(town.portal_one).status_code == 200
    kept = a.http.post("/auth/keepalive/", headers={"X-CSRFToken": form})
    assert kept.status_code == 200, "a form that was open is still good"
    link = invited.link.replace(stack.stack["site"], rotated)
    assert Person(rotated, stack).open_link(link).status_code == 200


def test_a_code_mailed_before_a_rotation_counts_after_it_T3(
    invited: Invited, rotated: str, stack: TestStack
) -> None:
    invited.person.open_link(invited.link)
    code = invited.person.ask_for_code(invited.email)
    after = moved(invited.person, rotated, stack)
    assert after.post("/invite/code/", {"code": code}).status_code == 302
    assert after.get(invited.home).status_code == 200
