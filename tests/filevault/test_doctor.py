"""The doctor's lines: a sound deployment is ok throughout, and each thing that is broken is named
with what to do."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import boto3
import pytest
import responses
from botocore.stub import Stubber
from django.conf import LazySettings, settings
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from cases.tables import Case
from filevault import jobs, signing
from filevault.aws import sesv2_client, sqs_client
from filevault.doctor import running
from filevault.dynamo import Transaction, all_tables, connection, now, ttl_attribute
from filevault.tables import Job, Limit, Mail, Once, SigningKey
from filevault.worker import Worker
from tests.examining import failures, lines, the_failure

pytestmark = [pytest.mark.django_db, pytest.mark.settled]

REGION = "eu-central-1"
DEAD = f"arn:aws:sqs:{REGION}:123456789012:dead"


@pytest.fixture
def site() -> Iterator[responses.RequestsMock]:
    """A site that answers as it should."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{settings.SITE_URL}/healthz", body='{"status": "ok"}')
        mock.get(f"{settings.SITE_URL}/", status=302, headers={"Location": "/auth/login/?next=/"})
        yield mock


@pytest.fixture
def tables() -> None:
    """As production's: moto protects none by itself."""
    for name in (model.Meta.table_name for model in all_tables()):
        dynamodb().update_table(TableName=name, DeletionProtectionEnabled=True)
        recover(name, enabled=True)


@pytest.fixture
def queue(settings: LazySettings) -> str:
    url = sqs_client().create_queue(QueueName="uploads")["QueueUrl"]
    sqs_client().create_queue(QueueName="dead")
    redrive = f'{{"deadLetterTargetArn": "{DEAD}", "maxReceiveCount": "5"}}'
    sqs_client().set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive})
    settings.SQS_UPLOADS_URL = url
    return url


@pytest.fixture
def living_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that goes round while the doctor waits."""
    worker = Worker(does_chores=False)
    monkeypatch.setattr("filevault.doctor.running.time.sleep", lambda _seconds: worker.step())


def dynamodb() -> Any:
    return connection(retries=0).client


def recover(name: str, *, enabled: bool) -> None:
    dynamodb().update_continuous_backups(
        TableName=name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled},
    )


# --- The processes ---


@pytest.mark.usefixtures("site", "living_worker")
def test_a_running_product_is_ok() -> None:
    assert lines("site", "worker") == [
        "ok   site: http://testserver answers",
        "ok   site: knows the scheme that browsers use",
        "ok   worker: takes a job",
        "ok   worker: nothing is overdue by 120 s",
    ]
    assert all_jobs() == []


def all_jobs() -> list[Job]:
    return [job for shard in range(settings.JOB_SHARDS) for job in Job.query(str(shard))]


def test_a_site_that_is_another_program(site: responses.RequestsMock) -> None:
    site.replace("GET", f"{settings.SITE_URL}/healthz", status=404, body="no such page")
    assert the_failure("site").startswith(
        "FAIL site: http://testserver answers: /healthz says 404: start the web server"
    )


def test_a_site_that_leads_to_itself(site: responses.RequestsMock) -> None:
    address = f"{settings.SITE_URL}/"
    site.replace("GET", address, status=301, headers={"Location": address})
    assert "name the proxy's network in TRUSTED_PROXIES" in the_failure("site")


def test_a_site_that_is_away() -> None:
    with responses.RequestsMock():
        assert all("no answer (ConnectionError)" in line for line in failures("site"))


def test_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PING_SECONDS", 0)
    assert "start `manage.py run_worker`" in the_failure("worker")
    assert all_jobs() == []


@pytest.mark.usefixtures("living_worker")
def test_a_worker_that_is_behind() -> None:
    tx = Transaction()
    jobs.enqueue(tx, "of.another.release", {}, due_at=now() - timedelta(minutes=10))
    tx.commit()
    assert "the oldest job has waited 60" in the_failure("worker")


# --- The stores ---


@pytest.mark.usefixtures("tables")
def test_sound_stores_are_ok() -> None:
    assert failures("tables", "database") == []
    assert list(Once.scan()) == []


def _delete_a_table() -> None:
    dynamodb().update_table(TableName=Mail.Meta.table_name, DeletionProtectionEnabled=False)
    Mail.delete_table()


def _leave_out_an_index() -> None:
    _delete_a_table()
    _make_mail_table([])


def _make_mail_table(indexes: list[dict[str, Any]], key: str = "mailId") -> None:
    used = [key, *(each["KeySchema"][0]["AttributeName"] for each in indexes)]
    more: Any = {"GlobalSecondaryIndexes": indexes} if indexes else {}
    name = Mail.Meta.table_name
    dynamodb().create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in used],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
        **more,
    )
    recover(name, enabled=True)
    expire(name, "ttl")


def expire(name: str, attribute: str, *, enabled: bool = True) -> None:
    specification = {"Enabled": enabled, "AttributeName": attribute}
    dynamodb().update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


def _give_other_keys() -> None:
    _delete_a_table()
    _make_mail_table([], key="mail")


def _give_an_index_other_keys() -> None:
    _delete_a_table()
    _make_mail_table([index("byDay", "template", "ALL"), index("bySesMessageId", "day", "ALL")])


def _give_an_index_another_projection() -> None:
    _delete_a_table()
    keys = index("bySesMessageId", "sesMessageId", "KEYS_ONLY")
    _make_mail_table([keys])


def index(name: str, key: str, projection: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": projection},
    }


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_leave_out_an_index, "filevault-Mail lacks the index byDay; filevault-Mail lacks"),
        (_give_an_index_other_keys, "filevault-Mail has other keys in the index byDay"),
        (_give_an_index_another_projection, "has another projection in the index bySesMessageId"),
        (_give_other_keys, "filevault-Mail has other keys"),
        (
            lambda: expire(Limit.Meta.table_name, "ttl", enabled=False),
            "filevault-Limit must expire by ttl",
        ),
        (
            lambda: expire(Case.Meta.table_name, "closedAt"),
            "filevault-Case must not expire by closedAt",
        ),
        (
            lambda: recover(Case.Meta.table_name, enabled=False),
            "point-in-time recovery is on: filevault-Case lacks it",
        ),
        (
            lambda: dynamodb().update_table(
                TableName=Case.Meta.table_name, DeletionProtectionEnabled=False
            ),
            "deletion protection is on: filevault-Case lacks it",
        ),
    ],
)
def test_a_table_that_is_not_as_the_code_says(spoil: Callable[[], object], said: str) -> None:
    spoil()
    assert said in the_failure("tables")


@pytest.mark.usefixtures("tables")
def test_a_table_that_is_missing() -> None:
    _delete_a_table()
    found = failures("tables")
    assert "filevault-Mail is missing: apply infra/, or run `manage.py create_tables`" in found[0]
    assert len(found) == 4


def test_only_what_the_code_expires_is_named() -> None:
    assert ttl_attribute(Limit) == "ttl"
    assert ttl_attribute(Case) is None


def test_a_signing_key_under_anothers_id(settings: LazySettings) -> None:
    assert failures("signing") == []
    assert list(SigningKey.query("documents", consistent_read=True)) == []  # left nothing behind
    signing.published_keys()
    assert failures("signing") == []
    settings.SIGNING_KEYS = [("s1", bytes(32))]
    assert "give the new key a new id" in the_failure("signing")


def test_a_migration_that_is_missing() -> None:
    MigrationRecorder.Migration.objects.filter(app="accounts").delete()
    assert "run `manage.py migrate`" in the_failure("database")


# --- Secrets, mail and queues ---


def test_secrets_that_come_from_parameter_store(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines("secrets") == []
    monkeypatch.setenv("SSM_PREFIX", "/filevault/test")
    assert "put SECRET_KEY and the other secrets there" in the_failure("secrets")
    boto3.client("ssm").put_parameter(
        Name="/filevault/test/A_SECRET", Value="a-value", Type="SecureString"
    )
    assert lines("secrets") == ["ok   secrets: come from /filevault/test alone"]
    monkeypatch.setenv("A_SECRET", "another-value")
    found = the_failure("secrets")
    assert "a variable wins over A_SECRET" in found
    assert "value" not in found


def examine_mail(account: dict[str, Any], **verified: bool) -> list[str]:
    """The mail part, with SES answering as told; identities that aren't named aren't known."""
    with Stubber(sesv2_client()) as ses:
        ses.add_response("get_account", account)
        for identity in ("no-reply@filevault.example.test", "filevault.example.test"):
            answer = verified.get(identity.partition("@")[0].partition(".")[0])
            if answer is None:
                ses.add_client_error("get_email_identity", "NotFoundException")
            else:
                ses.add_response("get_email_identity", {"VerifiedForSendingStatus": answer})
                if answer:
                    break
        else:
            ses.add_client_error("get_email_identity", "NotFoundException")
        return lines("mail")


SENDING = {"SendingEnabled": True, "ProductionAccessEnabled": True}


def test_a_verified_domain_is_ok() -> None:
    assert [line[:4] for line in examine_mail(SENDING, filevault=True)] == ["ok  ", "ok  "]


@pytest.mark.parametrize(
    ("account", "identities", "said"),
    [
        (SENDING | {"SendingEnabled": False}, {"filevault": True}, "has paused this account"),
        (SENDING | {"ProductionAccessEnabled": False}, {"filevault": True}, "SES's sandbox"),
        (SENDING, {}, "verify the address or its domain in SES"),
        (SENDING, {"no-reply": False, "filevault": False}, "verify the address or its domain"),
    ],
)
def test_mail_that_would_not_go(
    account: dict[str, Any], identities: dict[str, bool], said: str
) -> None:
    (found,) = [line for line in examine_mail(account, **identities) if line.startswith("FAIL")]
    assert said in found


def test_a_right_that_is_lacking_is_named() -> None:
    refusal = "User: arn:x is not authorized to perform: ses:GetAccount on resource: *"
    with Stubber(sesv2_client()) as ses:
        ses.add_client_error("get_account", "AccessDeniedException", refusal)
        ses.add_response("get_email_identity", {"VerifiedForSendingStatus": True})
        assert "allow ses:GetAccount to this role" in the_failure("mail")


def test_a_role_that_may_look_at_the_domain_alone() -> None:
    with Stubber(sesv2_client()) as ses:
        ses.add_response("get_account", SENDING)
        ses.add_client_error("get_email_identity", "AccessDeniedException")
        ses.add_response("get_email_identity", {"VerifiedForSendingStatus": True})
        assert failures("mail") == []


@pytest.mark.usefixtures("queue")
def test_a_queue_with_a_dead_letter_queue_is_ok() -> None:
    assert lines("queues") == ["ok   queue: uploads is there, with a dead-letter queue"]


def test_a_queue_without_one(queue: str) -> None:
    sqs_client().set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": ""})
    assert "give it a redrive policy" in the_failure("queues")


def test_a_queue_that_is_not_there(queue: str, settings: LazySettings) -> None:
    settings.SQS_UPLOADS_URL = f"{queue}-other"
    assert "AWS says AWS.SimpleQueueService.NonExistentQueue" in the_failure("queues")


# --- The command ---


@pytest.mark.usefixtures("tables")
def test_the_command_ends_with_1_where_something_fails() -> None:
    out = StringIO()
    call_command("doctor", "tables", "database", stdout=out)
    assert out.getvalue().count("ok   ") == 7
    recover(Case.Meta.table_name, enabled=False)
    with pytest.raises(CommandError, match="1 of them failed"):
        call_command("doctor", "tables", stdout=out)
    with pytest.raises(CommandError, match="no part named tabels"):
        call_command("doctor", "tabels", stdout=out)


def test_the_log_goes_on_after_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filevault.management.commands.doctor.examine", lambda parts: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_command("doctor")
    assert logging.root.manager.disable == logging.NOTSET
