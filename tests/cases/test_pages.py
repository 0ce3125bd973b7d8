"""The pages of clients, cases and search, as a browser sees them, without JavaScript."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client as Browser

from cases import cases, clients
from cases.tables import Case, Client
from filevault.dynamo import new_id
from tests.cases.casework import again, edit, make_case, make_client
from tests.cases.invited import sign_in
from tests.cast import Cast

LONG = "x" * 10_000
SURROGATE = b"\xed\xa0\x80".decode("utf-8", "surrogatepass")


@pytest.fixture
def anna(cast: Cast) -> Browser:
    return sign_in(cast.a)


@pytest.fixture
def ben(cast: Cast) -> Browser:
    return sign_in(cast.b)


def text(response: Any) -> str:
    """A page as it is read."""
    plain = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(plain).split())


def typed(response: Any) -> dict[str, Any]:
    """What a page's form holds, as a browser would send it back."""
    form = response.context["form"]
    found = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in found.items()}


# --- Who may come in ---


def routes(client: Client, case: Case) -> dict[str, str]:
    """Every page of one record, and the method that it takes at least."""
    client_id, case_id = client.client_id, case.case_id
    return {
        f"/clients/{client_id}/": "get",
        f"/clients/{client_id}/edit/": "post",
        f"/clients/{client_id}/delete/": "post",
        f"/cases/{case_id}/": "get",
        f"/cases/{case_id}/edit/": "post",
        f"/cases/{case_id}/edit/clients/": "post",
        f"/cases/{case_id}/close/": "post",
        f"/cases/{case_id}/reopen/": "post",
        f"/cases/{case_id}/delete/": "post",
        f"/cases/{case_id}/files/": "get",
    }


def test_a_strangers_page_is_the_same_as_a_random_one_Z2(cast: Cast, ben: Browser) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    for path, method in routes(client, case).items():
        random = path.replace(client.client_id, new_id()).replace(case.case_id, new_id())
        theirs, nobodys = (getattr(ben, method)(address) for address in (path, random))
        assert theirs.status_code == nobodys.status_code == 404, path
        assert theirs.content == nobodys.content, path
    assert again(case).status == "open"
    assert again(client) is not None


def test_a_prefix_of_an_id_is_no_page_Z9(cast: Cast, anna: Browser) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    for path, method in routes(client, case).items():
        for row_id in (client.client_id, case.case_id):
            if row_id in path:
                cut = path.replace(row_id, row_id[:-1])
                assert getattr(anna, method)(cut).status_code == 404, cut
                upper = path.replace(row_id, row_id.upper())
                assert getattr(anna, method)(upper).status_code == 404, upper
    assert again(case).status == "open"


def test_nobody_signed_in_is_led_to_the_login(cast: Cast) -> None:
    client = make_client(cast.a)
    paths = routes(client, make_case(cast.a, client))
    for path in [*paths, "/", "/clients/", "/clients/new/", "/cases/", "/cases/new/", "/search/"]:
        answer = Browser().get(path)
        if path not in paths or paths[path] == "get":
            assert answer.status_code == 302, path
            assert answer.headers["Location"].startswith("/auth/login/"), path
        answer = Browser().get(path, headers={"Accept": "application/json"})
        assert answer.status_code in {401, 405}, path


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/", "post"),
        ("/search/", "put"),
        ("/clients/", "post"),
        ("/clients/new/", "put"),
        ("/clients/{client}/", "post"),
        ("/clients/{client}/edit/", "delete"),
        ("/clients/{client}/delete/", "delete"),
        ("/cases/", "post"),
        ("/cases/new/", "put"),
        ("/cases/new/clients/", "get"),
        ("/cases/{case}/", "post"),
        ("/cases/{case}/edit/", "put"),
        ("/cases/{case}/edit/clients/", "get"),
        ("/cases/{case}/close/", "get"),
        ("/cases/{case}/reopen/", "get"),
        ("/cases/{case}/delete/", "delete"),
    ],
)
def test_wrong_methods_change_nothing(cast: Cast, anna: Browser, path: str, method: str) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    address = path.format(client=client.client_id, case=case.case_id)
    answer = getattr(anna, method)(address)
    assert answer.status_code == 405
    assert answer.headers["Allow"]
    assert again(case).status == "open"


def test_unsafe_requests_need_the_forms_token_W1(cast: Cast) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = sign_in(cast.a).cookies
    assert strict.post(f"/cases/{case.case_id}/close/").status_code == 403
    assert strict.post("/clients/new/", {"name": "X", "email": "x@y.test"}).status_code == 403
    assert again(case).status == "open"


# --- Clients ---


@pytest.mark.settled
def test_a_client_is_added_shown_changed_and_deleted(cast: Cast, anna: Browser) -> None:
    form = typed(anna.get("/clients/new/"))
    answer = anna.post(
        "/clients/new/",
        form | {"name": "Maria Keller", "email": "maria@example.test", "notes": "Knows\nJonas"},
    )
    (client,) = clients.newest_clients(cast.a, limit=9)
    page = f"/clients/{client.client_id}/"
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    shown = text(anna.get(page))
    assert "Maria Keller is in your address book." in shown
    assert "Knows Jonas" in shown
    assert "No case yet" in shown
    assert "Maria Keller" in text(anna.get("/clients/"))
    changed = typed(anna.get(f"{page}edit/")) | {"phone": "030 1"}
    assert anna.post(f"{page}edit/", changed).headers["Location"] == page
    assert "030 1" in text(anna.get(page))
    assert "Delete Maria Keller?" in text(anna.get(f"{page}delete/"))
    assert again(client) is not None, "asking deletes nothing (I1)"
    assert anna.post(f"{page}delete/").headers["Location"] == "/clients/"
    assert "Maria Keller was deleted." in text(anna.get("/clients/"))
    assert anna.post(f"{page}delete/").status_code == 404


def test_posting_twice_makes_one_client(cast: Cast, anna: Browser) -> None:
    form = typed(anna.get("/clients/new/")) | {"name": "Maria", "email": "m@example.test"}
    first, second = anna.post("/clients/new/", form), anna.post("/clients/new/", form)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(clients.newest_clients(cast.a, limit=9)) == 1


def test_posting_again_with_other_content_asks_before_it_adds(cast: Cast, anna: Browser) -> None:
    form = typed(anna.get("/clients/new/")) | {"name": "Maria", "email": "m@example.test"}
    anna.post("/clients/new/", form)
    answer = anna.post("/clients/new/", form | {"name": "Jonas"})
    assert answer.status_code == 409
    assert "This form was saved before" in text(answer)
    assert typed(answer)["name"] == "Jonas"
    anna.post("/clients/new/", typed(answer))
    names = {client.name for client in clients.newest_clients(cast.a, limit=9)}
    assert names == {"Maria", "Jonas"}


@pytest.mark.parametrize("once", ["", "x", LONG, "../../x", "00000000-0000-0000-0000-000000000000"])
def test_a_made_up_token_counts_for_nothing(cast: Cast, anna: Browser, once: str) -> None:
    data = {"name": "Maria", "email": "m@example.test", "once": once}
    assert anna.post("/clients/new/", data).status_code == 302
    (client,) = clients.newest_clients(cast.a, limit=9)
    assert client.client_id != once


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "Please enter a name."),
        ("name", LONG, "Please keep this to 200 characters."),
        ("name", "in\u202efdp.exe", "Please leave out invisible and control characters."),
        ("name", "a\x00b", "Null characters are not allowed."),
        ("email", "", "Please enter an e-mail address."),
        ("email", "maria", "This doesn't look like an e-mail address."),
        ("email", "a\x00@b.test", "Null characters are not allowed."),
        ("notes", LONG, "Please keep this to 5000 characters."),
        ("phone", "1" * 41, "Please keep this to 40 characters."),
        ("language", "xx", "Select a valid choice."),
    ],
)
def test_what_is_wrong_stands_beside_the_field_and_nothing_is_lost(
    cast: Cast, anna: Browser, field: str, value: str, said: str
) -> None:
    data = {"name": "Maria", "email": "m@example.test", "phone": "1", "notes": "n"} | {field: value}
    answer = anna.post("/clients/new/", data)
    assert answer.status_code == 422
    (message,) = answer.context["form"].errors[field]
    assert message.startswith(said)
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert {name: answer.context["form"][name].value() for name in data} == data
    assert clients.newest_clients(cast.a, limit=9) == []


@pytest.mark.parametrize("path", ["/clients/new/", "/cases/new/", "/cases/new/clients/"])
@pytest.mark.parametrize("raw", [b"%ED%A0%80", b"%00", b"%FF%FE", b"%C0%80", b"%F4%90%80%80"])
def test_bytes_that_are_no_text_are_no_fault_of_ours(anna: Browser, path: str, raw: bytes) -> None:
    fields = [b"name", b"email", b"phone", b"notes", b"once", b"title", b"reference", b"find"]
    fields += [b"clients", b"new_name", b"new_email", b"access", b"language", b"once_client"]
    for field in fields:
        body = b"title=T&name=N&email=e%40x.test&" + field + b"=" + raw
        answer = anna.post(path, body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code in {200, 302, 422}, field


@pytest.mark.parametrize("charset", ["raw_unicode_escape", "unicode_escape", "utf-7", "x"])
def test_other_charsets_smuggle_nothing_in(anna: Browser, charset: str) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\n\\ud800\r\n--B--\r\n'
    kind = f"multipart/form-data; boundary=B; charset={charset}"
    assert anna.generic("POST", "/clients/new/", body, kind).status_code == 400
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    answer = anna.generic("POST", "/clients/new/", "name=\\ud800", kind)
    assert answer.status_code == 400
    answer = anna.get("/clients/?cursor=%5Cud800", CONTENT_TYPE=kind)
    assert answer.status_code == 400


def test_a_stale_edit_shows_both_and_saves_at_the_second_press(cast: Cast, anna: Browser) -> None:
    client = make_client(cast.a, "Maria")
    page = f"/clients/{client.client_id}/edit/"
    mine = typed(anna.get(page)) | {"name": "Mine", "notes": "typed for long"}
    theirs = typed(anna.get(page)) | {"name": "Theirs"}
    anna.post(page, theirs)
    answer = anna.post(page, mine)
    assert answer.status_code == 409
    assert "This was changed after you opened it." in text(answer)
    assert "What is saved now" in text(answer)
    assert "Theirs" in text(answer)
    kept = typed(answer)
    assert (kept["name"], kept["notes"]) == ("Mine", "typed for long")
    assert again(client).name == "Theirs"
    assert anna.post(page, kept).status_code == 302
    assert again(client).name == "Mine"


def test_an_edit_without_a_version_is_refused(cast: Cast, anna: Browser) -> None:
    client = make_client(cast.a, "Maria")
    data = {"name": "X", "email": "x@example.test"}
    assert anna.post(f"/clients/{client.client_id}/edit/", data).status_code == 409
    assert again(client).name == "Maria"


def test_deletion_of_a_client_with_open_cases_says_why(cast: Cast, anna: Browser) -> None:
    client = make_client(cast.a, "Maria")
    make_case(cast.a, client)
    page = f"/clients/{client.client_id}/delete/"
    assert "Close or delete the case first" in text(anna.get(page))
    answer = anna.post(page)
    assert answer.status_code == 409
    assert "Close or delete the case first" in text(answer)
    assert again(client) is not None


@pytest.mark.settled
def test_the_same_address_is_warned_of(cast: Cast, anna: Browser) -> None:
    make_client(cast.a, "Jonas", "keller@example.test")
    data = {"name": "Maria", "email": "keller@example.test"}
    answer = anna.post("/clients/new/", data, follow=True)
    assert "The same e-mail address belongs to Jonas, too." in text(answer)


def test_names_are_never_markup(cast: Cast, anna: Browser) -> None:
    name = "<script>alert(1)</script>{{ 7 }}"
    client = make_client(cast.a, name, "m@example.test")
    case = make_case(cast.a, client, title=name)
    for path in (*routes(client, case), "/", "/clients/", "/cases/", "/search/"):
        answer = anna.get(path)
        assert b"<script>alert" not in answer.content, path
    assert name in text(anna.get(f"/clients/{client.client_id}/")) or "alert(1)" in text(
        anna.get(f"/clients/{client.client_id}/")
    )


# --- Cases ---


@pytest.mark.settled
def test_a_case_is_opened_shown_closed_and_deleted(cast: Cast, anna: Browser) -> None:
    client = make_client(cast.a, "Maria Keller")
    form = typed(anna.get(f"/cases/new/?client={client.client_id}"))
    assert form["clients"] == [client.client_id], "asked for on the client's page"
    assert form["access"] == "code"
    answer = anna.post("/cases/new/", form | {"title": "Keller v. Brandt", "reference": "17"})
    ((case,)) = cases.list_cases(cast.a, "open").items
    page = f"/cases/{case.case_id}/"
    assert answer.headers["Location"] == f"{page}clients/{client.client_id}/invite/"
    shown = text(anna.get(page))
    for expected in ("Keller v. Brandt", "Open", "17", "No files yet", "Maria Keller", "Add files"):
        assert expected in shown
    assert "Maria Keller" in text(anna.get("/cases/"))
    assert anna.post(f"{page}close/").headers["Location"] == page
    assert anna.post(f"{page}close/").headers["Location"] == page
    shown = text(anna.get(page))
    assert "This case is closed." in shown
    assert "Add files" not in shown
    assert "Keller" not in text(anna.get("/cases/"))
    assert "Keller" in text(anna.get("/cases/?status=closed"))
    anna.post(f"{page}reopen/")
    assert again(case).status == "open"
    assert "Delete “Keller v. Brandt”?" in text(anna.get(f"{page}delete/"))
    assert again(case).status == "open"
    assert anna.post(f"{page}delete/").headers["Location"] == "/cases/"
    assert anna.get(page).status_code == 404
    assert anna.post(f"{page}delete/").status_code == 404


@pytest.mark.settled
def test_a_new_client_is_added_with_the_case_once(cast: Cast, anna: Browser) -> None:
    known = make_client(cast.a, "Jonas")
    new = {"title": "T", "new_name": "Maria", "new_email": "m@example.test"}
    form = typed(anna.get("/cases/new/")) | new | {"clients": [known.client_id]}
    answers = [anna.post("/cases/new/", form) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    (case,) = cases.list_cases(cast.a, "open").items
    assert [client.name for client in cases.clients_of(case)] == ["Jonas", "Maria"]
    assert len(clients.newest_clients(cast.a, limit=9)) == 2
    shown = text(anna.get(f"/cases/{case.case_id}/"))
    assert "All clients on this case see all of its files." in shown


def test_nobody_is_added_to_the_book_by_a_case_that_is_refused(cast: Cast, anna: Browser) -> None:
    new = {"title": LONG, "new_name": "Maria", "new_email": "m@example.test"}
    answer = anna.post("/cases/new/", typed(anna.get("/cases/new/")) | new)
    assert answer.status_code == 422
    assert clients.newest_clients(cast.a, limit=9) == []
    kept = typed(answer)
    assert {name: kept[name] for name in new} == new


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": LONG}, "title"),
        ({"reference": "x" * 61}, "reference"),
        ({"notes": LONG}, "notes"),
        ({"clients": []}, "clients"),
        ({"clients": ["00000000-0000-7000-8000-000000000000"]}, "clients"),
        ({"clients": ["x", ""]}, "clients"),
        ({"new_name": "Maria"}, "new_email"),
        ({"new_email": "m@example.test"}, "new_name"),
        ({"new_name": "M", "new_email": "nonsense"}, "new_email"),
        ({"access": "none"}, "access"),
    ],
)
def test_a_refused_case_loses_nothing(
    cast: Cast, anna: Browser, changes: dict[str, Any], field: str
) -> None:
    client = make_client(cast.a, "Jonas")
    form = typed(anna.get("/cases/new/")) | {"title": "T", "clients": [client.client_id]} | changes
    answer = anna.post("/cases/new/", form)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    kept = typed(answer)
    kept_texts = ("title", "reference", "notes", "new_name", "new_email")
    assert {name: kept[name] for name in kept_texts} == {name: form[name] for name in kept_texts}
    assert cases.list_cases(cast.a, "open").items == []


def test_clients_of_others_cannot_be_put_on_a_case(cast: Cast, anna: Browser) -> None:
    theirs = make_client(cast.b, "Not hers")
    for path in (f"/cases/new/?client={theirs.client_id}", "/cases/new/"):
        assert "Not hers" not in text(anna.get(path))
    answer = anna.post("/cases/new/", {"title": "T", "clients": theirs.client_id, "access": "code"})
    assert answer.status_code == 422
    assert "Not hers" not in text(answer)


@pytest.mark.settled
def test_a_long_address_book_is_searched_without_losing_what_was_typed(
    cast: Cast, anna: Browser
) -> None:
    first = make_client(cast.a, "Zacharias First")
    for number in range(51):
        make_client(cast.a, f"Client {number}")
    page = anna.get("/cases/new/")
    assert "Zacharias" not in text(page)
    chosen = page.context["form"].fields["clients"].choices[0][0]
    form = typed(page) | {"title": "Typed before", "clients": [chosen], "find": "zach"}
    found = anna.post("/cases/new/clients/", form)
    assert found.status_code == 200
    assert "Zacharias First" in text(found)
    assert "1 client found." in text(found)
    kept = typed(found)
    assert (kept["title"], kept["clients"], kept["once"]) == (
        "Typed before",
        [chosen],
        form["once"],
    )
    anna.post("/cases/new/", kept | {"clients": [chosen, first.client_id]})
    (case,) = cases.list_cases(cast.a, "open").items
    assert set(case.client_ids) == {chosen, first.client_id}
    edited = f"/cases/{case.case_id}/edit/"
    more = typed(anna.get(edited)) | {"title": "Changed", "find": "zach"}
    kept = typed(anna.post(f"{edited}clients/", more))
    assert kept["title"] == "Changed"
    assert anna.post(edited, kept).status_code == 302
    assert again(case).title == "Changed"


def test_a_second_client_is_told_of(cast: Cast, anna: Browser) -> None:
    maria, jonas = make_client(cast.a, "Maria"), make_client(cast.a, "Jonas")
    case = make_case(cast.a, maria)
    page = f"/cases/{case.case_id}/"
    form = typed(anna.get(f"{page}edit/")) | {"clients": [maria.client_id, jonas.client_id]}
    answer = anna.post(f"{page}edit/", form, follow=True)
    assert "All clients on this case see all of its files." in text(answer)
    form = typed(anna.get(f"{page}edit/")) | {"title": "Only the title"}
    assert "All clients" not in text(anna.post(f"{page}edit/", form, follow=True))


def test_a_stale_edit_of_a_case_shows_both(cast: Cast, anna: Browser) -> None:
    maria, jonas = make_client(cast.a, "Maria"), make_client(cast.a, "Jonas")
    case = make_case(cast.a, maria)
    page = f"/cases/{case.case_id}/edit/"
    mine = typed(anna.get(page)) | {"title": "Mine"}
    edit(cast.a, case, title="Theirs", client_ids=[maria.client_id, jonas.client_id])
    answer = anna.post(page, mine)
    assert answer.status_code == 409
    shown = text(answer)
    assert "Theirs" in shown
    assert "Jonas" in shown
    assert typed(answer)["title"] == "Mine"
    assert anna.post(page, typed(answer)).status_code == 302
    assert (again(case).title, again(case).client_ids) == ("Mine", [maria.client_id])


@pytest.mark.settled
def test_lists_go_on_by_page_and_refuse_bad_cursors(cast: Cast, anna: Browser) -> None:
    client = make_client(cast.a)
    for number in range(26):
        make_case(cast.a, client, title=f"Case {number:02}")
    page = anna.get("/cases/")
    assert "Case 25" in text(page)
    assert "Case 00" not in text(page)
    assert "Case 00" in text(anna.get(page.context["next_url"]))
    for path in ("/cases/", "/clients/", "/cases/?status=closed"):
        joint = "&" if "?" in path else "?"
        assert anna.get(f"{path}{joint}cursor=broken").status_code == 422
        assert anna.get(f"{path}{joint}cursor=%ED%A0%80").status_code == 422


# --- Home and search ---


@pytest.mark.settled
def test_the_first_visit_leads_step_by_step(cast: Cast, anna: Browser) -> None:
    page = anna.get("/")
    assert "Add your first client" in text(page)
    assert b'href="/clients/new/"' in page.content
    assert b'href="/cases/new/"' not in page.content
    client = make_client(cast.a)
    page = anna.get("/")
    assert b'href="/cases/new/"' in page.content
    case = make_case(cast.a, client)
    shown = text(anna.get("/"))
    assert "Keller v. Brandt" in shown
    assert "Add your first client" not in shown
    cases.close_case(cast.a, case.case_id)
    assert "No case is open" in text(anna.get("/"))


def test_search_shows_both_kinds_with_the_words_marked(cast: Cast, anna: Browser) -> None:
    client = make_client(cast.a, "Jürgen Müller", "j@example.test")
    make_case(cast.a, client, title="Mulligan & Co")
    page = anna.post("/search/", {"q": "mull"}, follow=True)
    assert page.redirect_chain == [("/search/", 302)], "no word stands in an address (T2)"
    assert "Jürgen <mark>Müll</mark>er" in page.content.decode()
    assert "<mark>Mull</mark>igan &amp; Co" in page.content.decode()
    assert "<mark>Mull</mark>igan" in anna.get("/search/").content.decode(), "also when going back"
    assert "Nothing found" in text(anna.post("/search/", {"q": "zzz"}, follow=True))
    assert "Nothing found" not in text(anna.post("/search/", {}, follow=True))
    ben = sign_in(cast.b)
    assert "Nothing found" in text(ben.post("/search/", {"q": "mull"}, follow=True))


@pytest.mark.parametrize("query", ["%ED%A0%80", "%00", "x" * 5_000, "%22%3E%3Cscript%3E", "%", "#"])
def test_odd_queries_are_answered(anna: Browser, query: str) -> None:
    form = "application/x-www-form-urlencoded"
    answer = anna.generic("POST", "/search/", f"q={query}", form)
    assert answer.status_code == 302
    answer = anna.get("/search/")
    assert answer.status_code == 200
    assert b"<script>" not in answer.content


@pytest.mark.settled
def test_without_an_address_book_the_client_is_entered_with_the_case(
    cast: Cast, anna: Browser
) -> None:
    form = typed(anna.get("/cases/new/")) | {"title": "T"}
    answer = anna.post("/cases/new/", form)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"new_name", "new_email"}
    both = {"new_name": "Maria", "new_email": "m@example.test"}
    assert anna.post("/cases/new/", typed(answer) | both).status_code == 302
    (case,) = cases.list_cases(cast.a, "open").items
    assert [client.name for client in cases.clients_of(case)] == ["Maria"]
