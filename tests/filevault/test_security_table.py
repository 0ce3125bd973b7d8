"""docs/security.md tells what the tests prove, and nothing that they don't."""

from tools.security_table import NUMBERS, PAGE, page, proofs


def test_every_rule_has_its_proof() -> None:
    assert set(NUMBERS) - set(proofs()) == set()


def test_no_test_carries_a_number_of_no_rule() -> None:
    assert set(proofs()) - set(NUMBERS) == set()


def test_the_table_is_fresh() -> None:
    assert PAGE.read_text() == page(), "run: python tools/security_table.py"
