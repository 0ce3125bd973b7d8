"""What Filevault costs on AWS: each action's calls are counted, and priced.

    python -m bench.cost                         10, 1,000 and 100,000 cases
    python -m bench.cost --prices prices.json    with prices of your own
    python -m bench.cost --files 40 --megabytes 8 --kept-months 36

Counted on moto, in memory: the calls are the product's own, the rows as large as real ones. Not in
it: web servers and workers themselves, the SQL database, logs, taxes, and AWS's free tier.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import django
from django.core.management import call_command
from django.test.utils import setup_test_environment
from moto import mock_aws

#: US dollars, list prices of us-east-1 in 2026. Yours may differ: pass them by --prices.
PRICES: Final[Mapping[str, float]] = {
    "million_read_units": 0.125,
    "million_write_units": 0.625,
    "table_gb_month": 0.25,
    "table_backup_gb_month": 0.20,
    "thousand_s3_writes": 0.005,
    "thousand_s3_reads": 0.0004,
    "s3_gb_month": 0.023,
    "out_gb": 0.09,
    "thousand_mails": 0.10,
}
GB: Final = 1024**3
#: What each action takes, by its name.
Actions = Mapping[str, Mapping[str, float]]
IDLE: Final = "a worker's idle month"
SIZES: Final = (10, 1_000, 100_000)


@dataclass(frozen=True, slots=True)
class Habits:
    """What people do with a case in its month: numbers a case."""

    files: int = 12
    megabytes: float = 3.0
    downloads: int = 12
    bursts: int = 4
    pages: int = 40
    kept_months: int = 12


@dataclass(frozen=True, slots=True)
class Cost:
    """What cases cost a month, in US dollars."""

    requests: float
    storage: float
    transfer: float
    mail: float

    @property
    def total(self) -> float:
        return self.requests + self.storage + self.transfer + self.mail


def price_of(bill: Mapping[str, float], prices: Mapping[str, float]) -> float:
    """The requests of a bill."""
    return (
        bill.get("read_units", 0) / 1e6 * prices["million_read_units"]
        + bill.get("write_units", 0) / 1e6 * prices["million_write_units"]
        + bill.get("s3_writes", 0) / 1e3 * prices["thousand_s3_writes"]
        + bill.get("s3_reads", 0) / 1e3 * prices["thousand_s3_reads"]
    )


def month_of_a_case(actions: Actions, habits: Habits) -> Mapping[str, float]:
    """Everything that one case's month brings: its actions, as often as they are done."""
    times = {
        "open a case": 1,
        "invite and enter": 1,
        "a page of the practitioner's": habits.pages / 2,
        "a page of the client's": habits.pages / 2,
        "an upload": habits.files,
        "a download": habits.downloads,
        "a burst's mail": habits.bursts,
    }
    units = {unit for bill in actions.values() for unit in bill}
    return {
        unit: sum(actions[action].get(unit, 0) * count for action, count in times.items())
        for unit in units
    }


def cost_of(
    cases: int, month: Mapping[str, float], habits: Habits, prices: Mapping[str, float]
) -> Cost:
    """What so many cases opened a month cost, once those of `kept_months` are kept."""
    bytes_of_files = habits.files * habits.megabytes * 1024**2
    kept = cases * habits.kept_months
    tables = prices["table_gb_month"] + prices["table_backup_gb_month"]
    return Cost(
        requests=cases * price_of(month, prices),
        storage=kept
        * (bytes_of_files / GB * prices["s3_gb_month"] + month["row_bytes"] / GB * tables),
        transfer=cases * habits.downloads * habits.megabytes / 1024 * prices["out_gb"],
        mail=cases * month["mails"] / 1e3 * prices["thousand_mails"],
    )


def main(arguments: list[str]) -> int:
    options = _read(arguments)
    prices = dict(PRICES) | _read_prices(options.prices)
    habits = Habits(**{each.name: getattr(options, each.name) for each in fields(Habits)})
    unknown = sorted(prices.keys() - PRICES.keys())
    if unknown:
        print(f"These prices are not known: {', '.join(unknown)}", file=sys.stderr)
        return 2
    print(report(_measure_alone(), habits, prices))
    return 0


def _measure_alone() -> Actions:
    """The actions, outside of a test: with settings and tables of their own."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    setup_test_environment()
    from bench.actions import measure  # needs the settings
    from filevault.dynamo import create_tables

    with mock_aws():
        create_tables()
        call_command("migrate", verbosity=0)
        return measure(idle=IDLE)


def report(actions: Actions, habits: Habits, prices: Mapping[str, float]) -> str:
    """The two tables: what each action takes, and what cases cost."""
    units = ("read_units", "write_units", "s3_writes", "s3_reads", "mails", "row_bytes")
    lines = [
        "| action | read units | write units | S3 writes | S3 reads | mails | bytes of rows "
        "| $ a million |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for action, bill in actions.items():
        if action == IDLE:
            continue
        cells = [f"{bill.get(unit, 0):g}" for unit in units]
        price = price_of(bill, prices) + bill.get("mails", 0) / 1e3 * prices["thousand_mails"]
        lines.append(f"| {action} | {' | '.join(cells)} | {price * 1e6:,.2f} |")
    month = month_of_a_case(actions, habits)
    lines += [
        "",
        "| cases a month | requests | storage | transfer | mail | $ a month |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for cases in SIZES:
        cost = cost_of(cases, month, habits, prices)
        sums = [cost.requests, cost.storage, cost.transfer, cost.mail, cost.total]
        lines.append(f"| {cases:,} | {' | '.join(f'{each:,.2f}' for each in sums)} |")
    idle = price_of(actions[IDLE], prices)
    return "\n".join([*lines, "", f"A worker that finds nothing to do: ${idle:.2f} a month."])


def _read_prices(path: Path | None) -> dict[str, float]:
    given = json.loads(path.read_text()) if path else {}
    return {str(name): float(price) for name, price in given.items()}


def _read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.cost")
    parser.add_argument("--prices", type=Path, help="JSON of prices that differ")
    for each in fields(Habits):
        kind = type(each.default)
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=kind, default=each.default)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
