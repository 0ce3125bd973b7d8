"""Upload notices: one mail a burst, to each person of the other side, that counts rightly."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
import time_machine
from botocore.exceptions import ReadTimeoutError

from accounts.tables import AuditEvent, User
from cases import notice_closing, tokens
from cases.notices import CLOSE_JOB, WindowClosed, join_upload, notice_key
from cases.tables import Case, Invitation, Notice, NoticeFile
from files import deletion, uploads
from files.spaces import get_space
from files.tables import File
from filevault import jobs
from filevault.dynamo import Transaction, new_id, now
from filevault.tables import Job, Mail
from tests.cases.bursts import FILE_NAME, NOTES, TITLE, Burst, make_burst, run, sent, state_of
from tests.cast import Cast
from tests.faults.wire import (
    Killed,
    Wire,
    kill,
    lose_reply,
    lose_request,
    meanwhile,
    refuse,
)
from tests.files.space import put

SENDER = "no-reply@filevault.example.test"
ANNA = "anna.novak@example.test"
CLARA, CARL = "clara@clients.example.test", "carl@clients.example.test"


@pytest.fixture(autouse=True)
def services(settings: Any, bucket: None) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
    boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)


@pytest.fixture
def burst(cast: Cast) -> Burst:
    return make_burst(cast.a, "Clara", "Carl")


def recipients(wire: Wire) -> list[str]:
    return sorted(message["To"] for message in sent(wire))


def text_of(message: Any) -> str:
    return str(message.get_body(("plain",)).get_content())


def html_of(message: Any) -> str:
    return str(message.get_body(("html",)).get_content())


def nothing_left() -> bool:
    kinds = {job.kind for job in Job.scan()}
    return not list(Notice.scan()) and not kinds & {"notice.close", "mail.send"}


# --- One mail a burst ---


def test_a_burst_of_a_client_makes_one_mail_that_counts_it(burst: Burst, wire: Wire) -> None:
    for _ in range(3):
        burst.upload(burst.clients["Clara"])
    assert run(minutes=4) == 0, "the burst may go on"
    run(minutes=5.1)
    (message,) = sent(wire)
    assert message["To"] == ANNA
    assert message["Subject"] == "3 new files from your client in a case"
    assert f"http://testserver/cases/{burst.case.case_id}/" in text_of(message)
    assert f'href="http://testserver/cases/{burst.case.case_id}/"' in html_of(message)
    assert "Your client put 3 new files into one of your cases." in text_of(message)
    run(minutes=60)
    assert len(sent(wire)) == 1
    assert nothing_left()


def test_one_file_is_told_of_in_the_singular(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.clients["Clara"])
    run(minutes=6)
    assert sent(wire)[0]["Subject"] == "1 new file from your client in a case"


def test_a_practitioners_burst_tells_every_client_once(burst: Burst, wire: Wire) -> None:
    for _ in range(2):
        burst.upload(burst.practitioner)
    run(minutes=6)
    assert recipients(wire) == [CARL, CLARA]
    clara = next(message for message in sent(wire) if message["To"] == CLARA)
    assert clara["Subject"] == "Dr Anna Novak (Practice 1) added 2 files for you"
    assert clara["From"].addresses[0].display_name == "Dr Anna Novak (Practice 1)"
    assert clara["Reply-To"] == ANNA
    assert "Hello Clara," in text_of(clara)


def test_the_link_in_a_clients_notice_opens_the_same_grant(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.practitioner)
    run(minutes=6)
    clara = next(message for message in sent(wire) if message["To"] == CLARA)
    link = next(word for word in text_of(clara).split() if "/invite/" in word)
    assert link.startswith("http://testserver/invite/")
    with time_machine.travel(now() + timedelta(minutes=7), tick=True):
        claims = tokens.read(link.rstrip("/").rsplit("/", 1)[1])
    invitation = burst.invitation("Clara")
    assert (claims.case_id, claims.client_id) == (invitation.case_id, invitation.client_id)
    assert claims.jti == invitation.jti


def test_what_clients_upload_is_told_to_no_other_client(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.clients["Clara"])
    burst.upload(burst.clients["Carl"])
    run(minutes=6)
    assert recipients(wire) == [ANNA]
    assert sent(wire)[0]["Subject"].startswith("2 new files")


def test_both_directions_at_once_are_told_apart(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.clients["Clara"])
    burst.upload(burst.practitioner)
    burst.upload(burst.practitioner)
    run(minutes=6)
    subjects = {message["To"]: message["Subject"] for message in sent(wire)}
    assert subjects[ANNA].startswith("1 new file ")
    assert "2 files" in subjects[CLARA]
    assert "2 files" in subjects[CARL]


def test_two_cases_are_two_bursts(cast: Cast, wire: Wire) -> None:
    for _ in range(2):
        made = make_burst(cast.a, "Clara")
        made.upload(made.clients["Clara"])
    run(minutes=6)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"] * 2


def test_nobody_is_told_where_no_client_is_invited(cast: Cast, wire: Wire) -> None:
    burst = make_burst(cast.a)
    burst.upload(cast.a)
    run(minutes=60)
    assert not sent(wire)


def test_no_canary_is_read_in_any_mail_or_outbox_T2(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.clients["Clara"])
    burst.upload(burst.practitioner)
    rows = [str(mail.serialize()) for mail in Mail.scan()]
    run(minutes=6)
    rows += [str(mail.serialize()) for mail in Mail.scan()]
    for message in sent(wire):
        written = message.as_string() + text_of(message) + html_of(message)
        for canary in [TITLE, NOTES, FILE_NAME, "Quillfeather"]:
            assert canary not in written
        others = {"Clara", "Carl"} - ({"Clara"} if message["To"] == CLARA else {"Carl"})
        if message["To"] == ANNA:
            others = {"Clara", "Carl"}
        assert not [name for name in others if name in written]
    for row in rows:
        assert not [name for name in ("Clara", "Carl", "Novak", "example.test") if name in row]


def test_markup_in_a_name_stays_text(burst: Burst, wire: Wire) -> None:
    user = User.fetch(burst.practitioner.user_id)
    assert user is not None
    user.update([User.display_name.set('<img src="x">Anna & Co')])
    burst.upload(burst.practitioner)
    run(minutes=6)
    message = sent(wire)[0]
    assert "<img src" not in html_of(message)
    assert message["Subject"].startswith('<img src="x">Anna & Co (Practice 1)')
    assert "Anna & Co" in text_of(message)


def test_the_queued_notice_is_in_the_audit_trail_A2(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.clients["Clara"])
    run(minutes=6)
    events = [event for event in AuditEvent.scan() if event.action == "notice:queued"]
    (event,) = events
    assert event.stream_id == f"case:{burst.case.case_id}"
    assert event.target == f"user:{burst.practitioner.user_id}"
    assert event.details["files"] == 1


# --- When a window closes ---


def test_each_upload_keeps_the_window_open(burst: Burst, wire: Wire) -> None:
    start = now()
    for minute in (0, 4, 8):
        with time_machine.travel(start + timedelta(minutes=minute), tick=True):
            burst.upload(burst.clients["Clara"])
    run(minutes=12)
    assert not sent(wire)
    run(minutes=13.5)
    assert sent(wire)[0]["Subject"].startswith("3 new files")


def test_a_confirm_keeps_the_window_open_too(burst: Burst, wire: Wire) -> None:
    start = now()
    clara = burst.clients["Clara"]
    file = burst.upload(clara)
    with time_machine.travel(start + timedelta(minutes=4), tick=True):
        burst.confirm(clara, file)
    run(minutes=8)
    assert not sent(wire)
    run(minutes=9.5)
    assert len(sent(wire)) == 1


def test_a_burst_without_end_is_told_of_after_half_an_hour(burst: Burst, wire: Wire) -> None:
    start = now()
    for minute in range(0, 34, 3):
        with time_machine.travel(start + timedelta(minutes=minute), tick=True):
            burst.upload(burst.clients["Clara"])
        run(minutes=minute)
    (message,) = sent(wire)
    assert message["Subject"].startswith("11 new files"), "minutes 0 to 30; the rest comes next"
    run(minutes=45)
    assert sent(wire)[1]["Subject"].startswith("1 new file")


# --- What counts ---


def test_a_deleted_file_is_not_counted_N2(burst: Burst, wire: Wire) -> None:
    clara = burst.clients["Clara"]
    kept, deleted = burst.upload(clara), burst.upload(clara)
    for file in (kept, deleted):
        burst.confirm(clara, file)
    deletion.delete(clara, get_space(clara, kept.space_id), deleted.file_id)
    run(minutes=6)
    assert sent(wire)[0]["Subject"].startswith("1 new file ")


def test_a_window_without_a_file_makes_no_mail(burst: Burst, wire: Wire) -> None:
    clara = burst.clients["Clara"]
    file = burst.begin(clara)
    uploads.abort(clara, get_space(clara, file.space_id), file.file_id)
    run(minutes=6)
    assert not sent(wire)
    assert nothing_left()


def test_a_rejected_file_is_not_counted(burst: Burst, wire: Wire) -> None:
    clara = burst.clients["Clara"]
    burst.upload(clara)
    put(burst.begin(clara), b"MZ not a PDF at all")
    run(minutes=6)
    assert sent(wire)[0]["Subject"].startswith("1 new file ")


def test_an_upload_that_nobody_confirmed_is_found_and_told_N1(burst: Burst, wire: Wire) -> None:
    file = burst.upload(burst.clients["Clara"])
    assert state_of(file) == "PENDING"
    run(minutes=6)
    assert state_of(file) == "AVAILABLE"
    assert len(sent(wire)) == 1


def test_a_late_file_is_told_of_in_the_next_window(burst: Burst, wire: Wire) -> None:
    clara = burst.clients["Clara"]
    burst.upload(clara)
    late = burst.begin(clara)
    run(minutes=6)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"]
    burst.arrive(late)
    run(minutes=12)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"] * 2
    run(minutes=60)
    assert len(sent(wire)) == 2
    assert nothing_left()


def test_a_file_that_is_being_checked_waits_for_its_verdict(burst: Burst, wire: Wire) -> None:
    file = burst.upload(burst.clients["Clara"])
    file.update([File.state.set("CHECKING")])
    run(minutes=6)
    run(minutes=12)
    assert not sent(wire)
    file.update([File.state.set("AVAILABLE")])
    run(minutes=18)
    assert len(sent(wire)) == 1


def test_an_upload_during_the_closing_goes_into_the_next_mail_N2(burst: Burst, wire: Wire) -> None:
    clara = burst.clients["Clara"]
    burst.upload(clara)
    wire.add("GetObject", meanwhile(lambda: burst.upload(clara)))
    run(minutes=6)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"]
    run(minutes=12)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"] * 2


def test_an_upload_during_the_sending_goes_into_the_next_mail_N2(burst: Burst, wire: Wire) -> None:
    clara = burst.clients["Clara"]
    burst.upload(clara)
    wire.add("SendEmail", meanwhile(lambda: burst.upload(clara)))
    run(minutes=6)
    run(minutes=12)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"] * 2


def test_a_burst_of_250_files_makes_one_mail(burst: Burst, wire: Wire) -> None:
    clara = burst.clients["Clara"]
    first = burst.upload(clara)
    burst.confirm(clara, first)
    template = File.fetch(first.space_id, first.file_id)
    assert template is not None
    (entry,) = NoticeFile.scan()
    with File.batch_write() as files, NoticeFile.batch_write() as entries:
        for _ in range(249):
            copied = File()
            copied.deserialize({**template.serialize(), "fileId": {"S": new_id()}})
            files.save(copied)
            entries.save(
                NoticeFile(
                    entry.notice_id, copied.file_id, space_id=copied.space_id, created_at=now()
                )
            )
    run(minutes=6)
    assert [message["Subject"] for message in sent(wire)] == [
        "250 new files from your client in a case"
    ]
    assert all(len(call["TransactItems"]) <= 100 for call in wire.sent("TransactWriteItems"))
    assert {row.mail_id for row in NoticeFile.scan()} == {entry.notice_id}


# --- Who is told ---


def test_a_client_whose_access_was_revoked_hears_nothing(burst: Burst, wire: Wire) -> None:
    burst.invitation("Carl").update([Invitation.access.set("revoked")])
    burst.upload(burst.practitioner)
    run(minutes=6)
    assert recipients(wire) == [CLARA]


def test_a_client_revoked_before_the_mail_goes_hears_nothing(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.practitioner)
    with time_machine.travel(now() + timedelta(minutes=6)):
        jobs.run_due("w", kinds=(CLOSE_JOB,))
    burst.invitation("Carl").update([Invitation.access.set("revoked")])
    run(minutes=6)
    assert recipients(wire) == [CLARA]
    assert sorted(mail.state for mail in Mail.scan()) == ["cancelled", "sent"]


def test_who_was_invited_after_the_upload_hears_of_it_by_the_invitation_alone(
    burst: Burst, wire: Wire
) -> None:
    burst.upload(burst.practitioner)
    burst.invitation("Carl").update([Invitation.created_at.set(now() + timedelta(seconds=1))])
    run(minutes=6)
    assert recipients(wire) == [CLARA]


def test_an_expired_link_is_not_sent(burst: Burst, wire: Wire) -> None:
    burst.invitation("Carl").update([Invitation.expires_at.set(now() - timedelta(days=1))])
    burst.upload(burst.practitioner)
    run(minutes=6)
    assert recipients(wire) == [CLARA]


def test_a_deleted_case_is_told_of_to_nobody(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.practitioner)
    burst.upload(burst.clients["Clara"])
    burst.case.update([Case.status.set("deleted")])
    run(minutes=6)
    assert not sent(wire)


def test_a_deactivated_practitioner_hears_nothing(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.clients["Clara"])
    user = User.fetch(burst.practitioner.user_id)
    assert user is not None
    user.update([User.deactivated_at.set(now())])
    run(minutes=6)
    assert not sent(wire)


# --- Joining a window that moves ---


def test_of_two_first_uploads_at_once_both_are_counted(burst: Burst, wire: Wire) -> None:
    clara, carl = burst.clients["Clara"], burst.clients["Carl"]
    wire.add("TransactWriteItems", meanwhile(lambda: burst.upload(carl)))
    burst.upload(clara)
    assert len(list(Notice.scan())) == 1
    run(minutes=6)
    assert [message["Subject"][:11] for message in sent(wire)] == ["2 new files"]


def test_an_upload_whose_window_is_closed_meanwhile_opens_the_next(
    burst: Burst, wire: Wire
) -> None:
    clara = burst.clients["Clara"]
    burst.upload(clara)
    wire.add("TransactWriteItems", meanwhile(lambda: run("w2", minutes=6)))
    burst.upload(clara)
    run(minutes=12)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"] * 2


def test_a_window_that_moved_is_named_to_the_caller(burst: Burst) -> None:
    clara = burst.clients["Clara"]
    burst.upload(clara)
    tx = Transaction()
    file = File(f"case:{burst.case.case_id}", new_id())
    join_upload(tx, case=burst.case, file=file, actor=clara)
    run(minutes=6)
    with pytest.raises(WindowClosed):
        tx.commit()
    key = notice_key(burst.case.case_id, f"user:{burst.practitioner.user_id}")
    assert Notice.fetch(key) is None


def test_a_window_extended_while_it_is_being_closed_stays_open(burst: Burst, wire: Wire) -> None:
    clara = burst.clients["Clara"]
    start = now()
    burst.upload(clara)

    def upload_late() -> None:
        with time_machine.travel(start + timedelta(minutes=4, seconds=59), tick=True):
            burst.upload(clara)

    wire.add("TransactWriteItems", meanwhile(upload_late))  # the closing job's first write
    run(minutes=5.1)
    assert not sent(wire)
    run(minutes=10.5)
    assert [message["Subject"][:11] for message in sent(wire)] == ["2 new files"]


def test_joining_reads_windows_consistently(burst: Burst, wire: Wire) -> None:
    burst.begin(burst.practitioner)
    reads = [
        request
        for call in wire.sent("BatchGetItem")
        for name, request in call["RequestItems"].items()
        if name == Notice.Meta.table_name
    ]
    assert reads
    assert all(read["ConsistentRead"] is True for read in reads)


# --- Workers that die, stop, or meet ---


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        ("UpdateItem", False),
        ("UpdateItem", True),
        ("GetObject", True),
        ("SendEmail", False),
        ("SendEmail", True),
    ],
    ids=["before claim", "after claim", "after HEAD", "before SES", "after SES took it"],
)
def test_a_killed_worker_loses_nothing_N1_N3(
    burst: Burst, wire: Wire, operation: str, after: bool
) -> None:
    for _ in range(2):
        burst.upload(burst.clients["Clara"])
    wire.add(operation, kill(after=after))
    with pytest.raises(Killed):
        run("w1", minutes=6)
    run("w2", minutes=8)
    run("w2", minutes=60)
    messages = sent(wire)
    expected = 2 if operation == "SendEmail" else 1
    assert len(messages) == expected
    assert {message["Subject"][:11] for message in messages} == {"2 new files"}
    assert len({message["X-Filevault-Mail-Id"] for message in messages}) == 1
    assert nothing_left()


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_around_any_write_of_the_closing_loses_and_doubles_nothing(
    burst: Burst, wire: Wire, number: int, after: bool
) -> None:
    clara = burst.clients["Clara"]
    burst.upload(clara)
    late = burst.begin(clara)
    for _ in range(number):
        wire.add("TransactWriteItems", lambda call: call())
    wire.add("TransactWriteItems", kill(after=after))
    try:
        run("w1", minutes=6)
    except Killed:
        run("w2", minutes=7)  # sees the claim, and then for a whole lease nothing else
        run("w2", minutes=8, seconds=1)
    burst.arrive(late)
    run("w2", minutes=20)
    run("w2", minutes=60)
    counted = {message["X-Filevault-Mail-Id"]: message["Subject"][:10] for message in sent(wire)}
    assert list(counted.values()) == ["1 new file"] * 2
    assert len(sent(wire)) <= 3, "one duplicate at most, and it has the first one's id (N3)"
    assert nothing_left()


def test_lost_replies_lose_and_double_nothing(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.clients["Clara"])
    wire.add("TransactWriteItems", lose_reply(timeout=True), times=4)
    run(minutes=6)
    run(minutes=20)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"]
    assert nothing_left()


def test_a_worker_stopped_beyond_its_lease_cannot_write_after_another(
    burst: Burst, wire: Wire
) -> None:
    burst.upload(burst.clients["Clara"])
    wire.add("GetObject", meanwhile(lambda: run("w2", minutes=8)))
    run("w1", minutes=6)
    run("w1", minutes=60)
    assert len(sent(wire)) == 1
    assert nothing_left()


def test_two_workers_over_twenty_windows_send_twenty_mails(cast: Cast, wire: Wire) -> None:
    cases = [make_burst(cast.a, "Clara") for _ in range(20)]
    for made in cases:
        made.upload(made.clients["Clara"])
    for _ in range(20):  # at each of the first heads the other worker does what is free
        wire.add("GetObject", meanwhile(lambda: run("w2", minutes=6)))
    run("w1", minutes=6)
    ids = [message["X-Filevault-Mail-Id"] for message in sent(wire)]
    assert len(ids) == len(set(ids)) == 20
    assert nothing_left()


# --- What fails ---


def hang(call: Any) -> dict[str, Any]:
    raise ReadTimeoutError(endpoint_url="https://s3.example.test")


@pytest.mark.parametrize(
    "fault",
    [refuse("503"), refuse("500"), refuse("SlowDown"), hang],
    ids=["503", "500", "slow", "hangs"],
)
def test_storage_that_is_away_delays_the_notice_and_loses_none(
    burst: Burst, wire: Wire, fault: Any
) -> None:
    burst.upload(burst.clients["Clara"])
    wire.add("GetObject", fault, times=20)
    for minute in range(6, 121, 6):
        run(minutes=minute)
    assert not sent(wire)
    run(minutes=130)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"]


def test_storage_that_is_away_is_asked_once_a_window(burst: Burst, wire: Wire) -> None:
    for _ in range(5):
        burst.upload(burst.clients["Clara"])
    wire.add("GetObject", hang, times=50)
    run(minutes=6)
    assert len(wire.sent("GetObject")) == 1


def test_a_file_that_breaks_its_check_holds_up_no_other_N6(
    burst: Burst, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    clara = burst.clients["Clara"]
    bad, _good = burst.upload(clara), burst.upload(clara)
    bad.update([File.mime_type.set("application/of-another-release")])
    run(minutes=6)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"]
    for number in range(2, 3 * notice_closing.MAX_TRIES):
        run(minutes=6 * number)
    assert len([record for record in caplog.records if "never announced" in record.message]) == 1
    assert len(sent(wire)) == 1
    assert nothing_left()


def test_a_file_that_is_mended_in_time_is_told_of(burst: Burst, wire: Wire) -> None:
    bad = burst.upload(burst.clients["Clara"])
    bad.update([File.mime_type.set("application/of-another-release")])
    run(minutes=6)
    bad.update([File.mime_type.set("application/pdf")])
    run(minutes=12)
    assert len(sent(wire)) == 1


def test_a_recipient_that_is_refused_holds_up_no_other_N6(burst: Burst, wire: Wire) -> None:
    wire.add("SendEmail", refuse("MessageRejected"))
    burst.upload(burst.practitioner)
    run(minutes=6)
    assert sorted(mail.state for mail in Mail.scan()) == ["dead", "sent"]


def test_a_store_that_is_away_delays_the_notice_and_loses_none(burst: Burst, wire: Wire) -> None:
    burst.upload(burst.clients["Clara"])
    wire.add("TransactWriteItems", lose_request(), times=8)
    run(minutes=6)
    run(minutes=8)
    assert [message["Subject"][:10] for message in sent(wire)] == ["1 new file"]
    assert nothing_left()
