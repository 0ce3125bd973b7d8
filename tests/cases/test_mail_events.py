"""What SES tells of a mail that it had taken: what each event does, and what becomes of bad ones.
The events are SES's own, shortened."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from cases import invitations, people
from filevault.dynamo import new_id
from filevault.mail import address_hash
from filevault.mail_events import read_event
from filevault.tables import Mail, Suppression
from tests.cases.invited import Invited, deliver, make_invited
from tests.cast import Cast
from tests.faults.wire import Killed, Wire, kill, lose_request, meanwhile
from tests.queueing import MOST_RECEIVES, dead_letters, make_queue, read, send_raw, waiting

SES_ID = "0107018f-3c1d-4a5b-000000"
BOUNCE = {"bounceType": "Permanent", "bounceSubType": "NoEmail"}


@pytest.fixture
def queue(world: None, settings: LazySettings) -> str:
    url = make_queue("mail")
    settings.SQS_MAIL_URL = url
    return url


@pytest.fixture
def invited(cast: Cast) -> Invited:
    made = make_invited(cast.a)
    made.send()
    return made


def mail_of(invited: Invited) -> Mail:
    found = Mail.fetch(invited.invitation.mail_id or "")
    assert found is not None
    return found


def event(kind: str, mail_id: str = "", *, name: str = "eventType", **details: Any) -> str:
    """An event as SES writes it; it names the recipient, whom nobody here may believe or log."""
    tags = {"tags": {"filevault-mail-id": [mail_id]}} if mail_id else {}
    origin = {"messageId": SES_ID, "destination": ["maria.keller@example.test"], **tags}
    return json.dumps({name: kind, "mail": origin, kind.lower(): details})


def bounce(mail_id: str = "", **changed: Any) -> str:
    recipients = [{"emailAddress": "somebody.else@example.test"}]
    return event("Bounce", mail_id, bouncedRecipients=recipients, **BOUNCE | changed)


def wrapped(text: str) -> str:
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:t", "Message": text})


def shown(invited: Invited) -> str:
    (person,) = people.people(invited.case, [invited.client], may_manage=True)
    return str(person.label)


def suppressed(invited: Invited) -> str | None:
    found = Suppression.fetch(address_hash(invited.client.email))
    return found.reason if found else None


@pytest.mark.parametrize("wrap", [wrapped, str], ids=["by SNS", "raw"])
def test_a_bounce_after_the_sending_shows_on_the_invitation_I10(
    invited: Invited, queue: str, wrap: Any
) -> None:
    assert shown(invited) == "Invited, not opened yet"
    send_raw(queue, wrap(bounce(mail_of(invited).mail_id)))
    assert read() == [True]
    assert shown(invited) == "E-mail could not be delivered"
    assert (mail_of(invited).state, mail_of(invited).reason) == ("bounced", "NoEmail")
    assert suppressed(invited) == "bounced"
    assert Suppression.fetch(address_hash("somebody.else@example.test")) is None
    assert waiting(queue) == 0


def test_a_complaint_shows_and_no_mail_follows(invited: Invited, queue: str) -> None:
    mail_id = mail_of(invited).mail_id
    send_raw(queue, event("Complaint", mail_id, complaintFeedbackType="abuse"))
    read()
    assert shown(invited) == "E-mail was reported as spam"
    assert (mail_of(invited).state, suppressed(invited)) == ("complained", "complained")
    count = len(deliver())
    invitations.send(invited.practitioner, invited.case.case_id, invited.client.client_id)
    assert len(deliver()) == count


@pytest.mark.settled
def test_a_notification_without_tags_is_known_by_the_id_that_ses_gave(
    invited: Invited, queue: str
) -> None:
    mail_of(invited).update([Mail.ses_message_id.set(SES_ID)])
    send_raw(queue, wrapped(event("Bounce", name="notificationType", **BOUNCE)))
    read()
    assert mail_of(invited).state == "bounced"


@pytest.mark.parametrize(
    "text",
    [
        event("Bounce", "{id}", bounceType="Transient", bounceSubType="General"),
        event("Bounce", "{id}", bounceType="Undetermined"),
        event("Complaint", "{id}", complaintFeedbackType="not-spam"),
        event("Delivery", "{id}"),
        event("Send", "{id}"),
        "Successfully validated SNS topic for Amazon SES event publishing.",
        json.dumps({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "m"}),
    ],
    ids=["transient", "undetermined", "not spam", "delivery", "send", "set up", "subscribed"],
)
def test_other_events_change_nothing_and_are_done_with(
    invited: Invited, queue: str, text: str
) -> None:
    text = text.replace("{id}", mail_of(invited).mail_id)
    send_raw(queue, text)
    send_raw(queue, wrapped(text))
    read()
    assert (mail_of(invited).state, shown(invited)) == ("sent", "Invited, not opened yet")
    assert suppressed(invited) is None
    assert waiting(queue) == 0


def test_a_rejected_mail_is_dead_and_its_address_may_be_written_to(
    invited: Invited, queue: str
) -> None:
    send_raw(queue, event("Reject", mail_of(invited).mail_id, reason="Bad content"))
    read()
    assert (mail_of(invited).state, mail_of(invited).reason) == ("dead", "rejected")
    assert shown(invited) == "E-mail could not be delivered"
    assert suppressed(invited) is None


@pytest.mark.parametrize("order", [1, -1], ids=["bounce first", "complaint first"])
def test_events_twice_and_in_any_order_come_to_the_same(
    invited: Invited, queue: str, order: int
) -> None:
    mail_id = mail_of(invited).mail_id
    for text in [bounce(mail_id), event("Complaint", mail_id)][::order] * 2:
        send_raw(queue, text)
        read()
    assert (mail_of(invited).state, suppressed(invited)) == ("bounced", "bounced")
    assert shown(invited) == "E-mail could not be delivered"


def test_a_complaint_read_at_once_with_a_bounce_leaves_it_bounced(
    invited: Invited, queue: str, wire: Wire
) -> None:
    mail = mail_of(invited)
    send_raw(queue, event("Complaint", mail.mail_id))
    wire.add(
        "TransactWriteItems",
        meanwhile(lambda: Mail(mail.mail_id).update([Mail.state.set("bounced")])),
    )
    read()
    assert mail_of(invited).state == "bounced"
    assert waiting(queue) == 0


def test_an_address_taken_off_the_list_is_not_put_back_by_a_repeated_event(
    invited: Invited, queue: str
) -> None:
    for _time in range(2):
        send_raw(queue, bounce(mail_of(invited).mail_id))
        read()
        Suppression(address_hash(invited.client.email)).delete()
    assert suppressed(invited) is None


def test_the_bounce_of_an_older_mail_changes_no_newer_invitation_I10(
    invited: Invited, queue: str
) -> None:
    older = mail_of(invited).mail_id
    invited.send()
    send_raw(queue, bounce(older))
    read()
    assert shown(invited) == "Invited, not opened yet"
    assert suppressed(invited) == "bounced"


def test_events_of_unknown_mails_are_done_with(invited: Invited, queue: str) -> None:
    for text in (bounce(), bounce(new_id()), bounce("another-systems-tag"), bounce("x" * 300)):
        send_raw(queue, text)
    read()
    assert waiting(queue) == 0
    assert mail_of(invited).state == "sent"
    assert not list(Suppression.scan())


BAD = {
    "no json": "hello",
    "empty envelope": wrapped(""),
    "envelope in an envelope": wrapped(wrapped(bounce())),
    "a list": "[]",
    "a number": "5",
    "null": "null",
    "no kind": json.dumps({"mail": {"messageId": SES_ID}}),
    "no mail": json.dumps({"eventType": "Bounce", "bounce": BOUNCE}),
    "no bounce": json.dumps({"eventType": "Bounce", "mail": {"messageId": SES_ID}}),
    "no id": json.dumps({"eventType": "Reject", "mail": {"messageId": " "}}),
    "id too long": json.dumps({"eventType": "Reject", "mail": {"messageId": "x" * 3000}}),
    "tags of a wrong type": json.dumps(
        {"eventType": "Reject", "mail": {"messageId": SES_ID, "tags": {"filevault-mail-id": [5]}}}
    ),
    "subtype of a wrong type": bounce(bounceSubType=["x"]),
    "nested too deeply": "[" * 100_000,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_message_is_left_for_the_dead_letters(queue: str, text: str) -> None:
    send_raw(queue, text)
    assert read() == [True]
    assert waiting(queue) == 1


def test_a_bad_message_holds_up_no_other_and_ends_with_the_dead_letters_N6(
    invited: Invited, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    send_raw(queue, "maria.keller@example.test is unknown here")
    send_raw(queue, bounce(mail_of(invited).mail_id))
    read(MOST_RECEIVES + 2, later=timedelta(minutes=5))
    assert mail_of(invited).state == "bounced"
    assert (waiting(queue), dead_letters()) == (0, 1)
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "mail event noted" in logged
    assert "@example.test" not in logged, "T2"


def test_a_reason_that_is_no_name_is_not_written_down() -> None:
    found = read_event(bounce(bounceSubType="smtp; 550 maria.keller@example.test unknown"))
    assert found is not None
    assert found.reason == "bounced"


def test_a_store_that_is_away_leaves_the_event_for_later(
    invited: Invited, queue: str, wire: Wire
) -> None:
    send_raw(queue, bounce(mail_of(invited).mail_id))
    wire.add("GetItem", lose_request(), times=10)
    assert read() == [False]
    assert waiting(queue) == 1


def test_a_crash_before_the_telling_is_made_good_by_the_repetition(
    invited: Invited, queue: str, wire: Wire
) -> None:
    send_raw(queue, bounce(mail_of(invited).mail_id))
    wire.add("UpdateItem", kill(after=False))
    with pytest.raises(Killed):
        read()
    assert (mail_of(invited).state, shown(invited)) == ("bounced", "Invited, not opened yet")
    read(2, later=timedelta(minutes=3))
    assert shown(invited) == "E-mail could not be delivered"
    assert waiting(queue) == 0


def test_a_bounce_of_a_mail_that_kept_no_context_is_written_down_alone(
    invited: Invited, queue: str
) -> None:
    mail_of(invited).update([Mail.context.set({})])
    send_raw(queue, bounce(mail_of(invited).mail_id))
    read()
    assert (mail_of(invited).state, suppressed(invited)) == ("bounced", "bounced")
    assert waiting(queue) == 0
