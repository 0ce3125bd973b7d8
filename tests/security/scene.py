"""The people and things of the authorization matrix, in the product as production runs it."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from django.test import override_settings

from accounts.addressing import find_user
from cases import invitations
from cases.tables import DeletionCertificate, Invitation
from filevault.local.user_pool import ADMIN_GROUP
from filevault.mail import address_hash
from tests.files.samples import PDF
from tests.security.people import Person
from tests.security.production import SITE, Production
from tests.waiting import wait_until

#: In parts, since it is larger than what one POST takes.
LARGE = 100 * 1024**2


@dataclass
class Scene:
    """Browsers by the matrix's names of the actors, and ids by its names of the objects."""

    production: Production
    people: dict[str, Person] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def ids(self, names: Iterable[str], *, fresh: bool) -> dict[str, str]:
        """Ids of what a row names; where a name ends in `+`, of something just made if `fresh`."""
        made: dict[str, str] = {}
        for name in names:
            plain = name.removesuffix("+")
            made[name] = self.make(plain) if fresh and name != plain else self.objects[plain]
        return made

    def make(self, name: str) -> str:
        """Another object of a kind."""
        maker: dict[str, Callable[[], str]] = {
            "case": self._open_case,
            "client": lambda: self.people["A"].add_client("Nobody", "nobody@example.test"),
            "letter": lambda: self.upload("C1", self.portal),
            "draft": lambda: self.presign("C1", self.portal, LARGE)["fileId"],
            "reply": lambda: self.upload("A", self.case),
            "theirs": lambda: self.upload("W", self.case),
            "sending": lambda: self.presign("A", self.case, LARGE)["fileId"],
            "photo": self._share_a_photo,
            "certificate": self._delete_a_case,
            "started": lambda: self.presign("A", self.vault, LARGE)["fileId"],
            "user": self._add_user,
        }
        return maker[name]()

    @property
    def case(self) -> str:
        return f"/cases/{self.objects['case']}/"

    @property
    def portal(self) -> str:
        return f"/portal/{self.objects['case']}/"

    @property
    def vault(self) -> str:
        return f"/files/{self.objects['a']}/"

    # --- Steps ---

    def sign_in(self, actor: str, **claims: object) -> Person:
        """A practitioner who has given a name."""
        person = self.production.browser()
        self.production.sign_in(person, sub=f"matrix-{actor}", email=address_of(actor), **claims)
        assert person.post("/welcome/", {"display_name": actor, "practice": "P"}).status_code == 302
        return person

    def enter(self, case_id: str, client_id: str) -> Person:
        """A client who came in by the link of a case that asks for no code."""
        path = f"/cases/{case_id}/clients/{client_id}/invite/"
        assert self.people["A"].post(path).status_code == 302
        person = self.production.browser()
        assert person.get(self._link(case_id, client_id)).status_code == 302
        assert person.post("/invite/enter/", page="/invite/").status_code == 302
        return person

    def _link(self, case_id: str, client_id: str) -> str:
        """The link as the mail holds it. Mails here are another site's worker's, which signs for
        its own."""
        invitation = Invitation.fetch(case_id, client_id)
        assert invitation is not None
        keys = self.production.stack.environment["INVITATION_SIGNING_KEYS"].split(",")
        with override_settings(SITE_URL=SITE, INVITATION_SIGNING_KEYS=keys):
            return invitations.link(invitation)

    def open_case(self, title: str, client_id: str) -> str:
        return self.people["A"].open_case(title, client_id, access="link")

    def call(self, actor: str, path: str, body: Any) -> Any:
        person = self.people[actor]
        answer = person.http.post(path, json=body, headers={"X-CSRFToken": self.token(actor)})
        assert answer.is_success, (path, answer.text)
        return answer.json()

    def token(self, actor: str) -> str:
        """The CSRF token of a browser, from a page that everybody may see."""
        if actor not in self.tokens:
            self.tokens[actor] = self.people[actor].token("/invite/fresh/")
        return self.tokens[actor]

    def presign(self, actor: str, home: str, size: int) -> Any:
        return self.call(actor, f"{home}files/presign", {"fileName": "a.pdf", "size": size})

    def upload(self, actor: str, home: str) -> str:
        """A file that is there."""
        signed = self.presign(actor, home, len(PDF))
        assert self.people[actor].send(signed).status_code == 201
        assert self.call(actor, signed["confirmUrl"], {})["state"] == "AVAILABLE"
        return str(signed["fileId"])

    def _open_case(self) -> str:
        """A case of A's with C1 invited to it, and S as a colleague."""
        client_id = self.objects["client"]
        case_id = self.open_case("A case", client_id)
        path = f"/cases/{case_id}/clients/{client_id}/invite/"
        assert self.people["A"].post(path).status_code == 302
        self.share_case(case_id, "S", "read")
        return case_id

    def share_case(self, case_id: str, actor: str, access: str) -> None:
        """Let a colleague into a case of A's."""
        fields = {"email": address_of(actor), "access": access}
        path = f"/cases/{case_id}/"
        self._share(f"{path}colleagues/", fields, until=lambda: self.people[actor].get(path))

    def _delete_a_case(self) -> str:
        """The certificate of a case of A's, as if the worker had signed it."""
        case_id = self._open_case()
        answer = self.people["A"].post(f"/cases/{case_id}/delete/")
        assert answer.status_code == 302
        (row,) = [
            row
            for row in DeletionCertificate.query(self.objects["a"], consistent_read=True)
            if row.case_id == case_id
        ]
        row.update(
            [
                DeletionCertificate.document.set("{}"),
                DeletionCertificate.file_count.set(0),
                DeletionCertificate.byte_count.set(0),
            ]
        )
        return str(row.certificate_id)

    def _share_a_photo(self) -> str:
        """A file of A's vault that S reads."""
        photo, fields = self.upload("A", self.vault), {"email": address_of("S")}
        path = f"/files/shared/{photo}/view"
        self._share(f"/files/{photo}/sharing", fields, until=lambda: self.people["S"].get(path))
        return photo

    def _share(
        self, path: str, fields: dict[str, str], *, until: Callable[[], httpx.Response]
    ) -> None:
        """Share by e-mail with somebody who is found by it: that is a second after their first
        login, and what is shared before waits for the next one."""
        hashed = address_hash(fields["email"])
        wait_until(lambda: find_user(hashed), f"a profile of {fields['email']}", seconds=20)
        self.people["A"].post(path, fields)
        wait_until(lambda: until().status_code == 200, f"access by {path}", seconds=20)

    def _add_user(self) -> str:
        """The id of a practitioner whom nobody here is."""
        return user_id_of(self.sign_in(f"user-{time.monotonic_ns()}"))


@contextmanager
def build_scene(production: Production) -> Iterator[Scene]:
    scene = Scene(production)
    people, objects = scene.people, scene.objects
    try:
        for actor in ("S", "R", "W", "A", "B"):
            people[actor] = scene.sign_in(actor)
        people["Adm"] = scene.sign_in("Adm", **{"cognito:groups": [ADMIN_GROUP]})
        people["X"] = production.browser()
        people["T"] = program(production, "A")
        objects["a"] = user_id_of(people["A"])
        client = objects["client"] = people["A"].add_client("Clara One", "clara@example.test")
        objects["case"] = scene.open_case("Case one", client)
        scene.share_case(objects["case"], "R", "read")
        scene.share_case(objects["case"], "W", "write")
        people["C1"] = scene.enter(objects["case"], client)
        other = people["A"].add_client("Carl Two", "carl@example.test")
        people["C2"] = scene.enter(scene.open_case("Case two", other), other)
        for name in (
            "letter",
            "draft",
            "reply",
            "theirs",
            "sending",
            "photo",
            "started",
            "user",
            "certificate",
        ):
            objects[name] = scene.make(name)
        yield scene
    finally:
        for person in people.values():
            person.http.close()


def program(production: Production, actor: str) -> Person:
    """A program with a practitioner's access token and no cookie."""
    made = production.browser()
    production.provider.claims = {"sub": f"matrix-{actor}"}
    made.http.headers["Authorization"] = f"Bearer {production.provider.access_token()}"
    return made


def address_of(actor: str) -> str:
    return f"{actor.lower()}@matrix.example.test"


def user_id_of(person: Person) -> str:
    """Whose vault the page of the own files is."""
    match = re.search(r"/files/([0-9a-f-]{36})/files/", person.get("/files/").text)
    assert match
    return match[1]
