"""A vault, what is shared from it, and the JSON API, asked as others: Z2 to Z9.

S, whom A shares a letter with, is the admin: not even an admin's login may do more with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from files.tables import File, Usage
from filevault.dynamo import new_id
from tests.files.space import row_by_id
from tests.security.people import ADMIN_EMAIL, Person, Town, essence
from tests.stack import TestStack

pytestmark = pytest.mark.stack

#: A call of the API: method, path, body.
Call = tuple[str, str, Any]
#: No file of anybody's is called so but the two that the vault of these tests holds.
NAMES = ("quittance-of-anna.pdf", "diary-of-anna.pdf")
VIEWS = ("view", "open", "download", "delete")
CHECKSUM = "A" * 43 + "="


@dataclass(frozen=True)
class Vault:
    """A's: `letter` is shared with S, `diary` with nobody, `begun` is an upload on its way."""

    a: Person
    s: Person
    owner: str
    s_id: str
    letter: str
    diary: str
    begun: Any

    def share(self, file: str, *, back: bool = False) -> None:
        """Share a file of A's with S, or take that back. By id: an address is found by an index,
        which may lag behind S's first login."""
        method = "DELETE" if back else "POST"
        answer = self.a.api(method, "files/share", {"fileId": file, "userId": self.s_id})
        assert answer.status_code == 200


@pytest.fixture(scope="module")
def vault(town: Town, app: str, stack: TestStack) -> Vault:
    s = Person(app, stack).sign_in(ADMIN_EMAIL)
    s.put_away("mine.pdf")
    letter, diary = (town.a.put_away(name) for name in NAMES)
    made = Vault(town.a, s, owner_of(town.a), owner_of(s), letter, diary, town.a.begin())
    made.share(letter)
    return made


def owner_of(person: Person) -> str:
    """The user id of somebody who has a file of their own."""
    [file] = person.api("GET", "files/list?limit=1").json()["owned"]
    return str(file["userId"])


def pages_of(owner: str, file: str) -> list[str]:
    """Every page that names somebody's vault or a file in it."""
    vault, shared = f"/files/{owner}/files/", f"/files/shared/{file}/"
    return [
        *(f"/files/{owner}/", vault, f"{vault}add", f"{vault}zip", f"{vault}zip?file={file}"),
        *(f"{vault}{file}/{name}" for name in ("view", "open", "download", "delete", "uploaded")),
        *(f"{vault}{file}/view?from=gallery", f"{vault}parts/{file}", f"/files/{file}/sharing"),
        *(f"{shared}{name}" for name in ("view", "open", "download")),
    ]


def forms_of(owner: str, file: str) -> list[str]:
    """Every form of a vault that changes something."""
    vault = f"/files/{owner}/files/"
    return [
        f"{vault}{file}/delete",
        f"{vault}add",
        f"/files/{file}/sharing",
        f"/files/{file}/unshare",
    ]


def scripts_of(owner: str, file: str) -> list[str]:
    """Every address that the uploader of a vault calls."""
    vault = f"/files/{owner}/files/"
    ended = [f"{vault}{name}/{file}" for name in ("parts", "confirm", "abort")]
    return [f"{vault}presign", f"{vault}same", *ended]


def calls_of(file: str) -> list[Call]:
    """Every call of the API that names a file."""
    named, shared = {"fileId": file}, {"fileId": file, "email": ADMIN_EMAIL}
    part = {"partNumbers": [1], "checksums": {"1": CHECKSUM}}
    return [
        ("GET", f"files/download?fileId={file}", None),
        ("HEAD", f"files/download?fileId={file}", None),
        ("GET", f"files/uploads/{file}/parts", None),
        ("POST", f"files/uploads/{file}/parts", part),
        ("POST", "files/metadata", named),
        ("DELETE", f"files/uploads/{file}", None),
        ("POST", "files/share", shared),
        ("DELETE", "files/share", shared),
        ("DELETE", f"files/delete?fileId={file}", None),
    ]


def state_of(vault: Vault) -> list[Any]:
    """All that a refused call might have changed."""
    usage = Usage.fetch(vault.owner)
    rows = [row_by_id(file) for file in (vault.letter, vault.diary, vault.begun["fileId"])]
    begun = len(list(File.query(f"user:{vault.owner}", consistent_read=True)))
    assert usage is not None
    return [*(each.to_simple_dict() for each in rows), usage.to_simple_dict(), begun]


# --- Z2: what one may not know of ---


def hidden_from(vault: Vault, person: Person) -> list[str]:
    """The files of the vault that this person may not know of."""
    hidden = [vault.diary, str(vault.begun["fileId"])]
    return hidden if person is vault.s else [vault.letter, *hidden]


@pytest.mark.parametrize("who", ["b", "s"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_anothers_vault_is_no_vault_Z2(town: Town, vault: Vault, who: str, method: str) -> None:
    person = {"b": town.b, "s": vault.s}[who]
    for file in hidden_from(vault, person):
        nowhere = pages_of(new_id(), new_id())
        for there, random in zip(pages_of(vault.owner, file), nowhere, strict=True):
            answer = person.http.request(method, there)
            assert answer.status_code == 404, there
            assert essence(answer) == essence(person.http.request(method, random)), there


def test_the_owner_finds_all_of_it(vault: Vault) -> None:
    """So that the paths above are real ones; the others are for uploads or for recipients."""
    others = ("/uploaded", f"/parts/{vault.letter}")
    for path in pages_of(vault.owner, vault.letter):
        if not path.endswith(others) and "/shared/" not in path:
            assert vault.a.get(path).status_code in (200, 302), path


@pytest.mark.parametrize("who", ["b", "s"])
def test_anothers_vault_cant_be_changed_Z2(town: Town, vault: Vault, who: str) -> None:
    person = {"b": town.b, "s": vault.s}[who]
    token = {"csrfmiddlewaretoken": person.token("/settings/"), "email": "x@example.test"}
    script = {"X-CSRFToken": token["csrfmiddlewaretoken"]}
    before = state_of(vault)
    for file in hidden_from(vault, person):
        owner, nobody, nothing = vault.owner, new_id(), new_id()
        for there, random in zip(forms_of(owner, file), forms_of(nobody, nothing), strict=True):
            answer = person.http.post(there, data=token)
            assert answer.status_code == 404, there
            assert essence(answer) == essence(person.http.post(random, data=token)), there
        for there, random in zip(scripts_of(owner, file), scripts_of(nobody, nothing), strict=True):
            answer = person.http.post(there, json={}, headers=script)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), there
            assert essence(answer) == essence(person.http.post(random, json={}, headers=script))
    assert state_of(vault) == before


@pytest.mark.parametrize("who", ["b", "s"])
def test_calls_for_anothers_file_are_calls_for_none_Z2(town: Town, vault: Vault, who: str) -> None:
    person = {"b": town.b, "s": vault.s}[who]
    before = state_of(vault)
    for file in hidden_from(vault, person):
        for there, random in zip(calls_of(file), calls_of(new_id()), strict=True):
            answer = person.api(*there)
            assert answer.status_code == 404, there
            assert essence(answer) == essence(person.api(*random)), there
    upload = {"fileName": "x.pdf", "mimeType": "", "size": 9}
    for case in (town.case_one, new_id()):
        assert person.api("GET", f"files/list?caseId={case}").status_code == 404
        put = person.api("POST", "files/presign-upload", {**upload, "caseId": case})
        assert put.json() == person.api("GET", f"files/download?fileId={new_id()}").json()
    assert state_of(vault) == before


def test_clients_and_the_anonymous_are_outside_Z2_Z3(
    town: Town, vault: Vault, stranger: Callable[[], Person]
) -> None:
    """A client's session opens its case; neither vault nor API, its own case's id included."""
    own = town.c1.upload(town.portal_one)["fileId"]
    before = state_of(vault)
    for person in (town.c1, stranger()):
        for path in [*pages_of(vault.owner, vault.letter), "/files/", "/files/shared/"]:
            answer = person.get(path)
            assert answer.headers["Location"].startswith("/auth/login/?next="), path
        calls = [*calls_of(vault.letter), *calls_of(own), ("GET", "files/list", None)]
        calls.append(("GET", f"files/list?caseId={town.case_one}", None))
        body = {"fileName": "x.pdf", "mimeType": "", "size": 9, "caseId": town.case_one}
        calls.append(("POST", "files/presign-upload", body))
        for call in calls:
            assert person.api(*call).status_code == 401, call
            assert person.api(*call, Authorization="Bearer a.b.c").status_code == 401, call
    assert state_of(vault) == before


# --- Z4: uploads and owners ---


def test_an_upload_is_its_beginners_to_end_Z4(town: Town, vault: Vault) -> None:
    signed = vault.a.begin("mine.pdf")
    file = signed["fileId"]
    for person in (town.b, vault.s):
        assert person.api("POST", "files/metadata", {"fileId": file}).status_code == 404
        assert person.api("DELETE", f"files/uploads/{file}").status_code == 404
    assert vault.a.send(signed).status_code == 201
    for person in (town.b, vault.s):
        assert person.api("POST", "files/metadata", {"fileId": file}).status_code == 404
    confirmed = vault.a.api("POST", "files/metadata", {"fileId": file})
    assert confirmed.json()["state"] == "AVAILABLE"
    again = vault.a.api("POST", "files/metadata", {"fileId": file})
    unread = {"sha256": None}  # the worker may have read the file meanwhile
    assert again.json() | unread == confirmed.json() | unread
    late = vault.a.api("DELETE", f"files/uploads/{file}")
    assert (late.status_code, late.json()["code"]) == (409, "arrived")
    assert row_by_id(file).state == "AVAILABLE"


# --- Z7: unknown fields ---


def test_what_a_call_does_not_know_changes_nothing_Z4_Z7(vault: Vault) -> None:
    """Keys and owners are never taken, nor is anything else that isn't asked for."""
    file, before = vault.letter, state_of(vault)
    upload = {"fileName": "x.pdf", "mimeType": "", "size": 9}
    calls: list[Call] = [
        ("POST", "files/presign-upload", upload),
        *(call for call in calls_of(file) if call[2] is not None),
    ]
    sent = (
        "s3Key",
        "ownerId",
        "uploadedBy",
        "spaceId",
        "state",
        "versionId",
        "__proto__",
    )
    for method, path, body in calls:
        for field in sent:
            answer = vault.a.api(method, path, {**body, field: vault.owner})
            assert answer.status_code == 422, (path, field)
            assert list(answer.json()["fields"]) == [field]
    for path in ("list", f"download?fileId={file}", f"delete?fileId={file}"):
        method = "DELETE" if path.startswith("delete") else "GET"
        joined = f"files/{path}{'&' if '?' in path else '?'}userId={vault.owner}"
        answer = vault.a.api(method, joined)
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["userId"]), path
    assert state_of(vault) == before


# --- Z5 and Z6: what a share gives, and until when ---


def reading_of(file: str) -> list[str]:
    return [f"/files/shared/{file}/{name}" for name in ("view", "open", "download")]


def test_a_share_ends_at_the_next_click_Z5(vault: Vault) -> None:
    s, file = vault.s, vault.a.put_away()
    vault.share(file)
    assert [s.get(path).status_code for path in reading_of(file)] == [200, 302, 302]
    assert s.api("GET", f"files/download?fileId={file}").status_code == 200
    assert file in s.get("/files/shared/").text
    vault.share(file, back=True)
    for path in reading_of(file):
        answer = s.get(path)
        assert answer.status_code == 404
        assert essence(answer) == essence(s.get(path.replace(file, new_id()))), path
    for there, random in zip(calls_of(file), calls_of(new_id()), strict=True):
        assert essence(s.api(*there)) == essence(s.api(*random)), there
    assert file not in s.get("/files/shared/").text
    assert file not in s.api("GET", "files/list").text


def test_deleting_takes_it_from_everybody_Z5(vault: Vault) -> None:
    s, file = vault.s, vault.a.put_away()
    vault.share(file)
    assert vault.a.api("DELETE", f"files/delete?fileId={file}").status_code == 204
    for person in (vault.a, s):
        for there, random in zip(calls_of(file), calls_of(new_id()), strict=True):
            if person is s or not there[1].startswith("files/delete"):  # again answers alike
                assert essence(person.api(*there)) == essence(person.api(*random)), there
    assert [s.get(path).status_code for path in reading_of(file)] == [404, 404, 404]


def test_a_recipient_reads_and_does_nothing_else_Z6(vault: Vault) -> None:
    s, file, before = vault.s, vault.letter, state_of(vault)
    [told] = [
        each for each in s.api("GET", "files/list").json()["shared"] if each["fileId"] == file
    ]
    assert (told["actions"], told["sharedWith"], told["isReadOnly"]) == (["download"], [], True)
    assert "s3Key" not in told
    on = {"fileId": file, "email": "third@example.test"}
    itself = {"fileId": file, "userId": vault.s_id}
    for method, path, body in (
        ("POST", "files/share", on),
        ("DELETE", "files/share", itself),
        ("DELETE", f"files/delete?fileId={file}", None),
    ):
        answer = s.api(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    assert s.api("POST", "files/metadata", {"fileId": file}).status_code == 404
    assert s.api("DELETE", f"files/uploads/{file}").status_code == 404
    for path in [*forms_of(vault.owner, file), *scripts_of(vault.owner, file)]:
        token = {"csrfmiddlewaretoken": s.token("/settings/"), "email": "third@example.test"}
        assert s.http.post(path, data=token).status_code == 404, path
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        for path in reading_of(file):
            headers = {"X-CSRFToken": s.token("/settings/")}
            answer = s.http.request(method, path, content=b"x", headers=headers)
            assert answer.status_code == 405, path
    page = s.get(reading_of(file)[0]).text
    assert "/delete" not in page
    assert "/sharing" not in page
    assert state_of(vault) == before


# --- Z8: side doors ---


def test_no_side_door_leads_into_a_vault_Z8(town: Town, vault: Vault) -> None:
    """Spellings of a path, methods by header, archives, searches, and lists of one's own."""
    file, b = vault.letter, town.b
    for path in (
        f"/files/shared/{file}/download/",
        f"/files//shared/{file}/download",
        f"/files/shared/{file}%2fdownload",
        f"/portal/../files/shared/{file}/download",
        f"/api/files/download/?fileId={file}",
        f"/api//files/download?fileId={file}",
        f"/files/{vault.owner}/files/../files/{file}/download",
        f"/files/{vault.owner.upper()}/files/{file}/download",
    ):
        answer = b.http.send(b.http.build_request("GET", f"{b.site}{path}"))
        assert answer.status_code in (301, 404), path
        assert "X-Amz-Signature" not in answer.headers.get("Location", ""), path
        assert "X-Amz-Signature" not in answer.text, path
    for several in (f"fileId={file}&fileId={new_id()}", f"fileId={new_id()}&fileId={file}"):
        assert b.api("GET", f"files/download?{several}").status_code == 422
    b.put_away("mine.pdf")
    for person in (b, vault.s):
        home = f"/files/{owner_of(person)}/files/"
        assert person.get(f"{home}zip").status_code == 200
        for name in (f"zip?file={vault.diary}", *map(f"{vault.diary}/{{}}".format, VIEWS)):
            assert person.get(f"{home}{name}").status_code == 404, "from within one's own vault"
        for page in ("/files/", "/files/gallery/", f"/search/?q={NAMES[1][:5]}", "/"):
            shown = person.get(page)
            assert shown.status_code == 200, page
            assert vault.diary not in shown.text, page
            assert NAMES[1] not in shown.text, page


def test_a_method_by_header_is_no_method_Z8(vault: Vault) -> None:
    """Not even the owner deletes by a GET, whatever a header or a field says."""
    before = state_of(vault)
    path = f"files/delete?fileId={vault.letter}"
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        for method in ("GET", "HEAD", "POST"):
            answer = vault.a.api(method, path, None, **{name: "DELETE"})
            assert answer.status_code == 405, (name, method)
    assert vault.a.api("POST", path, {"_method": "DELETE"}).status_code == 405
    delete = f"/files/{vault.owner}/files/{vault.letter}/delete"
    assert vault.a.get(delete, headers={"X-HTTP-Method-Override": "POST"}).status_code == 200
    assert state_of(vault) == before


def test_a_cursor_of_another_opens_nothing_Z8(town: Town, vault: Vault) -> None:
    """A cursor goes on with one person's one list, and what it lists is judged anew."""
    cursor = vault.a.api("GET", "files/list?limit=1").json()["nextCursor"]
    assert vault.a.api("GET", f"files/list?limit=1&cursor={cursor}").status_code == 200
    for person, query in (
        (town.b, ""),
        (vault.s, ""),
        (vault.a, f"&caseId={town.case_one}"),
    ):
        answer = person.api("GET", f"files/list?cursor={cursor}{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")
    in_case = f"files/list?cursor={cursor}&caseId={town.case_one}"
    assert town.b.api("GET", in_case).status_code == 404
    for page in ("/files/gallery/", "/files/shared/", f"/files/{vault.owner}/files/"):
        assert vault.a.get(f"{page}?cursor={cursor}").status_code == 422, page
    files = [vault.a.put_away(f"{number}.pdf") for number in range(2)]
    for file in files:
        vault.share(file)
    stale = vault.s.api("GET", "files/list?limit=1").json()["nextCursor"]
    vault.share(files[0], back=True)
    assert files[0] not in vault.s.api("GET", f"files/list?cursor={stale}").text


# --- Z9: exact ids ---


def test_a_part_of_an_id_touches_nothing_in_a_vault_Z9(vault: Vault) -> None:
    a, file, before = vault.a, vault.letter, state_of(vault)
    token = {"csrfmiddlewaretoken": a.token("/settings/"), "email": ADMIN_EMAIL}
    for cut in (file[:-1], file[:8], file.upper(), f"{file}x", "%2a", f"{file}%00", f"{file}%0a"):
        for method, path, body in calls_of(cut):
            answer = a.api(method, path, body)
            assert answer.status_code in (400, 404, 422), (method, path)
        for path in forms_of(vault.owner, cut):
            if not path.endswith("/add"):
                assert a.http.post(path, data=token).status_code == 404, path
    for several in (f"fileId={file}&fileId={new_id()}", f"fileId[]={file}", "fileId="):
        assert a.api("DELETE", f"files/delete?{several}").status_code in (404, 422), several
    assert state_of(vault) == before


def test_deleting_one_spares_its_neighbours_in_a_vault_Z9(vault: Vault) -> None:
    files = [vault.a.put_away() for _ in range(3)]
    assert vault.a.api("DELETE", f"files/delete?fileId={files[1]}").status_code == 204
    there = [vault.a.api("GET", f"files/download?fileId={file}").status_code for file in files]
    assert there == [200, 404, 200]
