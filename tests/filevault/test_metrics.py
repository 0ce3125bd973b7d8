"""What a monitoring system reads, who may, and what it costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from filevault import jobs, mail, metrics
from filevault.dynamo import Transaction, now
from filevault.tables import Job, Mail
from tests.counting import counted

pytestmark = [pytest.mark.django_db, pytest.mark.settled]

TOKEN = "a-token-of-forty-characters-for-metrics-"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def configured(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(metrics, "_kept", None)


def read(client: Client) -> dict[str, Any]:
    """Every sample: by its name, and its labels' values."""
    answer = client.get("/metrics", headers=SHOWN)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def queue(count: int, *, state: str = "queued") -> None:
    for _ in range(count):
        tx = Transaction()
        mail_id = mail.queue(tx, "invitation", {"clientId": "c-1"})
        tx.commit()
        Mail(mail_id).update([Mail.state.set(state)])


def test_nothing_waits(client: Client) -> None:
    assert read(client) == {
        "filevault_jobs_oldest_due_seconds": 0,
        "filevault_jobs_due": 0,
        "filevault_jobs_dead": 0,
        **{
            f"filevault_mails_today {state}": 0
            for state in ("queued", "sending", "sent", "cancelled", "dead", "bounced", "complained")
        },
    }


def test_what_waits_is_counted(client: Client) -> None:
    queue(2)
    queue(1, state="dead")
    tx = Transaction()
    jobs.enqueue(tx, "old", {}, due_at=now() - timedelta(minutes=7))
    jobs.enqueue(tx, "later", {}, due_at=now() + timedelta(minutes=7))
    tx.commit()
    Job(jobs.DEAD_SHARD, "1", kind="x", payload={}, created_at=now()).save()
    found = read(client)
    assert found["filevault_jobs_due"] == 4
    assert found["filevault_jobs_dead"] == 1
    assert 420 <= found["filevault_jobs_oldest_due_seconds"] < 480
    assert found["filevault_mails_today queued"] == 2
    assert found["filevault_mails_today dead"] == 1


def test_asking_again_costs_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(monkeypatch) as calls:
        first = read(client)
        once = len(calls)
        assert read(client) == first
    assert len(calls) == once
    assert once == 2 * settings.JOB_SHARDS + 2
    assert set(calls) == {"dynamodb.Query"}


def test_it_names_nobody_T2(client: Client) -> None:
    queue(1)
    content = client.get("/metrics", headers=SHOWN).content.decode()
    assert "c-1" not in content
    assert "invitation" not in content


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", "Bearer \u00e4", f"Basic {TOKEN}", TOKEN]
)
def test_without_the_token_nothing_is_said(client: Client, shown: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": shown})
    assert answer.status_code == 401
    assert answer.content == b""


def test_without_a_setting_there_is_no_such_page(client: Client, settings: LazySettings) -> None:
    settings.METRICS_TOKEN = ""
    for shown in ("Bearer ", f"Bearer {TOKEN}"):
        answer = client.get("/metrics", headers={"Authorization": shown})
        assert answer.status_code == 404
        assert answer.content == client.get("/nothing").content


def test_a_scraper_asks_by_address_and_reads_alone(client: Client) -> None:
    address = {"Host": "10.1.2.3:8000"}
    assert client.get("/metrics", headers=SHOWN | address).status_code == 200
    assert client.post("/metrics", headers=SHOWN).status_code == 405


def test_while_the_store_is_away_it_says_so(client: Client) -> None:
    Job.delete_table()
    client.raise_request_exception = False
    assert client.get("/metrics", headers=SHOWN).status_code == 503
