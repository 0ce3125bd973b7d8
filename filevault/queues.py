"""Messages from SQS, read by the worker beside its jobs: each queue in a thread of its own.

SQS delivers at least once and in any order, so what handles a message must be idempotent. A message
is deleted once it was handled. One that can't be is left where it is: it comes again, and after
some times the queue's redrive policy moves it to the dead-letter queue, where it can be looked at.
It never holds up another (N6). https://docs.aws.amazon.com/AWSSimpleQueueService (dead-letter
queues, visibility timeout).
"""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings

from filevault.aws import AWS_ERRORS, sqs_client
from filevault.jobs import OUTAGES
from filevault.logs import outage

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

logger = logging.getLogger(__name__)

#: Seconds of one long poll: a worker that is told to stop waits for its end.
WAIT_SECONDS: Final = 5
BATCH: Final = 10
#: Seconds for which nobody else gets a message that was received.
HIDDEN_SECONDS: Final = 120
LONGEST_PUT_OFF: Final = 900
LONGEST_BACKOFF: Final = 30.0

#: Does what a message's body asks for. Raises `BadMessage`, or an outage to be waited for.
Handler = Callable[[str], None]
_handlers: dict[str, tuple[str, Handler]] = {}


class BadMessage(Exception):
    """A message that isn't what its queue is for."""


@dataclass(slots=True)
class Listener:
    """What is read from one queue. `failures` counts the rounds in which nothing went well."""

    name: str
    url: str
    handle: Handler
    failures: int = 0

    def run(self, stopping: threading.Event) -> None:
        """Read until `stopping`; an outage is waited for, with growing pauses."""
        while not stopping.is_set():
            if not self.poll(stopping, wait=WAIT_SECONDS):
                stopping.wait(self._pause())

    def poll(self, stopping: threading.Event, *, wait: int = 0) -> bool:
        """Handle what one receive brings, waiting up to `wait` seconds for it. False where the
        queue, or what all of its messages need, is away."""
        try:
            return self._poll(stopping, wait)
        except AWS_ERRORS as error:
            self._note_outage("queue does not answer", error)
        except Exception:
            logger.exception("queue can't be read", extra={"queue": self.name})
            self.failures += 1
        return False

    def _poll(self, stopping: threading.Event, wait: int) -> bool:
        answer = sqs_client().receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=wait,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        messages = answer.get("Messages", [])
        outages = [error for each in messages if (error := self._take(each, stopping))]
        if outages and len(outages) == len(messages):
            self._note_outage("messages put off", outages[0])
            return False
        if self.failures:
            logger.info("queue is read again", extra={"queue": self.name})
        self.failures = 0
        return True

    def _take(self, message: "MessageTypeDef", stopping: threading.Event) -> Exception | None:
        """Handle one message; returns the outage that it met."""
        if stopping.is_set():
            self._hide(message, seconds=0)  # for another worker, at once
            return None
        try:
            self.handle(message["Body"])
        except OUTAGES as error:
            tries = int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1"))
            self._hide(message, seconds=min(LONGEST_PUT_OFF, 30 * 2 ** min(tries, 10)))
            return error
        except BadMessage:
            logger.error("message can't be read", extra=self._about(message))
        except Exception:
            logger.exception("message failed", extra=self._about(message))
        else:
            sqs_client().delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return None

    def _hide(self, message: "MessageTypeDef", *, seconds: int) -> None:
        """Let it come again after so long: an outage shouldn't use up the times that the redrive
        policy allows."""
        sqs_client().change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )

    def _about(self, message: "MessageTypeDef") -> dict[str, str]:
        return {"queue": self.name, "messageId": message.get("MessageId", "")}

    def _note_outage(self, text: str, error: Exception) -> None:
        """Say it once an outage, however long it takes."""
        if not self.failures:
            logger.error(text, extra={"queue": self.name} | outage(error))
        self.failures += 1

    def _pause(self) -> float:
        seconds = min(LONGEST_BACKOFF, 2.0 ** min(self.failures, 5))
        return float(random.uniform(0.75, 1.25) * seconds)  # noqa: S311


def handler(name: str, *, setting: str) -> Callable[[Handler], Handler]:
    """Register what handles the messages of the queue whose address is in a setting."""

    def register(function: Handler) -> Handler:
        _handlers[name] = setting, function
        return function

    return register


def listeners() -> list[Listener]:
    """One for each queue that this deployment has."""
    configured = [
        (name, getattr(settings, setting), function)
        for name, (setting, function) in _handlers.items()
    ]
    return [Listener(name, url, function) for name, url, function in configured if url]
