"""The outbox: at most one mail, none lost, and what each of them looks like on the wire (N3)."""

import email
import email.policy
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import boto3
import pytest
import time_machine
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from filevault import jobs, mail
from filevault.dynamo import Transaction, now
from filevault.mail import Message
from filevault.tables import Job, Mail, Suppression
from tests.faults.wire import Killed, Wire, kill, lose_reply, lose_request, meanwhile, refuse

TEMPLATE = "test_greeting"
TO = "clara@clients.example.test"
SENDER = "no-reply@filevault.example.test"


@pytest.fixture(autouse=True)
def greeting(settings: Any, tmp_path: Path) -> None:
    """A mail template of the test's own, and the real mail backend."""
    folder = tmp_path / "emails" / TEMPLATE
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text(
        "{% autoescape off %}Hello\n  {{ name }}\n{% endautoescape %}"
    )
    (folder / "body.txt").write_text("{% autoescape off %}\nDear {{ name }},\n{% endautoescape %}")
    (folder / "body.html").write_text(
        "<html><head><style>p { color: teal; }</style></head>"
        "<body><p>Dear {{ name }}</p></body></html>"
    )
    templates = {**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}
    settings.TEMPLATES = [templates]
    settings.EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
    boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)


class Letters:
    """What composes the test's mails, and what was heard of them."""

    def __init__(self) -> None:
        self.message: Message | None = Message(TO, TEMPLATE, {"name": "Clara"})
        self.heard: list[tuple[dict[str, Any], str, str]] = []

    def compose(self, context: dict[str, Any]) -> Message | None:
        if "broken" in context:
            raise ValueError("this mail can't be composed")
        return self.message

    def hear(self, context: dict[str, Any], mail_id: str, state: str) -> None:
        self.heard.append((context, mail_id, state))


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    made = Letters()
    monkeypatch.setitem(mail._composers, TEMPLATE, made.compose)
    monkeypatch.setitem(mail._listeners, TEMPLATE, made.hear)
    return made


def queue(**context: Any) -> str:
    tx = Transaction()
    mail_id = mail.queue(tx, TEMPLATE, context)
    tx.commit()
    return mail_id


def run(owner: str = "w1") -> int:
    return jobs.run_due(owner, kinds={mail.SEND_JOB})


def run_after(owner: str = "w2", **delta: float) -> int:
    with time_machine.travel(now() + timedelta(**delta), tick=True):
        return run(owner)


def row(mail_id: str) -> Mail:
    found = Mail.fetch(mail_id)
    assert found is not None
    return found


def sent(wire: Wire) -> list[EmailMessage]:
    """What was handed to SES, whether or not it took it."""
    raw = [call["Content"]["Raw"]["Data"] for call in wire.sent("SendEmail")]
    return [email.message_from_bytes(data, policy=email.policy.default) for data in raw]


def test_a_mail_goes_out_once(letters: Letters, wire: Wire) -> None:
    mail_id = queue(caseId="c1")
    assert run() == 1
    assert run() == 0
    assert run_after(days=1) == 0
    assert len(sent(wire)) == 1
    assert row(mail_id).state == "sent"
    assert row(mail_id).ses_message_id
    assert row(mail_id).address_hash == mail.address_hash(TO)
    assert letters.heard == [({"caseId": "c1"}, mail_id, "sent")]
    assert not list(Job.scan())


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_context_is_forgotten_unless_somebody_hears_of_a_bounce(
    letters: Letters, monkeypatch: pytest.MonkeyPatch, is_heard: bool
) -> None:
    if not is_heard:
        monkeypatch.delitem(mail._listeners, TEMPLATE)
    mail_id = queue(code="123456")
    run()
    assert row(mail_id).context == ({"code": "123456"} if is_heard else {})


def test_a_bounce_that_comes_before_the_answer_of_ses_stands(letters: Letters, wire: Wire) -> None:
    mail_id = queue()
    wire.add("SendEmail", meanwhile(lambda: Mail(mail_id).update([Mail.state.set("bounced")])))
    run()
    assert row(mail_id).state == "bounced"
    assert letters.heard[-1][2] == "bounced"
    assert not list(Job.scan())


def test_a_bounce_that_comes_while_the_sending_is_told_is_told_last(letters: Letters) -> None:
    class Bouncing(Letters):
        def hear(self, context: dict[str, Any], mail_id: str, state: str) -> None:
            Mail(mail_id).update([Mail.state.set("bounced")])
            super().hear(context, mail_id, state)

    bouncing = Bouncing()
    mail._listeners[TEMPLATE] = bouncing.hear
    mail_id = queue()
    run()
    assert [state for _context, _id, state in bouncing.heard] == ["sent", "bounced"]
    assert row(mail_id).state == "bounced"
    assert not list(Job.scan())


def test_a_mail_has_text_and_inlined_html_and_our_headers(letters: Letters, wire: Wire) -> None:
    letters.message = Message(
        TO,
        TEMPLATE,
        {"name": "Clara <b>"},
        from_name='Zoë "Zed" Müller, MD (Praxis Süd)',
        reply_to="zoe@practice.example.test",
    )
    mail_id = queue()
    run()
    (message,) = sent(wire)
    (call,) = wire.sent("SendEmail")
    sender = message["From"].addresses[0]
    assert sender.addr_spec == SENDER
    assert sender.display_name == 'Zoë "Zed" Müller, MD (Praxis Süd)'
    assert message["To"] == TO
    assert message["Reply-To"] == "zoe@practice.example.test"
    assert message["Subject"] == "Hello Clara <b>"
    assert message["X-Filevault-Mail-Id"] == mail_id
    assert {"Name": "filevault-mail-id", "Value": mail_id} in call["EmailTags"]
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content() == "Dear Clara <b>,\n"
    assert '<p style="color: teal;">Dear Clara &lt;b&gt;</p>' in html.get_content()


def test_our_address_may_carry_a_name_of_its_own(
    letters: Letters, wire: Wire, settings: Any
) -> None:
    settings.DEFAULT_FROM_EMAIL = f"Filevault <{SENDER}>"
    queue()
    run()
    assert sent(wire)[0]["From"].addresses[0].addr_spec == SENDER


def test_a_mail_to_nobody_is_cancelled(letters: Letters, wire: Wire) -> None:
    letters.message = None
    mail_id = queue()
    run()
    assert row(mail_id).state == "cancelled"
    assert not sent(wire)
    assert letters.heard[-1][1:] == (mail_id, "cancelled")


@pytest.mark.parametrize("code", ["MessageRejected", "BadRequestException"])
def test_a_mail_that_is_refused_for_good_is_dead_and_told(
    letters: Letters, wire: Wire, code: str
) -> None:
    wire.add("SendEmail", refuse(code), times=9)
    mail_id = queue()
    run()
    assert (row(mail_id).state, row(mail_id).reason) == ("dead", code)
    assert letters.heard[-1][1:] == (mail_id, "dead")
    assert run_after(days=1) == 0
    assert len(sent(wire)) == 1


def test_an_address_that_is_none_is_dead_and_holds_up_no_other_N6(
    letters: Letters, wire: Wire
) -> None:
    letters.message = Message("not an address", TEMPLATE, {"name": "Clara"})
    bad = queue()
    run()
    letters.message = Message(TO, TEMPLATE, {"name": "Clara"})
    good = queue()
    run()
    assert (row(bad).state, row(good).state) == ("dead", "sent")


@pytest.mark.parametrize(
    "fault",
    [
        refuse("TooManyRequestsException"),
        refuse("LimitExceededException"),
        refuse("SendingPausedException"),
        refuse("InternalServerError"),
        lose_request(),
    ],
    ids=["throttled", "over quota", "paused", "broken", "away"],
)
def test_a_mail_that_can_pass_later_is_tried_again(
    letters: Letters, wire: Wire, fault: Any
) -> None:
    wire.add("SendEmail", fault)
    mail_id = queue()
    run()
    assert row(mail_id).state == "sending"
    assert run() == 0, "not at once"
    assert run_after(minutes=1) == 1
    assert row(mail_id).state == "sent"
    assert len(sent(wire)) == 2


def test_a_provider_that_is_away_for_hours_loses_no_mail(letters: Letters, wire: Wire) -> None:
    wire.add("SendEmail", refuse("TooManyRequestsException"), times=12)
    mail_id = queue()
    for hour in range(13):
        run_after(hours=hour)
    assert row(mail_id).state == "sent"


def test_a_mail_is_given_up_after_a_day_and_that_is_told(letters: Letters, wire: Wire) -> None:
    wire.add("SendEmail", refuse("TooManyRequestsException"), times=99)
    mail_id = queue()
    run()
    run_after(hours=25)
    assert (row(mail_id).state, row(mail_id).reason) == ("dead", "TooManyRequestsException")
    assert letters.heard[-1][2] == "dead"


def test_a_provider_that_hangs_is_left_long_before_the_lease_ends(
    letters: Letters, wire: Wire, settings: Any
) -> None:
    config = settings.ANYMAIL["AMAZON_SES_CLIENT_PARAMS"]["config"]
    assert config["connect_timeout"] + config["read_timeout"] < settings.JOB_LEASE_SECONDS / 2
    assert config["retries"]["total_max_attempts"] == 1

    def hang(call: object) -> dict[str, Any]:
        raise ReadTimeoutError(endpoint_url="https://email.example.test")

    wire.add("SendEmail", hang)
    mail_id = queue()
    run()
    run_after(minutes=1)
    assert row(mail_id).state == "sent"


def test_the_sdk_sends_a_mail_only_once_by_itself(letters: Letters, settings: Any) -> None:
    """A lost answer to a mail that SES took must not become a second mail on its own."""
    requests: list[str] = []
    session: Any = boto3.session.Session()
    session.events.register("before-send.sesv2.SendEmail", lambda **_: requests.append("sent"))
    parameters = dict(settings.ANYMAIL["AMAZON_SES_CLIENT_PARAMS"])
    client = session.client(
        "sesv2",
        endpoint_url="http://127.0.0.1:9",
        config=Config(**parameters["config"]),
    )
    with pytest.raises(Exception, match=r"127\.0\.0\.1:9"):
        client.send_email(FromEmailAddress=SENDER, Content={"Raw": {"Data": b"x"}})
    assert requests == ["sent"]


@pytest.mark.parametrize("after", [False, True], ids=["before SES", "after SES took it"])
def test_a_crash_around_the_call_loses_no_mail_and_doubles_it_once_at_most_N3(
    letters: Letters, wire: Wire, after: bool
) -> None:
    wire.add("SendEmail", kill(after=after))
    mail_id = queue()
    with pytest.raises(Killed):
        run("w1")
    assert run("w2") == 0, "the lease still holds"
    assert run_after(seconds=61) == 1
    assert run_after(days=1) == 0
    ids = [message["X-Filevault-Mail-Id"] for message in sent(wire)]
    assert ids == [mail_id, mail_id], "the second try is known by the first one's id"
    assert row(mail_id).state == "sent"


def test_a_crash_after_marking_repeats_only_the_marking(letters: Letters, wire: Wire) -> None:
    mail_id = queue()
    real = mail._listeners[TEMPLATE]

    def die(context: dict[str, Any], mail_id: str, state: str) -> None:
        mail._listeners[TEMPLATE] = real
        raise Killed

    mail._listeners[TEMPLATE] = die
    with pytest.raises(Killed):
        run("w1")
    assert run_after(seconds=61) == 1
    assert len(sent(wire)) == 1
    assert letters.heard[-1][1:] == (mail_id, "sent")


def test_lost_replies_of_the_store_double_nothing(letters: Letters, wire: Wire) -> None:
    mail_id = queue()
    wire.add("TransactWriteItems", lose_reply(timeout=True), times=2)
    run()
    assert row(mail_id).state == "sent"
    assert len(sent(wire)) == 1
    assert not list(Job.scan())


def test_a_worker_stopped_before_sending_does_not_send_what_another_sent(
    letters: Letters, wire: Wire
) -> None:
    """Stopped beyond its lease between claim and send, then continued (N3)."""
    mail_id = queue()
    compose = letters.compose

    def stop(context: dict[str, Any]) -> Message | None:
        mail._composers[TEMPLATE] = compose
        assert run_after("w2", seconds=61) == 1
        return compose(context)

    mail._composers[TEMPLATE] = stop
    run("w1")
    assert len(sent(wire)) == 1
    assert row(mail_id).state == "sent"


def test_nothing_goes_to_an_address_that_bounced(letters: Letters, wire: Wire) -> None:
    Suppression(mail.address_hash(TO.upper()), reason="bounce", created_at=now()).save()
    mail_id = queue()
    run()
    assert (row(mail_id).state, row(mail_id).reason) == ("dead", "suppressed")
    assert not sent(wire)


def test_a_mail_that_cannot_be_composed_ends_dead_and_holds_up_no_other_N6(
    letters: Letters, wire: Wire
) -> None:
    bad, good = queue(broken=True), queue()
    run()
    assert (row(bad).state, row(good).state) == ("queued", "sent")
    for number in range(1, jobs.MAX_TRIES + 1):
        run_after(hours=2 * number)
    assert (row(bad).state, row(bad).reason) == ("dead", "not_composed")
    assert letters.heard[-1][1:] == (bad, "dead")
    assert not list(Job.scan())


def test_no_address_or_name_stands_in_the_outbox_T2(letters: Letters, wire: Wire) -> None:
    mail_id = queue(clientId="c1")
    run()
    stored = str(row(mail_id).serialize())
    assert "clara" not in stored.lower()
