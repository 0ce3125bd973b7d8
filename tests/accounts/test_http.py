"""What views share: JSON bodies, trusted addresses, the guard of practitioners."""

import json
from typing import Any

import pytest
from django import forms
from django.test import RequestFactory
from pytest_django import Settings

from accounts.http import add_errors, client_address, json_body, local_path
from filevault.errors import Invalid, UnsupportedMediaType


def post(body: object, content_type: str = "application/json") -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return RequestFactory().post("/", text, content_type=content_type)


def test_json_body_gives_the_object() -> None:
    assert json_body(post({"fileName": "a"}), {"fileName", "size"}) == {"fileName": "a"}
    assert json_body(post({}, "application/json; charset=utf-8"), set()) == {}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_other_content_types_are_refused_W1(kind: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        json_body(post({}, kind), set())


def test_unknown_fields_are_named_Z7() -> None:
    with pytest.raises(Invalid) as refused:
        json_body(post({"fileName": "a", "s3Key": "b"}), {"fileName"})
    assert list(refused.value.fields) == ["s3Key"]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", "5", "[" * 100_000, '{"a":' * 40 + "1" + "}" * 40]
)
def test_broken_and_deep_json_is_refused_W6(body: str) -> None:
    with pytest.raises(Invalid):
        json_body(post(body), {"a"})


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "expected"),
    [
        ("203.0.113.9", "198.51.100.1", [], "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", ["10.0.0.0/8"], "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, nonsense", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "", ["10.0.0.1"], "10.0.0.1"),
        ("10.0.0.1", "2001:db8::1", ["10.0.0.1"], "2001:db8::1"),
        ("", "198.51.100.1", ["10.0.0.0/8"], ""),
    ],
)
def test_forwarded_addresses_count_only_from_trusted_proxies_W5(
    settings: Settings, remote: str, forwarded: str, trusted: list[str], expected: str
) -> None:
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=remote)
    assert client_address(request) == expected


@pytest.mark.parametrize("path", ["/", "/cases/?q=ä&b=//x", "/a#b"])
def test_local_paths_are_kept_W3(path: str) -> None:
    assert local_path(path) == path


def test_refusals_stand_beside_their_fields() -> None:
    class Form(forms.Form):
        name = forms.CharField()

    form = Form({"name": "typed"})
    add_errors(form, Invalid(fields={"name": "Too short.", "other": "Odd."}))
    assert form.errors == {"name": ["Too short."], "__all__": ["Odd."]}
    assert form["name"].value() == "typed"
    again = Form({"name": "typed"})
    add_errors(again, Invalid("Nothing fits."))
    assert again.errors == {"__all__": ["Nothing fits."]}
