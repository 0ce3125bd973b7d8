"""Upload notices of files that wait for the virus scanner."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
import time_machine

from cases.tables import Notice
from files import clamd
from files.checking import INSPECT_JOB
from filevault import jobs
from filevault.dynamo import now
from tests.cases.bursts import Burst, make_burst, run, sent, state_of
from tests.cast import Cast
from tests.faults.wire import Wire
from tests.files.scanners import FakeScanner, fake_scanner

AWAY, BACK = b"BUSY\0", b"PONG\0"


@pytest.fixture(autouse=True)
def services(settings: Any, bucket: None) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
    sender = "no-reply@filevault.example.test"
    boto3.client("sesv2").create_email_identity(EmailIdentity=sender)


@pytest.fixture
def scanner(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeScanner]:
    monkeypatch.setattr(clamd, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(clamd, "_paused_until", 0.0)
    with fake_scanner() as running:
        settings.SCANNER_URL = running.url
        yield running


@pytest.fixture
def burst(cast: Cast) -> Burst:
    return make_burst(cast.a, "Clara")


def inspect(minutes: float) -> None:
    with time_machine.travel(now() + timedelta(minutes=minutes), tick=True):
        jobs.run_due("w1", kinds={INSPECT_JOB})


def subjects(wire: Wire) -> list[str]:
    return [str(message["Subject"]) for message in sent(wire)]


def test_a_file_that_waited_for_hours_is_told_of_once_it_is_there_N1(
    burst: Burst, wire: Wire, scanner: FakeScanner
) -> None:
    scanner.pong = AWAY
    clara = burst.clients["Clara"]
    files = [burst.upload(clara) for _ in range(2)]
    for file in files:
        burst.confirm(clara, file)
    for minutes in range(0, 180, 6):
        inspect(minutes)
        run(minutes=minutes)
    assert {state_of(file) for file in files} == {"CHECKING"}
    assert sent(wire) == []
    assert len(list(Notice.scan())) == 1, "they wait in an open window"
    scanner.pong = BACK
    inspect(186)
    assert {state_of(file) for file in files} == {"AVAILABLE"}
    run(minutes=192)
    assert subjects(wire) == ["2 new files from your client in a case"]
    run(minutes=400)
    assert len(sent(wire)) == 1
    assert list(Notice.scan()) == []


def test_what_the_scanner_refuses_is_not_counted(
    burst: Burst, wire: Wire, scanner: FakeScanner
) -> None:
    clara = burst.clients["Clara"]
    infected = burst.upload(clara)
    burst.confirm(clara, infected)
    scanner.reply = b"stream: Test.Eicar FOUND\0"
    inspect(0)
    scanner.reply = b"stream: OK\0"
    burst.confirm(clara, burst.upload(clara))
    inspect(1)
    assert state_of(infected) == "REJECTED"
    run(minutes=6)
    assert subjects(wire) == ["1 new file from your client in a case"]


def test_a_burst_of_nothing_but_viruses_makes_no_mail(
    burst: Burst, wire: Wire, scanner: FakeScanner
) -> None:
    scanner.reply = b"stream: Test.Eicar FOUND\0"
    burst.upload(burst.clients["Clara"])
    for minutes in range(6, 36, 6):
        run(minutes=minutes)
        inspect(minutes)
    assert sent(wire) == []
    assert list(Notice.scan()) == []
