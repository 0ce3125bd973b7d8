"""What pages and modules weigh on the line. A whole page's budget: tests/browser/test_pages.py."""

import gzip
from typing import Any

import pytest
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from filevault.middleware import PageCompressionMiddleware
from filevault.staticfiles import without_comments

MODULE = """// What it is for.
import { a } from "./a.js"; // as below
const address = "https://example.test"; /* kept */

  /** A docstring
   * of two lines. */
export const b = `${a}//c`;
"""


def test_modules_lose_their_comments_and_no_line_its_number() -> None:
    sent = without_comments(MODULE)
    assert "What it is for" not in sent
    assert "docstring" not in sent
    kept = [(number, line) for number, line in enumerate(sent.split("\n")) if line.strip()]
    lines = MODULE.split("\n")
    assert kept == [(number, lines[number]) for number in (1, 2, 6)]


def sent(answer: HttpResponseBase) -> Any:
    request = RequestFactory().get("/", headers={"Accept-Encoding": "gzip, br"})
    return PageCompressionMiddleware(lambda _: answer)(request)


def test_a_page_goes_compressed_and_never_at_the_same_length() -> None:
    page = "<p>Row of a file</p>" * 500
    answers = [sent(HttpResponse(page)) for _ in range(20)]
    assert {gzip.decompress(each.content).decode() for each in answers} == {page}
    assert max(len(each.content) for each in answers) < len(page) / 5
    assert len({len(each.content) for each in answers}) > 1, "nothing can be told from it (BREACH)"


@pytest.mark.parametrize(
    "answer",
    [
        StreamingHttpResponse([b"PK" * 500], content_type="application/zip"),
        JsonResponse({"url": "https://" + "x" * 500}),
    ],
)
def test_archives_and_json_go_as_they_are(answer: HttpResponseBase) -> None:
    assert "Content-Encoding" not in sent(answer).headers
