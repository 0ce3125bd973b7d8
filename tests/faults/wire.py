"""Faults on the way to AWS, injected below our own code: at botocore's one door for every call."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse

from filevault.aws import s3_client

Answer = dict[str, Any]
#: Gets the call itself (to make it, or not) and answers in its stead.
Fault = Callable[[Callable[[], Answer]], Answer]


@dataclass
class Wire:
    """What went over the wire, and what is to go wrong next, by operation."""

    calls: list[tuple[str, Answer]] = field(default_factory=list)
    _faults: dict[str, deque[Fault]] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)

    def add(self, operation: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` calls of an operation meet a fault."""
        self._faults.setdefault(operation, deque()).extend([fault] * times)

    def sent(self, operation: str) -> list[Answer]:
        """The parameters of the calls of an operation so far."""
        return [parameters for name, parameters in self.calls if name == operation]

    def seen(self, parameters: Answer) -> bool:
        """Whether a transaction of this token was applied: DynamoDB answers a second one with
        success and does nothing, for ten minutes; moto applies it again."""
        return parameters.get("ClientRequestToken") in self._tokens

    def note(self, parameters: Answer) -> None:
        """Remember that a call was carried out."""
        if "ClientRequestToken" in parameters:
            self._tokens.add(parameters["ClientRequestToken"])

    def next_fault(self, operation: str) -> Fault | None:
        waiting = self._faults.get(operation)
        return waiting.popleft() if waiting else None


@contextmanager
def open_wire() -> Iterator[Wire]:
    """Watch every call that any AWS client of this process makes."""
    wire = Wire()
    real: Callable[..., Answer] = vars(BaseClient)["_make_api_call"]

    def call(client: BaseClient, operation: str, parameters: Answer) -> Answer:
        wire.calls.append((operation, parameters))

        def carry_out() -> Answer:
            if wire.seen(parameters):
                return {}
            answer = real(client, operation, parameters)
            wire.note(parameters)
            return answer

        fault = wire.next_fault(operation)
        return carry_out() if fault is None else fault(carry_out)

    with mock.patch.object(BaseClient, "_make_api_call", call):
        yield wire


def refuse(code: str, *, reasons: list[str] | None = None) -> Fault:
    """The service answers with an error and has done nothing."""

    def fault(call: Callable[[], Answer]) -> Answer:
        response: Any = {"Error": {"Code": code, "Message": "refused by the test"}}
        if reasons is not None:
            response["CancellationReasons"] = [{"Code": reason} for reason in reasons]
        raise ClientError(response, "Operation")

    return fault


def lose_reply(*, timeout: bool = False) -> Fault:
    """The service does what is asked, and its answer never arrives."""

    def fault(call: Callable[[], Answer]) -> Answer:
        call()
        if timeout:
            raise ReadTimeoutError(endpoint_url="https://aws.example.test")
        raise ConnectionClosedError(endpoint_url="https://aws.example.test")

    return fault


def lose_request() -> Fault:
    """The request never arrives."""

    def fault(call: Callable[[], Answer]) -> Answer:
        raise ConnectionClosedError(endpoint_url="https://aws.example.test")

    return fault


class Killed(BaseException):
    """The end of a process, as seen from inside: nothing may catch it."""


def kill(*, after: bool) -> Fault:
    """The process dies before, or right after, the service has done what is asked."""

    def fault(call: Callable[[], Answer]) -> Answer:
        if after:
            call()
        raise Killed

    return fault


def meanwhile(action: Callable[[], object]) -> Fault:
    """Somebody else acts just before the call goes through."""

    def fault(call: Callable[[], Answer]) -> Answer:
        action()
        return call()

    return fault


@contextmanager
def answering_200_with_an_error(operation: str, code: str) -> Iterator[list[str]]:
    """S3 begins with a 200 and ends with an error in the body. Yields a line for each request."""
    body = f"<Error><Code>{code}</Code><Message>by the test</Message></Error>".encode()
    answers: list[str] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        answers.append(str(request.url))
        return AWSResponse(str(request.url), 200, HTTPHeaders(), MockRawResponse(body))

    events: Any = s3_client().meta.events
    events.register_first(f"before-send.s3.{operation}", answer)
    try:
        yield answers
    finally:
        events.unregister(f"before-send.s3.{operation}", answer)
