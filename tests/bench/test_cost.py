"""The cost script: units by AWS's rules, every action counted, and prices that are inputs."""

import json
from pathlib import Path

import pytest

from bench import cost
from bench.actions import measure
from bench.cost import IDLE, PRICES, Habits
from bench.units import metered, size_of
from filevault.dynamo import Transaction, now
from filevault.tables import Limit, Mail, Once

pytestmark = [pytest.mark.django_db, pytest.mark.settled]


def make_mail(mail_id: str, *, text: int = 0, ses_message_id: str | None = None) -> Mail:
    return Mail(
        mail_id,
        template="t",
        address_hash="",
        context={"text": "x" * text},
        state="queued",
        day="2026-11-21",
        ses_message_id=ses_message_id,
        created_at=now(),
    )


def test_a_write_counts_each_kilobyte_and_each_index_that_it_touches() -> None:
    with metered() as bill:
        make_mail("1").save()
    assert bill["write_units"] == 2  # the row, and its entry by day
    with metered() as bill:
        make_mail("2", text=1500, ses_message_id="s").save()
    assert bill["write_units"] == 3 * 2  # two kilobytes, by day, and by the provider's id
    with metered() as bill:
        Mail("2").delete()
    assert bill["write_units"] == 3 * 2
    with metered() as bill:
        Mail("1").update([Mail.day.set("2026-11-22")])
    assert bill["write_units"] == 1 + 2  # an entry that moves is written twice


def test_a_transaction_counts_twice_but_for_indexes() -> None:
    tx = Transaction()
    tx.create(make_mail("1"))
    tx.create(Once("o", ttl=now()))
    with metered() as bill:
        tx.commit()
    assert bill["write_units"] == 2 + 2 + 1


def test_a_consistent_read_counts_four_kilobytes_at_a_time() -> None:
    make_mail("1", text=9000).save()
    for consistent, units in ((True, 3), (False, 1.5)):
        with metered() as bill:
            Mail.get("1", consistent_read=consistent)
        assert bill["read_units"] == units
    with metered() as bill:
        assert Once.fetch("nothing") is None
        list(Mail.by_day.query("2026-11-21"))
        Limit.fetch_many(["a", "b"])
    assert bill["read_units"] == 1 + 1.5 + 2


def test_rows_are_measured_as_aws_says() -> None:
    assert size_of({"id": {"S": "äb"}, "n": {"N": "-12345"}, "b": {"BOOL": True}}) == 5 + 5 + 2
    assert size_of({"m": {"M": {"k": {"S": "v"}}}, "l": {"L": [{"S": "vw"}]}}) == 7 + 7
    assert size_of(None) == 0


def test_every_action_is_counted_and_prices_are_inputs() -> None:
    actions = measure(idle=IDLE)
    assert all(
        actions[name]["write_units"] for name in actions if "page" not in name and name != IDLE
    )
    assert actions["an upload"]["s3_reads"] >= 1
    assert actions["an upload"]["row_bytes"] > 500
    assert actions["a burst's mail"]["mails"] == 1
    assert actions["invite and enter"]["mails"] == 2
    assert actions["a download"]["s3_writes"] == 0
    assert actions[IDLE]["read_units"] > 1e6
    assert actions[IDLE]["write_units"] == 0

    habits = Habits()
    month = cost.month_of_a_case(actions, habits)
    one, many = (cost.cost_of(cases, month, habits, PRICES) for cases in (1, 1000))
    assert many.total == pytest.approx(1000 * one.total)
    dear = dict(PRICES) | {"s3_gb_month": 10 * PRICES["s3_gb_month"]}
    assert cost.cost_of(1, month, habits, dear).storage > 9 * one.storage
    assert cost.cost_of(1, month, habits, dear).requests == one.requests

    told = cost.report(actions, habits, PRICES)
    assert [
        line for line in told.splitlines() if line.startswith(("| 10 ", "| 1,000 ", "| 100,000 "))
    ]
    assert f"{1000 * one.total:,.2f}" in told


def test_a_price_that_is_not_known_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"million_wishes": 1}))
    assert cost.main(["--prices", str(path)]) == 2
    assert "million_wishes" in capsys.readouterr().err
