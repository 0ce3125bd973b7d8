"""Static files as they are sent."""

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
