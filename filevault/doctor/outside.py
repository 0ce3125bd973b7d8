"""Services beside the stores: Parameter Store, mail and queues."""

import json
import os
from collections.abc import Iterator
from email.utils import parseaddr
from functools import partial

from django.conf import settings

from filevault import queues
from filevault.aws import AWS_ERRORS, error_code, read_parameters, sesv2_client, sqs_client
from filevault.doctor.examination import Fault, Step, part


@part("secrets")
def secrets() -> Iterator[Step]:
    prefix = os.environ.get("SSM_PREFIX", "").strip()
    if prefix:
        yield Step(f"secrets: come from {prefix} alone", partial(_check_parameters, prefix))


@part("mail")
def mail() -> Iterator[Step]:
    yield Step("mail: SES sends to anybody", _check_account)
    yield Step(f"mail: SES takes {_sender()} as the sender", _check_sender)


@part("queues")
def message_queues() -> Iterator[Step]:
    for listener in queues.listeners():
        yield Step(
            f"queue: {listener.name} is there, with a dead-letter queue",
            partial(_check_queue, listener),
        )


def _check_parameters(prefix: str) -> None:
    stored = read_parameters(prefix)
    if not stored:
        raise Fault("nothing is below it: put SECRET_KEY and the other secrets there")
    doubled = sorted(name for name in stored if os.environ.get(name, "").strip())
    if doubled:
        raise Fault(f"a variable wins over {', '.join(doubled)}: take it out of the environment")


def _sender() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _check_account() -> None:
    account = sesv2_client().get_account()
    if not account.get("SendingEnabled"):
        raise Fault("SES has paused this account's sending: see its reputation dashboard")
    if not account.get("ProductionAccessEnabled"):
        raise Fault("the account is in SES's sandbox: ask AWS for production access")


def _check_sender() -> None:
    """Verified is the address itself, its domain, or a domain above it. A role may be allowed to
    look at the one that counts alone."""
    address = _sender()
    labels = address.rpartition("@")[2].split(".")
    domains = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    refusals = []
    for identity in (address, *domains):
        try:
            found = sesv2_client().get_email_identity(EmailIdentity=identity)
        except AWS_ERRORS as error:
            if error_code(error) != "NotFoundException":
                refusals.append(error)
            continue
        if found.get("VerifiedForSendingStatus"):
            return
    if refusals:
        raise refusals[0]
    raise Fault("verify the address or its domain in SES, in this region")


def _check_queue(listener: queues.Listener) -> None:
    answer = sqs_client().get_queue_attributes(QueueUrl=listener.url, AttributeNames=["All"])
    redrive = json.loads(answer.get("Attributes", {}).get("RedrivePolicy", "{}"))
    if not redrive.get("deadLetterTargetArn"):
        raise Fault("give it a redrive policy: one message that can't be read would come for days")
