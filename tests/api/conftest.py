"""Programs that call the API: with a session, with a token, with nothing."""

import json
from typing import Any

import httpx
import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.actors import Practitioner
from accounts.sessions import SessionStore
from accounts.tables import User
from files.tables import File, FileRef
from tests.accounts.conftest import provider, sign_in, signed_in
from tests.api.tokens import ANNA, access_token
from tests.cast import Cast
from tests.files import samples
from tests.files.space import make_bucket, put
from tests.stack import TestStack

__all__ = ["provider", "sign_in", "signed_in"]


class Caller:
    """Calls in JSON and reads the answers."""

    def __init__(self, http: Client) -> None:
        self.http = http

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = "" if body is None else json.dumps(body)
        return self.http.generic(
            method, f"/api/{path}", data, content_type="application/json", headers=headers
        )

    def upload(self, name: str = "letter.pdf", content: bytes = samples.PDF, **more: Any) -> str:
        """Send a file whole and confirm it; its id."""
        body = {"fileName": name, "mimeType": "", "size": len(content), **more}
        begun = self("POST", "files/presign-upload", body)
        assert begun.status_code == 201, begun.content
        file_id: str = begun.json()["fileId"]
        put(stored(file_id), content)
        assert self("POST", "files/metadata", {"fileId": file_id}).status_code == 200
        return file_id


def stored(file_id: str) -> File:
    """The row behind a file's id."""
    ref = FileRef.fetch(file_id)
    assert ref is not None
    file = File.fetch(ref.space_id, file_id)
    assert file is not None
    return file


def with_session(actor: Practitioner, *, csrf: bool = False) -> Caller:
    """A program that holds a practitioner's session."""
    session = SessionStore()
    session["profile"] = actor.user_id
    session.save()
    http = Client(enforce_csrf_checks=csrf)
    http.cookies["session"] = session.session_key or ""
    return Caller(http)


@pytest.fixture(autouse=True)
def bucket(world: None, request: pytest.FixtureRequest, settings: LazySettings) -> None:
    """The stack has its own."""
    if request.node.get_closest_marker("stack") is None:
        make_bucket(settings.FILEVAULT_BUCKET)


@pytest.fixture
def anna(cast: Cast) -> Caller:
    return with_session(cast.a)


@pytest.fixture
def ben(cast: Cast) -> Caller:
    return with_session(cast.b)


@pytest.fixture
def nobody() -> Caller:
    return Caller(Client())


@pytest.fixture
def named(app: str, stack: TestStack) -> None:
    """On the stack: Anna has entered her name, as at her first visit."""
    bearer = {"Authorization": f"Bearer {access_token(stack, ANNA)}"}
    body = {"fileName": "a.txt", "mimeType": "", "size": 1}
    begun = httpx.post(f"{app}/api/files/presign-upload", headers=bearer, json=body, timeout=30)
    user_id = str(begun.json()["fields"]["key"]).split("/")[1]
    User(user_id).update([User.display_name.set("Anna Novak"), User.practice.set("Practice")])
