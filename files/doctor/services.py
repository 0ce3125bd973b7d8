"""What stands beside storage where it is configured: events, topic, scanner."""

from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings

from files.clamd import Outcome, ScannerAway, scanning
from filevault.aws import s3_client, sns_client
from filevault.doctor import Fault, Step, part

#: The file that every scanner knows and that harms nobody (eicar.org), in two pieces, so that no
#: scanner takes this module for it.
_EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@part("services")
def services() -> Iterator[Step]:
    if settings.SQS_UPLOADS_URL:
        yield Step("events: the bucket tells its queue of uploads", _check_events)
    if settings.SNS_TOPIC_ARN:
        yield Step("topic: SNS_TOPIC_ARN is there", _check_topic)
    if settings.SCANNER_URL:
        yield Step("scanner: finds the EICAR test file", _check_scanner)


def _check_events() -> None:
    found = s3_client().get_bucket_notification_configuration(Bucket=settings.FILEVAULT_BUCKET)
    queue = settings.SQS_UPLOADS_URL.rpartition("/")[2]
    if not any(_tells(each, queue) for each in found.get("QueueConfigurations", [])):
        raise Fault(f"let the bucket notify the queue {queue} of s3:ObjectCreated:*")


def _tells(configuration: Any, queue: str) -> bool:
    named = str(configuration["QueueArn"]).rpartition(":")[2]
    return named == queue and "s3:ObjectCreated:*" in configuration["Events"]


def _check_topic() -> None:
    sns_client().get_topic_attributes(TopicArn=settings.SNS_TOPIC_ARN)


def _check_scanner() -> None:
    try:
        with scanning(settings.SCANNER_URL) as scan:
            scan.feed(_EICAR)
            verdict = scan.verdict(lambda: None)
    except ScannerAway:
        raise Fault("it doesn't answer: start clamd, and let the workers reach it") from None
    if verdict.outcome is not Outcome.INFECTED:
        raise Fault("it calls a virus clean: load its signature database (freshclam)")
