"""T2: names that went through every flow stand in no key, address or log, and in no mail but those
whose they are. A3: whatever was logged, one line is one record.

The one address with a name in it is storage's: a signed download says what the file is to be called
(`response-content-disposition`), and is given to nobody but who may read that name."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from filevault.local.mails import SentMail
from filevault.local.seed import admin_session, table_names
from tests.files.samples import PDF
from tests.security.people import A_EMAIL, ADMIN_EMAIL, B_EMAIL, Person, path_parts
from tests.stack import TestStack, mails

pytestmark = pytest.mark.stack

FILES = ["Zanzibarbefund", "Quetzalgutachten", "Ibisvertrag", "Okapirechnung"]
TITLE, REFERENCE, NOTE, SOUGHT = "Axolotlsache", "Wombatzeichen", "Narwalnotiz", "Lemurensuche"
CLIENTS = {
    "Xanthippe Kiebitzer": "x.kiebitzer@canary.example.test",
    "Ottokar Zeisigmann": "o.zeisigmann@canary.example.test",
}
UNKNOWN = "u.pirolfeld@canary.example.test"
PHONE = "0305550199"
NAMES = [part for name in (*CLIENTS, "Anna Novak", "Ben Okafor") for part in name.split()]
CANARIES = [*FILES, TITLE, REFERENCE, NOTE, SOUGHT, *CLIENTS.values(), UNKNOWN, PHONE, *NAMES]
#: In these the address book is sorted and searched (docs/security.md, accepted risks).
KEYS_OF_THE_ADDRESS_BOOK = {"nameKey", "termKey"}
FORGED = '{"level": "error", "message": "forged"}'


def found_in(*texts: str) -> set[str]:
    """The canaries in some texts, as typed or as a search folds them."""
    return {canary for canary in CANARIES for text in texts if canary.casefold() in text.casefold()}


class Flows:
    """Everything that people do with names, and every address that it led over."""

    def __init__(self, app: str, stack: TestStack) -> None:
        self.site, self.stack = app, stack
        self.addresses: list[str] = []
        self.a, self.b, self.admin, self.x, self.o = (self._browser() for _ in range(5))
        self.case = ""

    def _browser(self) -> Person:
        person = Person(self.site, self.stack)
        person.http.event_hooks = {"response": [self._note]}
        return person

    def _note(self, answer: httpx.Response) -> None:
        leads_to = answer.headers.get("Location", "")
        if leads_to.startswith(self.stack.ministack.endpoint):
            leads_to = leads_to.partition("?")[0]
        self.addresses += [str(answer.request.url), leads_to]

    def run(self) -> None:
        for person, email in ((self.b, B_EMAIL), (self.a, A_EMAIL), (self.admin, ADMIN_EMAIL)):
            person.sign_in(email)
        clients = self._open_case()
        self._send_and_read()
        self._share()
        self._search()
        self._be_refused()
        self.o.post("/invite/fresh/")
        self._wait_for_news()
        self.a.revoke(self.case, clients[1])
        self.a.post(f"{self.home}close/", page=self.home)

    @property
    def home(self) -> str:
        return f"/cases/{self.case}/"

    @property
    def portal(self) -> str:
        return f"/portal/{self.case}/"

    def _open_case(self) -> list[str]:
        ids = []
        for name, email in CLIENTS.items():
            fields = {"name": name, "email": email, "phone": PHONE, "notes": NOTE}
            ids.append(path_parts(self.a.post("/clients/new/", fields))[1])
        fields = {"title": TITLE, "reference": REFERENCE, "access": "code"}
        self.case = path_parts(self.a.post("/cases/new/", {**fields, "clients": ids}))[1]
        for person, client, email in zip((self.x, self.o), ids, CLIENTS.values(), strict=True):
            person.enter(self.a.invite(self.case, client, email), email)
        return ids

    def _send_and_read(self) -> None:
        sent = self.x.upload(self.portal, name=f"{FILES[0]}.pdf")["fileId"]
        self.a.upload(self.home, name=f"{FILES[1]}.pdf")
        self.x.post(f"{self.portal}files/add", {"fileName": f"{FILES[2]}.pdf"})
        for person, home in ((self.a, self.home), (self.o, self.portal)):
            for way in ("view", "open", "download", "receipt"):
                person.get(f"{home}files/{sent}/{way}")
            person.get(f"{home}files/zip")
        gone = self.x.upload(self.portal, name=f"{FILES[3]}.pdf")["fileId"]
        self.x.post(f"{self.portal}files/{gone}/delete")

    def _share(self) -> None:
        """A file of the vault and the case, with a colleague and with an unknown address."""
        body = {"fileName": f"{FILES[2]}.pdf", "mimeType": "", "size": len(PDF)}
        signed = self.a.call("/api/files/presign-upload", body, page="/").json()
        self.a.send(signed)
        self.a.call("/api/files/metadata", {"fileId": signed["fileId"]}, page="/")
        for email in (B_EMAIL, UNKNOWN):
            self.a.post(f"/files/{signed['fileId']}/sharing", {"email": email})
            fields = {"email": email, "access": "read"}
            self.a.post(f"{self.home}colleagues/", fields, page=self.home)
        self.b.get(f"/files/shared/{signed['fileId']}/download")
        self.b.get(self.home)

    def _search(self) -> None:
        for words in (SOUGHT, *CLIENTS, TITLE):
            self.a.post("/search/", {"q": words})
            self.a.get("/search/")
        self.a.post("/cases/new/clients/", {"find": "Ottokar"}, page="/cases/new/")

    def _be_refused(self) -> None:
        token = {"X-CSRFToken": self.x.token(self.portal)}
        for name in (f"{FILES[0]}.exe", f"{FILES[0]}\n{FORGED}\n.exe", FILES[0]):
            body = {"fileName": name, "size": 9}
            self.x.http.post(f"{self.portal}files/presign", json=body, headers=token)
        for fields in ({"name": "Xanthippe", "email": "none"}, {"name": "", "email": UNKNOWN}):
            self.a.post("/clients/new/", fields)
        forged = {"User-Agent": FORGED, "Referer": FORGED, "X-Forwarded-For": FORGED}
        self.b.get(f"/nothing%0A{FORGED}%0D%0A", headers=forged)

    def _wait_for_news(self) -> None:
        """Until both sides were told of the other's uploads: a closed case tells nobody."""
        deadline = time.monotonic() + 60
        for email in (A_EMAIL, next(iter(CLIENTS.values()))):
            while not [mail for mail in mails(self.stack, email) if self._is_news(mail)]:
                assert time.monotonic() < deadline, f"{email} was told of nothing"
                time.sleep(0.2)

    def _is_news(self, mail: SentMail) -> bool:
        """A's case is one of many by now; a client's mail holds the link instead of its page."""
        counted = re.search(r"added \d+ file|\d+ new file", mail.subject)
        return bool(counted) and (self.home in mail.text or "/invite/" in mail.text)


@pytest.fixture(scope="module")
def flows(app: str, stack: TestStack) -> Flows:
    made = Flows(app, stack)
    made.run()
    return made


def test_no_name_is_in_an_address_T2(flows: Flows) -> None:
    """What the browsers asked for and were sent to, and not a word of what they typed."""
    asked = [address for address in flows.addresses if "/oauth2/" not in address]
    assert len(asked) > 100
    assert not [address for address in asked if found_in(address)]


def test_no_name_is_in_a_key_of_storage_T2(flows: Flows, stack: TestStack) -> None:
    s3: Any = admin_session(stack.ministack).client("s3", endpoint_url=stack.ministack.endpoint)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=stack.stack["bucket"])
    keys = [entry["Key"] for page in pages for entry in page.get("Versions", [])]
    assert any(flows.case in key for key in keys)
    assert found_in(*keys) == set()


def test_no_name_is_in_a_key_of_a_table_T2(flows: Flows, stack: TestStack) -> None:
    """Of tables and indexes alike, but for the two that the address book can't do without."""
    texts = list(keys_of_tables(stack))
    assert any(flows.case in text for text in texts)
    assert found_in(*texts) == set()


def keys_of_tables(stack: TestStack) -> Iterator[str]:
    dynamodb: Any = admin_session(stack.ministack).client(
        "dynamodb", endpoint_url=stack.ministack.endpoint
    )
    for name in table_names(stack.ministack):
        table = dynamodb.describe_table(TableName=name)["Table"]
        schemas = [table, *table.get("GlobalSecondaryIndexes", [])]
        keys = {key["AttributeName"] for schema in schemas for key in schema["KeySchema"]}
        for page in dynamodb.get_paginator("scan").paginate(TableName=name):
            for row in page["Items"]:
                kept = keys - KEYS_OF_THE_ADDRESS_BOOK
                yield from (str(row[key]) for key in kept if key in row)


def test_no_name_is_in_a_log_and_each_line_is_one_record_T2_A3(
    flows: Flows, stack: TestStack
) -> None:
    """All that web and worker wrote, gunicorn included."""
    lines = [
        line
        for log in ("web.log", "worker.log")
        for line in (stack.state / "log" / log).read_text().splitlines()
    ]
    assert not [line for line in lines if not line.startswith("{")]
    records = [json.loads(line) for line in lines]
    assert any(flows.case in record.get("path", "") for record in records)
    assert found_in(*lines) == set()
    assert not [record for record in records if record["message"] == "forged"]


def test_mails_name_the_practice_its_practitioner_and_the_reader_alone_T2(
    flows: Flows, stack: TestStack
) -> None:
    own = {
        **{email: {*name.split(), email} for name, email in CLIENTS.items()},
        A_EMAIL: {A_EMAIL},
        B_EMAIL: {"Ben", "Okafor", B_EMAIL},
        UNKNOWN: {UNKNOWN},
    }
    for email, names in own.items():
        found = mails(stack, email)
        assert found, email
        for mail in found:
            headers = "\n".join(f"{name}: {value}" for name, value in mail.message.items())
            told = found_in(headers, mail.text, mail.html) - names - {"Anna", "Novak", A_EMAIL}
            assert told == set(), (email, mail.subject)
