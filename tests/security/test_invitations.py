"""Links and codes, as their readers and others meet them: I1 to I9."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from accounts.tables import AuditEvent
from cases.tables import Invitation
from filevault.dynamo import new_id, now
from tests.security.people import Invited, Person, Town, essence, link_in
from tests.stack import TestStack, mails, wait_for_mail

pytestmark = pytest.mark.stack

Stranger = Callable[[], Person]


def row(invited: Invited) -> Invitation:
    found = Invitation.fetch(invited.case, invited.client)
    assert found is not None
    return found


def token_of(link: str) -> str:
    return urlsplit(link).path.removeprefix("/invite/").strip("/")


def answer_to(person: Person, link: str) -> Any:
    """What a link leads to, through its redirect."""
    return person.get(link, follow_redirects=True)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_looking_spends_nothing_I1(invited: Invited, stranger: Stranger) -> None:
    before = row(invited).attribute_values
    scanner = stranger()
    for _ in range(10):
        assert scanner.get(invited.link, follow_redirects=True).status_code == 200
        assert scanner.head(invited.link, follow_redirects=True).status_code == 200
        for path in ("/invite/code/", "/invite/fresh/"):
            assert scanner.get(path).status_code == 200
        for path in ("/invite/send-code/", "/invite/enter/"):
            assert scanner.get(path).status_code == 405
    after = row(invited).attribute_values
    for passing in ("mail_state", "mail_sent_at"):
        before.pop(passing, None), after.pop(passing, None)
    assert after == before
    assert len(mails(invited.person.stack, invited.email)) == 1
    assert invited.person.enter(invited.link, invited.email).get(invited.home).status_code == 200


def test_the_token_leaves_the_address_bar_I2(holder: Invited, stack: TestStack) -> None:
    x, token = holder.person, token_of(holder.link)
    redirect = x.get(holder.link)
    assert (redirect.status_code, redirect.headers["Location"]) == (302, "/invite/")
    assert redirect.headers["Referrer-Policy"] == "no-referrer"
    assert redirect.headers["Cache-Control"] == "no-store"
    page = x.get("/invite/")
    assert page.headers["Referrer-Policy"] == "same-origin"
    x.get(holder.link.rstrip("/"))
    x.http.post(holder.link)
    x.get(f"/invite/{token}x/")
    x.get(f"//invite/{token}/")
    for text in (redirect.text, page.text, *(log.read_text() for log in logs(stack))):
        assert token not in text


def logs(stack: TestStack) -> list[Any]:
    found = sorted((stack.state / "log").glob("*.log"))
    assert {"web.log", "worker.log"} <= {log.name for log in found}
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example.test"},
        {"aud": "filevault-api"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"jti": "other"},
        {"caseId": "other"},
        {"clientId": "other"},
        {"typ": "JWT"},
        {"alg": "HS512"},
        {"alg": "none"},
        {"kid": "other"},
        {"key": "another-key-that-is-long-enough-to-sign"},
    ],
    ids=lambda change: "-".join(change),
)
def test_an_altered_claim_opens_nothing_I3(
    holder: Invited, stranger: Stranger, stack: TestStack, change: dict[str, Any]
) -> None:
    """Signed with the product's own key, so that the claim alone is at fault."""
    change = {k: new_id() if v == "other" and k != "kid" else v for k, v in change.items()}
    header = {"alg": "HS256", "kid": "local", "typ": "invitation+jwt"}
    found = row(holder)
    claims = {
        "iss": holder.person.site,
        "aud": "filevault-portal",
        "exp": int(time.time()) + 600,
        "jti": found.jti,
        "caseId": found.case_id,
        "clientId": found.client_id,
    }
    secret = stack.secrets.invitation_key
    assert answer_to(stranger(), sign(holder, header, claims, secret)).status_code == 200
    header |= {name: change[name] for name in ("typ", "alg", "kid") if name in change}
    claims |= {name: value for name, value in change.items() if name in claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    forged = sign(holder, header, claims, change.get("key", secret))
    assert answer_to(stranger(), forged).status_code == 410


def sign(invited: Invited, header: dict[str, str], claims: dict[str, Any], secret: str) -> str:
    key = OctKey.import_key(secret)
    token = jwt.encode(header, claims, key, algorithms=[header["alg"]])
    return f"{invited.person.site}/invite/{token}/"


def test_an_altered_byte_opens_nothing_I3(holder: Invited, stranger: Stranger) -> None:
    token = token_of(holder.link)
    for place in (5, len(token) // 2, len(token) - 10):
        other = "A" if token[place] != "A" else "B"
        altered = f"/invite/{token[:place]}{other}{token[place + 1 :]}/"
        assert answer_to(stranger(), altered).status_code == 410
    assert answer_to(stranger(), holder.link).status_code == 200


def test_revoking_ends_a_live_session_at_its_next_call_I4(town: Town, invited: Invited) -> None:
    x = invited.person.enter(invited.link, invited.email)
    signed, token = x.presign(invited.home), {"X-CSRFToken": x.token(invited.home)}
    town.a.revoke(invited.case, invited.client)
    assert x.http.post(signed["confirmUrl"], json={}, headers=token).status_code == 401
    body = {"fileName": "late.pdf", "size": 9}
    refused = x.http.post(f"{invited.home}files/presign", json=body, headers=token)
    assert refused.status_code == 401
    assert "fields" not in refused.json()
    for path in (invited.home, f"{invited.home}files/", "/portal/"):
        assert x.get(path).status_code == 401
    assert answer_to(x, invited.link).status_code == 410


def test_a_new_grant_revives_nothing_old_I4(town: Town, invited: Invited) -> None:
    x = invited.person
    x.open_link(invited.link)
    fields = {"code": x.ask_for_code(invited.email), "remember": "on"}
    assert x.post("/invite/code/", fields).status_code == 302
    town.a.revoke(invited.case, invited.client)
    fresh = town.a.invite(invited.case, invited.client, invited.email)
    assert x.get(invited.home).status_code == 401
    assert answer_to(x, invited.link).status_code == 410
    x.open_link(fresh)
    x.post("/invite/enter/", page="/invite/")  # the device was remembered for the old grant
    assert x.get(invited.home).status_code == 401


def test_a_forwarded_link_is_no_way_in_I5(invited: Invited, stranger: Stranger) -> None:
    """Whoever else has the link stands before the code, also while its owner is inside."""
    owner, other = invited.person.enter(invited.link, invited.email), stranger()
    other.open_link(invited.link)
    answer = other.post("/invite/enter/", page="/invite/")
    assert answer.headers["Location"] == "/invite/"
    assert other.get(invited.home).status_code == 401
    code = other.ask_for_code(invited.email)
    assert other.post("/invite/code/", {"code": wrong(code)}).status_code == 422
    assert other.get(invited.home).status_code == 401
    assert owner.get(invited.home).status_code == 200


def test_a_code_counts_once_I5(invited: Invited, stranger: Stranger) -> None:
    x, other = invited.person, stranger()
    x.open_link(invited.link)
    code = x.ask_for_code(invited.email)
    assert code.isdigit()
    assert code not in str(row(invited).attribute_values)
    assert x.post("/invite/code/", {"code": code}).status_code == 302
    other.open_link(invited.link)
    assert other.post("/invite/code/", {"code": code}).status_code == 422
    assert other.get(invited.home).status_code == 401


def test_a_second_code_voids_the_first_I5(invited: Invited) -> None:
    x = invited.person
    x.open_link(invited.link)
    first = x.ask_for_code(invited.email)
    second = x.ask_for_code(invited.email)
    if first != second:  # one in a million
        assert x.post("/invite/code/", {"code": first}).status_code == 422
    assert x.post("/invite/code/", {"code": second}).status_code == 302


def test_a_code_lasts_ten_minutes_I5(invited: Invited) -> None:
    x = invited.person
    x.open_link(invited.link)
    code, found = x.ask_for_code(invited.email), row(invited)
    left = found.code_expires_at - now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    found.update([Invitation.code_expires_at.set(now() - timedelta(seconds=1))])
    assert x.post("/invite/code/", {"code": code}).status_code == 422
    assert x.get(invited.home).status_code == 401


def test_five_tries_also_at_once_I5(invited: Invited) -> None:
    x = invited.person
    x.open_link(invited.link)
    code = x.ask_for_code(invited.email)
    token = {"csrfmiddlewaretoken": x.token("/invite/code/")}

    def attempt(number: int) -> int:
        fields = {**token, "code": f"{(int(code) + 1 + number) % 1_000_000:06}"}
        return int(x.http.post("/invite/code/", data=fields).status_code)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(attempt, range(12))) == {422}
    assert row(invited).code_tries == 5
    assert x.post("/invite/code/", {"code": code}).status_code == 422
    assert x.get(invited.home).status_code == 401


def test_links_that_open_nothing_are_alike_I6(
    town: Town, invited: Invited, stranger: Stranger, stack: TestStack
) -> None:
    x = stranger()
    random = x.get(f"/invite/{token_of(invited.link)}x/")
    unknown = answer_to(stranger(), "/invite/unknown/")
    expired = row(invited)
    expired.update([Invitation.expires_at.set(now() - timedelta(seconds=1))])
    ended = answer_to(stranger(), invited.link)
    town.a.revoke(invited.case, invited.client)
    revoked = answer_to(stranger(), invited.link)
    first = stranger().get(invited.link)
    assert (random.status_code, random.content) == (first.status_code, first.content)
    assert unknown.status_code == 410
    assert b"/invite/fresh/" in unknown.content
    assert unknown.content == ended.content == revoked.content
    assert names(unknown) == names(ended) == names(revoked)


def names(answer: Any) -> list[str]:
    return sorted(answer.headers)


def test_wishes_are_answered_alike_and_limited_I7(invited: Invited, stranger: Stranger) -> None:
    known, unknown = invited.person, stranger()
    row(invited).update([Invitation.expires_at.set(now() - timedelta(seconds=1))])
    known.get(invited.link)
    unknown.get("/invite/unknown/")
    answers = [p.post("/invite/fresh/") for p in (known, unknown)]
    assert answers[0].status_code == 200
    assert answers[0].content == answers[1].content
    mail = wait_for_mail(known.stack, invited.email, lambda m: link_in(m) != invited.link)
    assert answer_to(stranger(), link_in(mail)).status_code == 200
    for _ in range(5):  # another address each time: the case has a limit of its own
        other = stranger()
        other.get(invited.link)
        assert other.post("/invite/fresh/").content == answers[0].content
    queued = AuditEvent.query(f"case:{invited.case}", consistent_read=True)
    assert len([e for e in queued if e.action == "invitation:fresh_link_wanted"]) == 3
    token = {"csrfmiddlewaretoken": unknown.token("/invite/fresh/")}
    statuses = [unknown.http.post("/invite/fresh/", data=token).status_code for _ in range(10)]
    assert statuses == [200] * 9 + [429]


def test_asking_for_codes_is_limited_I7(invited: Invited, stranger: Stranger) -> None:
    """Another address or a forged one is no way around."""
    x, other = invited.person, stranger()
    for person in (x, other):
        person.open_link(invited.link)
    for _ in range(5):
        assert x.post("/invite/send-code/", page="/invite/").status_code == 302
    refused = x.post("/invite/send-code/", page="/invite/")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    assert other.post("/invite/send-code/", page="/invite/", headers=forged).status_code == 429


def test_links_are_built_from_the_sites_own_address_I8(town: Town, holder: Invited) -> None:
    path = f"/cases/{holder.case}/clients/{holder.client}/resend/"
    before = {mail.id for mail in mails(town.a.stack, holder.email)}
    lies = {"X-Forwarded-Host": "evil.example.test", "Forwarded": "host=evil.example.test"}
    assert town.a.post(path, page="/settings/", headers=lies).status_code == 302
    mail = wait_for_mail(town.a.stack, holder.email, lambda m: m.id not in before)
    assert link_in(mail).startswith(f"{town.a.site}/invite/")
    assert "evil" not in mail.text + mail.html
    assert town.a.get("/", headers={"Host": "evil.example.test"}).status_code == 400
    assert town.a.get(holder.link, headers={"Host": "evil.example.test"}).status_code == 400


def test_a_client_opens_its_case_and_nothing_else_I9(town: Town, stranger: Stranger) -> None:
    c1 = town.c1
    assert c1.get(town.portal_one).status_code == 200
    assert essence(c1.get(town.portal_two)) == essence(c1.get(f"/portal/{new_id()}/"))
    assert town.case_two not in c1.get("/portal/").text
    for path in ("/", "/clients/", "/cases/", town.one, "/search/", "/settings/", "/admin/"):
        assert c1.get(path).status_code == 302, path
        assert c1.get(path).headers["Location"].startswith(("/auth/login/", "/admin/login/")), path
    swapped = stranger()
    swapped.http.cookies.set("session", c1.cookie("client"), domain="127.0.0.1", path="/")
    swapped.http.cookies.set("client", town.a.cookie("session"), domain="127.0.0.1", path="/")
    assert not swapped.is_signed_in
    assert swapped.get(town.portal_one).status_code == 401
    assert town.a.get(town.portal_one).status_code == 401  # nor does the owner pass there


def test_each_live_link_is_listed_with_its_use_and_can_be_ended_I10(
    town: Town, invited: Invited
) -> None:
    case, person = f"/cases/{invited.case}/", f"clients/{invited.client}/"
    before = town.a.get(case).text
    assert invited.person.enter(invited.link, invited.email).get(invited.home).status_code == 200
    after = town.a.get(case).text
    assert "Last seen" not in before
    assert "Last seen" in after
    assert f'"{case}{person}revoke/"' in after
    town.a.revoke(invited.case, invited.client)
    assert f'"{case}{person}revoke/"' not in town.a.get(case).text
    assert invited.person.get(invited.home).status_code == 401
