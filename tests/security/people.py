"""People as the running product meets them: a browser's cookies and forms over plain HTTP.

Each comes from an address of their own (in 127.0.0.0/16): limits by address fall on one alone.
"""

import itertools
import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx

from filevault.dynamo import new_id
from filevault.local.environment import DemoLogin
from filevault.local.mails import SentMail
from filevault.local.seed import admin_session
from filevault.local.user_pool import DEMO_PASSWORD, DemoUser, provision_user
from tests.files.samples import PDF
from tests.stack import TestStack, mails, wait_for_mail

#: Made once: nothing here speaks TLS, and each client would load all certificates anew.
NO_TLS = httpx.create_ssl_context()
_numbers = itertools.count(256)
_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
_TOKEN = re.compile(r'(?:name="csrfmiddlewaretoken" value|data-csrf)="([^"]+)"')


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's forms; of several by one name the first."""
    found: dict[str, str] = {}
    for tag in _INPUT.findall(page):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if attributes.get("type") == "hidden" and "name" in attributes:
            found.setdefault(attributes["name"], unescape(attributes.get("value", "")))
    return found


class Person:
    """A browser. No redirect is followed unless a step says so."""

    def __init__(self, site: str, stack: TestStack) -> None:
        self.site, self.stack = site, stack
        self.address = "127.0.{}.{}".format(*divmod(next(_numbers), 256))
        self.http = httpx.Client(
            base_url=site,
            transport=httpx.HTTPTransport(verify=NO_TLS, local_address=self.address),
            timeout=20,
        )
        self._token = ""

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def head(self, path: str, **options: Any) -> httpx.Response:
        return self.http.head(path, **options)

    def token(self, page: str) -> str:
        """The CSRF token that a page of the product holds."""
        match = _TOKEN.search(self.get(page).text)
        assert match, f"{page} holds no token"
        return match[1]

    def post(self, path: str, fields: Any = None, *, page: str = "", **options: Any) -> Any:
        """Send a form as `page` (default: `path` itself) holds it, its hidden fields included.
        A page without a form still gives the token."""
        shown = self.get(page or path)
        assert shown.status_code == 200, f"{page or path}: {shown.status_code}"
        kept = hidden_fields(shown.text)
        match = _TOKEN.search(shown.text)
        kept["csrfmiddlewaretoken"] = match[1] if match else ""
        return self.http.post(path, data={**kept, **(fields or {})}, **options)

    def call(self, path: str, body: Any = None, *, page: str) -> httpx.Response:
        """Call a JSON route as the script of `page` does."""
        headers = {"X-CSRFToken": self.token(page)}
        return self.http.post(path, json={} if body is None else body, headers=headers)

    def api(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Call the JSON API with the session's cookie; `path` goes on after `/api/`."""
        if not self._token and (found := _TOKEN.search(self.get("/settings/").text)):
            self._token = found[1]
        headers = {"X-CSRFToken": self._token, **headers}
        return self.http.request(method, f"/api/{path}", json=body, headers=headers)

    def put_away(self, name: str = "letter.pdf", content: bytes = PDF) -> str:
        """Send a file into one's own vault; its id."""
        signed = self.begin(name, len(content))
        assert self.send(signed, content).status_code == 201
        file_id = str(signed["fileId"])
        confirmed = self.api("POST", "files/metadata", {"fileId": file_id})
        assert confirmed.json()["state"] == "AVAILABLE", confirmed.text
        return file_id

    def begin(self, name: str = "letter.pdf", size: int = len(PDF)) -> Any:
        """Begin an upload into one's own vault."""
        body = {"fileName": name, "mimeType": "", "size": size}
        answer = self.api("POST", "files/presign-upload", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def cookie(self, name: str = "session") -> str:
        return self.http.cookies.get(name) or ""

    # --- Practitioners ---

    def begin_login(self) -> httpx.Response:
        """The redirect that leads to the provider."""
        answer = self.get("/auth/login/")
        assert answer.status_code == 302
        return answer

    def prove(self, address: str, email: str) -> str:
        """Log in at the hosted page that `address` leads to; returns the callback's address."""
        page = self.http.get(address)
        password = next(u["password"] for u in self.stack.stack["users"] if u["email"] == email)
        fields = {**hidden_fields(page.text), "username": email, "password": password}
        action = httpx.URL(address).join("/login")
        return str(self.http.post(action, data=fields).headers["Location"])

    def sign_in(self, email: str) -> "Person":
        """Log in through the hosted page, and give a name where one is asked for."""
        callback = self.prove(self.begin_login().headers["Location"], email)
        assert self.get(callback).status_code == 302
        if self.get("/").headers.get("Location", "").startswith("/welcome/"):
            name = email.partition("@")[0].replace(".", " ").title()
            answer = self.post("/welcome/", {"display_name": name, "practice": "Practice"})
            assert answer.status_code == 302
        return self

    @property
    def is_signed_in(self) -> bool:
        """Whether the settings open (or the first-login page stands before them)."""
        return "/auth/login/" not in self.get("/settings/").headers.get("Location", "")

    def add_client(self, name: str, email: str) -> str:
        """The id of a new client."""
        answer = self.post("/clients/new/", {"name": name, "email": email})
        assert answer.status_code == 302, answer.text
        return path_parts(answer)[1]

    def open_case(self, title: str, *client_ids: str, access: str = "code") -> str:
        """The id of a new case."""
        fields = {"title": title, "clients": list(client_ids), "access": access}
        answer = self.post("/cases/new/", fields)
        assert answer.status_code == 302, answer.text
        return path_parts(answer)[1]

    def invite(self, case_id: str, client_id: str, email: str) -> str:
        """Send an invitation; returns the link that arrives."""
        before = {mail.id for mail in mails(self.stack, email)}
        path = f"/cases/{case_id}/clients/{client_id}/invite/"
        assert self.post(path).status_code == 302
        return link_in(wait_for_mail(self.stack, email, lambda mail: mail.id not in before))

    def revoke(self, case_id: str, client_id: str) -> None:
        path = f"/cases/{case_id}/clients/{client_id}/revoke/"
        assert self.post(path).status_code == 302

    # --- Clients ---

    def open_link(self, link: str) -> httpx.Response:
        """Open a mail's link up to the page that it leads to."""
        answer = self.get(link)
        assert answer.headers["Location"] == "/invite/"
        return self.get("/invite/")

    def ask_for_code(self, email: str) -> str:
        """Press the button that mails a code; returns the code."""
        before = {mail.id for mail in mails(self.stack, email)}
        assert self.post("/invite/send-code/", page="/invite/").status_code == 302
        mail = wait_for_mail(
            self.stack, email, lambda m: m.id not in before and bool(re.match(r"\d{6}", m.subject))
        )
        return mail.subject[:6]

    def enter(self, link: str, email: str) -> "Person":
        """Come in by link and code."""
        self.open_link(link)
        answer = self.post("/invite/code/", {"code": self.ask_for_code(email)})
        assert answer.status_code == 302, answer.text
        return self

    # --- Files; `home` is the page of a case, on either side ---

    def presign(self, home: str, *, name: str = "letter.pdf", size: int = len(PDF)) -> Any:
        answer = self.call(f"{home}files/presign", {"fileName": name, "size": size}, page=home)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def send(self, signed: Any, content: bytes = PDF, **changes: str | None) -> httpx.Response:
        """Post to storage as a browser does; `changes` replaces fields (None leaves one out)."""
        dashed = ("Content_Type", "x_amz_server_side_encryption")
        given = {k.replace("_", "-") if k in dashed else k: v for k, v in changes.items()}
        fields = {**signed["fields"], **given}
        kept = {name: value for name, value in fields.items() if value is not None}
        return httpx.post(
            signed["url"], data=kept, files={"file": ("blob", content)}, verify=NO_TLS, timeout=20
        )

    def upload(self, home: str, *, name: str = "letter.pdf", content: bytes = PDF) -> Any:
        """Presign, send, confirm: the file as it is answered."""
        signed = self.presign(home, name=name, size=len(content))
        assert self.send(signed, content).status_code == 201
        return self.call(signed["confirmUrl"], page=home).json()


@dataclass(frozen=True)
class Town:
    """Who the tests are about (REQUIREMENTS.md). Cases one, two and the pages to them: `one` for
    practitioner A, `portal_one` for its clients C1 and D; case two is C2's."""

    a: Person
    b: Person
    c1: Person
    d: Person
    c2: Person
    case_one: str
    case_two: str
    client_one: str
    client_two: str
    link_one: str

    @property
    def one(self) -> str:
        return f"/cases/{self.case_one}/"

    @property
    def portal_one(self) -> str:
        return f"/portal/{self.case_one}/"

    @property
    def portal_two(self) -> str:
        return f"/portal/{self.case_two}/"


@dataclass(frozen=True)
class Invited:
    """A client of A's who holds a link and has not come in yet."""

    person: Person
    email: str
    client: str
    case: str
    link: str

    @property
    def home(self) -> str:
        return f"/portal/{self.case}/"


C1_EMAIL = "clara.one@example.test"
D_EMAIL = "dora.one@example.test"
C2_EMAIL = "carl.two@example.test"
A_EMAIL = "anna.novak@example.test"
B_EMAIL = "ben.okafor@example.test"
ADMIN_EMAIL = "admin@example.test"


def build_town(site: str, stack: TestStack) -> Town:
    a = Person(site, stack).sign_in(A_EMAIL)
    b = Person(site, stack).sign_in(B_EMAIL)
    one, also = a.add_client("Clara One", C1_EMAIL), a.add_client("Dora One", D_EMAIL)
    two = a.add_client("Carl Two", C2_EMAIL)
    case_one, case_two = a.open_case("Case one", one, also), a.open_case("Case two", two)
    link_one = a.invite(case_one, one, C1_EMAIL)
    c1, d, c2 = (Person(site, stack) for _ in range(3))
    c1.enter(link_one, C1_EMAIL)
    d.enter(a.invite(case_one, also, D_EMAIL), D_EMAIL)
    c2.enter(a.invite(case_two, two, C2_EMAIL), C2_EMAIL)
    return Town(a, b, c1, d, c2, case_one, case_two, one, two, link_one)


def newcomer(site: str, stack: TestStack) -> Person:
    """A practitioner who was never here before, and has used up no limit."""
    user = DemoUser(f"{new_id()}@example.test", "Nora Newcomer", "practitioner")
    cognito = admin_session(stack.ministack).client(
        "cognito-idp", endpoint_url=stack.ministack.endpoint
    )
    provision_user(cognito, stack.stack["oidc"]["userPoolId"], user)
    login = DemoLogin(email=user.email, password=DEMO_PASSWORD, role=user.role)
    stack.stack["users"].append(login)
    return Person(site, stack).sign_in(user.email)


def invite_somebody(town: Town, person: Person) -> Invited:
    """Make `person` a client of A's with a case and a link."""
    email = f"{new_id()}@example.test"
    client = town.a.add_client("Somebody New", email)
    case = town.a.open_case("A case of their own", client)
    return Invited(person, email, client, case, town.a.invite(case, client, email))


def link_in(mail: SentMail) -> str:
    """The invitation's link in a mail."""
    match = re.search(r"http\S+/invite/\S+/", mail.text)
    assert match, mail.text
    return match[0]


def path_parts(answer: httpx.Response) -> list[str]:
    """The parts of the path that a redirect leads to."""
    return urlsplit(answer.headers["Location"]).path.strip("/").split("/")


def essence(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """All of an answer that doesn't differ between any two: status, body, headers."""
    # A compressed page has random bytes, so the length that is sent differs; its text does not.
    passing = {"date", "x-request-id", "content-security-policy", "content-length"}
    kept = {name: value for name, value in answer.headers.items() if name not in passing}
    return answer.status_code, answer.content, kept
