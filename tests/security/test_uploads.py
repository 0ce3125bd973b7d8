"""Bytes on their way in and out, through the product and its storage: U1 to U5, U7, D1, D3."""

import base64
import json
import re
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from files.names import clean_name
from filevault.dynamo import new_id
from tests.files.samples import HTML, PDF, SVG, TXT
from tests.files.space import row_by_id
from tests.security.people import Person, Town, essence
from tests.stack import TestStack

pytestmark = pytest.mark.stack

SIGNATURE = "X-Amz-Signature"
NAMES = [
    "in\u202efdp.pdf",
    "../../x.pdf",
    "..\\..\\C:\\x.pdf",
    "a\r\nSet-Cookie: a=b.pdf",
    "quo\"te';filename=evil.exe;.pdf",
    "a\x00b.pdf",
    "sur\ud800rogate.pdf",
    "x" * 10_000 + ".pdf",
    "😀" * 100 + ".pdf",
    "مستند.pdf",
    "e\u0301te\u0301 %41 100%.pdf",
    "=?utf-8?q?x?=.pdf",
    "CON.pdf",
    "  .pdf.pdf",
]
NO_NAMES = ["", ".pdf", "///", "\u202e", "\x00", "\ud800", 7, None, ["a.pdf"], {"a": 1}]


def download(person: Person, home: str, file_id: str) -> httpx.Response:
    answer = person.get(f"{home}files/{file_id}/download")
    assert answer.status_code == 302
    return httpx.get(answer.headers["Location"])


def without_condition(signed: Any, name: str) -> str:
    policy = json.loads(base64.b64decode(signed["fields"]["policy"]))
    policy["conditions"] = [c for c in policy["conditions"] if name not in c]
    return base64.b64encode(json.dumps(policy).encode()).decode()


def test_storage_takes_what_was_signed_and_nothing_else_U1(town: Town) -> None:
    c1, home = town.c1, town.portal_one
    signed = c1.presign(home)
    key = signed["fields"]["key"]
    refused = [
        c1.send(signed, PDF + b"x"),
        c1.send(signed, PDF[:-1]),
        c1.send(signed, b""),
        c1.send(signed, Content_Type="text/html"),
        c1.send(signed, Content_Type=None),
        c1.send(signed, key=f"{key}0"),
        c1.send(signed, key=key.replace(town.case_one, town.case_two)),
        c1.send(signed, key="${filename}"),
        c1.send(signed, x_amz_server_side_encryption=None),
        c1.send(signed, x_amz_server_side_encryption="aws:kms"),
        c1.send(signed, acl="public-read"),
        c1.send(signed, success_action_redirect="https://evil.example.test/"),
        c1.send(signed, policy=without_condition(signed, "content-length-range")),
    ]
    assert {answer.status_code // 100 for answer in refused} == {4}
    waiting = c1.call(signed["confirmUrl"], page=home)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "not_uploaded")
    assert c1.send(signed).status_code == 201
    assert c1.call(signed["confirmUrl"], page=home).json()["state"] == "AVAILABLE"


def test_keys_are_ours_and_say_nothing_U2(town: Town) -> None:
    answers = [town.c1.presign(town.portal_one, name="Secret name.pdf") for _ in range(3)]
    answers.append(town.a.presign(town.one, name="Secret name.pdf"))
    keys = [answer["fields"]["key"] for answer in answers]
    assert len({key.rpartition(".")[2] for key in keys}) == 4
    for answer, key in zip(answers, keys, strict=True):
        own = f"cases/{town.case_one}/{answer['fileId']}"
        assert re.fullmatch(rf"{re.escape(own)}\.[0-9a-f]{{32}}", key)
    other = town.c2.presign(town.portal_two)["fields"]["key"]
    assert other.startswith(f"cases/{town.case_two}/")


def test_nothing_replaces_what_was_confirmed_U3(town: Town) -> None:
    c1, home = town.c1, town.portal_one
    signed = c1.presign(home)
    c1.send(signed)
    c1.call(signed["confirmUrl"], page=home)
    before = row_by_id(signed["fileId"]).attribute_values
    for added in ("event_id", "sha256"):  # the worker proves what was pinned
        before.pop(added, None)
    forged = PDF.replace(b"Catalog", b"CATALOG")
    c1.send(signed, forged)  # the signature still lives, and storage may take it
    assert c1.call(signed["confirmUrl"], page=home).json()["state"] == "AVAILABLE"
    assert download(town.a, town.one, signed["fileId"]).content == PDF
    after = row_by_id(signed["fileId"]).attribute_values
    assert {name: after[name] for name in before} == before


def test_the_version_that_was_checked_is_served_U4(town: Town) -> None:
    c1, home = town.c1, town.portal_one
    signed = c1.presign(home, name="late.pdf")
    other = PDF.replace(b"Catalog", b"CATALOG")
    assert c1.send(signed, other).status_code == 201
    c1.send(signed)  # storage tells of each: which is looked at first is a race
    assert c1.call(signed["confirmUrl"], page=home).json()["state"] == "AVAILABLE"
    link = town.a.get(f"{town.one}files/{signed['fileId']}/download").headers["Location"]
    version = row_by_id(signed["fileId"]).version_id
    assert f"versionId={version}" in link
    served = {httpx.get(link).content for _ in range(3)}
    assert len(served) == 1
    assert served <= {PDF, other}
    for altered in (
        link.replace(f"versionId={version}", "versionId=other"),
        link.replace(f"&versionId={version}", "").replace(f"versionId={version}&", ""),
        link.replace("attachment", "inline"),
        link.replace("application%2Fpdf", "text%2Fhtml"),
        link.partition("?")[0],
    ):
        assert altered != link
        assert httpx.get(altered).status_code in (400, 403), altered


@pytest.mark.parametrize(
    ("name", "content"),
    [("page.txt", HTML), ("table.csv", SVG), ("letter.pdf", HTML), ("picture.png", TXT)],
)
def test_what_lies_about_its_type_is_not_served_U5(town: Town, name: str, content: bytes) -> None:
    file = town.c1.upload(town.portal_one, name=name, content=content)
    assert file["state"] == "REJECTED"
    answer = town.a.get(f"{town.one}files/{file['fileId']}/download")
    assert answer.status_code == 409
    assert SIGNATURE not in answer.text


def test_every_name_is_taken_clean_and_given_back_once_U7_D1(town: Town) -> None:
    c1, home = town.c1, town.portal_one
    headers = {"X-CSRFToken": c1.token(home), "Content-Type": "application/json"}
    for name in NAMES:
        body = json.dumps({"fileName": name, "size": len(PDF)})
        answer = c1.http.post(f"{home}files/presign", content=body, headers=headers)
        assert answer.status_code == 201, repr(name)
        signed = answer.json()
        stored = signed["fileName"]
        assert stored == clean_name(name)
        assert len(stored.encode()) <= 255
        assert not re.search(r"[\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069]", stored)
        c1.send(signed)
        c1.call(signed["confirmUrl"], page=home)
        got = download(town.a, town.one, signed["fileId"])
        assert got.content == PDF
        dispositions = got.headers.get_list("Content-Disposition")
        assert len(dispositions) == 1
        kind, plain, full = re.split(r"; (?=filename)", dispositions[0])
        assert kind == "attachment"
        assert re.fullmatch(r'filename="[A-Za-z0-9 ._()+-]+"', plain)
        assert unquote(full.removeprefix("filename*=UTF-8''")) == stored
        assert got.headers["Content-Type"] == "application/pdf"


def test_no_name_is_a_clear_answer_U7(town: Town) -> None:
    headers = {"X-CSRFToken": town.c1.token(town.portal_one), "Content-Type": "application/json"}
    for name in (*NO_NAMES, "evil.exe", "page.html", "image.svg", "letter.pdf.lnk", "pdf"):
        body = json.dumps({"fileName": name, "size": 9})
        answer = town.c1.http.post(f"{town.portal_one}files/presign", content=body, headers=headers)
        assert answer.status_code == 422, repr(name)
        assert list(answer.json()["fields"]) == ["fileName"]


@pytest.mark.parametrize("size", [0, -1, 1.5, "9", True, None, 10**15, 10**400])
def test_no_size_is_a_clear_answer_U1(town: Town, size: Any) -> None:
    headers = {"X-CSRFToken": town.c1.token(town.portal_one), "Content-Type": "application/json"}
    body = json.dumps({"fileName": "a.pdf", "size": size})
    answer = town.c1.http.post(f"{town.portal_one}files/presign", content=body, headers=headers)
    assert answer.status_code in (413, 422)
    assert list(answer.json()["fields"]) == ["size"]


def test_only_available_files_get_an_address_D3(town: Town) -> None:
    c1, home = town.c1, town.portal_one
    pending = c1.presign(home)
    assert town.a.get(f"{town.one}files/{pending['fileId']}/download").status_code == 409
    aborted = c1.presign(home)
    c1.call(aborted["abortUrl"], page=home)
    c1.send(aborted)
    deleted = c1.upload(home)
    c1.post(f"{home}files/{deleted['fileId']}/delete")
    unknown = town.a.get(f"{town.one}files/{new_id()}/download")
    for file in (aborted, deleted):
        for person, at in ((town.a, town.one), (c1, home), (town.d, home)):
            answer = person.get(f"{at}files/{file['fileId']}/download")
            assert answer.status_code == 404
        assert town.a.head(f"{town.one}files/{file['fileId']}/download").status_code == 404
    assert essence(town.a.get(f"{town.one}files/{deleted['fileId']}/download")) == essence(unknown)
    late = c1.call(aborted["confirmUrl"], page=home)
    assert (late.status_code, late.json()["code"]) == (409, "upload_over")


def test_answers_with_an_address_are_kept_by_no_cache_D3(town: Town) -> None:
    c1, home = town.c1, town.portal_one
    signed = c1.call(f"{home}files/presign", {"fileName": "a.pdf", "size": 9}, page=home)
    file = c1.upload(home)["fileId"]
    plain = c1.post(f"{home}files/add", {"fileName": "a.pdf"})
    given = c1.get(f"{home}files/{file}/download")
    for answer in (signed, plain, given, c1.head(f"{home}files/{file}/download"), c1.get(home)):
        assert "no-store" in answer.headers["Cache-Control"]
    assert given.headers["Referrer-Policy"] == "no-referrer"
    assert SIGNATURE not in c1.get(home).text


def test_nobody_reads_storage_without_a_signature_D3(town: Town, stack: TestStack) -> None:
    file = town.c1.upload(town.portal_one)["fileId"]
    key = row_by_id(file).s3_key
    address = f"{stack.ministack.endpoint}/{stack.stack['bucket']}"
    for path in (f"/{key}", "", "/?list-type=2", "/?versions", f"/?prefix=cases/{town.case_one}"):
        assert httpx.get(f"{address}{path}").status_code == 403, path
    assert httpx.put(f"{address}/{key}", content=b"x").status_code == 403
    assert httpx.delete(f"{address}/{key}").status_code == 403


def test_the_plain_form_is_bound_too_U1(town: Town) -> None:
    """Without JavaScript: the same key, type and encryption, and any size up to the limit."""
    c1, home = town.c1, town.portal_one
    page = c1.post(f"{home}files/add", {"fileName": "by hand.pdf"}).text
    action = re.findall(r'action="(http[^"]+)"', page)[0]
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
    signed = {"url": action, "fields": {k: v for k, v in fields.items() if k[:4] != "csrf"}}
    assert signed["fields"]["success_action_redirect"].startswith(f"{c1.site}{home}files/")
    forged = [
        c1.send(signed, key="cases/x"),
        c1.send(signed, Content_Type="text/html"),
        c1.send(signed, success_action_redirect="https://evil.example.test/"),
    ]
    assert [answer.status_code for answer in forged] == [403] * 3
    sent = c1.send(signed)
    assert sent.status_code == 303
    back = sent.headers["Location"]
    assert town.d.get(back).status_code == 404
    assert c1.get(back).status_code == 302
    assert "by hand.pdf" in c1.get(home).text
