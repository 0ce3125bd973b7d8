"""The worker that is woken each minute: one POST is one run, which ends when nothing is due."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from filevault import jobs, scheduled
from filevault.doctor import Finding
from filevault.dynamo import Transaction, now
from filevault.jobs import Claim
from filevault.worker import Worker, say_age

KIND = "test.scheduled"


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the jobs that were done."""
    made: list[str] = []

    def handle(claim: Claim) -> None:
        name = claim.payload["name"]
        if name == "chain":
            enqueue("its next")
        made.append(name)

    monkeypatch.setattr(jobs, "_chores", {})
    monkeypatch.setitem(jobs._handlers, KIND, handle)
    scheduled._worker.cache_clear()
    yield made
    scheduled._worker.cache_clear()


def enqueue(name: str, *, later: timedelta = timedelta(0)) -> None:
    tx = Transaction()
    jobs.enqueue(tx, KIND, {"name": name}, due_at=now() + later)
    tx.commit()


def ask(body: Any, *, method: str = "POST") -> tuple[str, dict[str, Any]]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    started: list[str] = []
    environ = {
        "REQUEST_METHOD": method,
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
    }
    answer = scheduled.application(environ, lambda status, _headers: started.append(status))  # type: ignore[arg-type]
    return started[0], json.loads(b"".join(answer))


def test_a_run_does_what_is_due_and_what_follows_from_it_and_ends(done: list[str]) -> None:
    enqueue("chain")
    enqueue("tomorrow", later=timedelta(days=1))
    assert ask({"do": "work"}) == ("200 OK", {"status": "ok", "done": 2})
    assert done == ["chain", "its next"]
    assert ask({"do": "work"})[1]["done"] == 0


def test_a_run_whose_time_is_up_leaves_the_rest_to_the_next(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []

    def step(worker: Worker) -> int:
        steps.append(1)
        return 1

    monkeypatch.setattr(Worker, "step", step)
    monkeypatch.setattr(scheduled, "RUN_SECONDS", 0.0)
    assert ask({"do": "work"})[1]["done"] == len(steps) == 1


def test_the_doctor_tells_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Finding("tables: are there"), Finding("mail: SES sends to anybody", "ask AWS")]
    monkeypatch.setattr("filevault.management.commands.doctor.examine", lambda parts: found)
    lines = ["ok   tables: are there", "FAIL mail: SES sends to anybody: ask AWS"]
    assert ask({"do": "doctor"}) == ("200 OK", {"status": "ok", "lines": lines})


def test_the_readiness_check_does_nothing(done: list[str]) -> None:
    enqueue("chain")
    assert ask(b"", method="GET") == ("200 OK", {"status": "ok"})
    assert done == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", {"do": "delete"}, {"do": ["work"]}, {"do": None}]
)
def test_what_it_does_not_know_it_does_not_do(body: Any, done: list[str]) -> None:
    enqueue("chain")
    assert ask(body)[0] == "400 Bad Request"
    assert done == []


def test_a_run_that_breaks_says_so_and_the_next_goes_on(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue("chain")
    with monkeypatch.context() as broken:
        broken.setattr(Worker, "read_queues", lambda worker: 1 / 0)
        assert ask({"do": "work"}) == ("500 Internal Server Error", {"status": "failed"})
    assert ask({"do": "work"})[1]["done"] == 2


def test_the_age_of_the_oldest_job_is_said(
    done: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    enqueue("late", later=timedelta(seconds=-90))
    enqueue("tomorrow", later=timedelta(days=1))
    with caplog.at_level("INFO"):
        say_age()
    said = [record for record in caplog.records if record.message == "oldest job"]
    assert 89 <= said[0].seconds <= 95  # type: ignore[attr-defined]
