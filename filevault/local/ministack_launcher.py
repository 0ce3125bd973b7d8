"""Starts MiniStack with what the pinned version lacks. Runs inside MiniStack's own environment.

Nothing of Django or of the product may be imported here: this file is executed by the interpreter
of `.local/ministack-venv`. It mends, for version `PINNED` only:

- `GET ?versionId=` answers without the `response-*` overrides and without Range. Every download
  of ours names its version, so locally no file would arrive under its own name.
- A mail sent as raw MIME is kept without its headers. The mailbox page and the tests need them.
- `POST /_ministack/reset` takes no login, so any web page open in the developer's browser could
  wipe the local data. It is refused.

`MINISTACK_PATCHES` names further files (separated by colons), each with a function `apply()`;
tests inject faults that way. With `MINISTACK_TETHER=1` it stops, in order, when its standard input
closes, so that a parent that was killed leaves nothing behind.
"""

import importlib.metadata
import inspect
import json
import os
import runpy
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

PINNED = "1.5.33"

Answer = tuple[int, dict[str, str], bytes]


def main() -> None:
    """Apply every patch, then serve until SIGTERM."""
    found = importlib.metadata.version("ministack")
    if found != PINNED:
        raise SystemExit(f"MiniStack {found} is installed, but these patches are for {PINNED}.")
    mend_versioned_get()
    keep_raw_mails()
    refuse_reset()
    for path in filter(None, os.environ.get("MINISTACK_PATCHES", "").split(":")):
        runpy.run_path(path)["apply"]()
    if os.environ.get("MINISTACK_TETHER") == "1":
        threading.Thread(target=stop_with_parent, daemon=True).start()

    from ministack import app

    # MiniStack parses arguments of its own.
    sys.argv = ["ministack"]
    app.main()


def expect_parameters(function: Callable[..., object], names: list[str]) -> None:
    """End the start when a function to be wrapped is not the one that was read."""
    found = list(inspect.signature(function).parameters)
    if found != names:
        raise SystemExit(f"MiniStack's {function.__name__} takes {found}, expected {names}.")


def mend_versioned_get() -> None:
    """Give a GET with `versionId` the overrides and ranges that a GET without it has."""
    from ministack.services import s3

    original = s3._get_object
    expect_parameters(original, ["bucket_name", "key", "headers", "query_params"])
    expect_parameters(s3._parse_range, ["range_header", "total"])
    expect_parameters(s3._apply_response_overrides, ["resp_headers", "query_params"])

    def get_object(
        bucket_name: str,
        key: str,
        headers: dict[str, str],
        query_params: dict[str, Any] | None = None,
    ) -> Answer:
        answer: Answer = original(bucket_name, key, headers, query_params)
        status, sent, body = answer
        if status != 200 or not query_params or not query_params.get("versionId"):
            return answer
        # "null" falls through to the unversioned branch, which has sliced and overridden already.
        if "Content-Range" in sent:
            return answer
        s3._apply_response_overrides(sent, query_params)
        wanted = headers.get("range", "")
        if not wanted:
            return 200, sent, body
        span = s3._parse_range(wanted, len(body))
        if span is None:
            refused = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
            return 416, refused, s3._xml_body(s3._range_error_xml(bucket_name, key))
        start, end = span
        # A checksum of the whole object can't describe a slice of it.
        for name in [n for n in sent if n.lower().startswith("x-amz-checksum-")]:
            del sent[name]
        sent["Content-Length"] = str(end - start + 1)
        sent["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
        return 206, sent, body[start : end + 1]

    s3._get_object = get_object


def keep_raw_mails() -> None:
    """Keep the MIME source of SES v2 raw mails and list it as `Raw` (base64)."""
    from ministack import app
    from ministack.services import ses, ses_v2

    send = ses_v2.handle_request
    listing = app._handle_ses_messages_request
    expect_parameters(send, ["method", "path", "headers", "body", "query_params"])
    expect_parameters(listing, ["method", "path", "headers", "query_params"])

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Answer:
        answer: Answer = await send(method, path, headers, body, query_params)
        if method == "POST" and path.rstrip("/").endswith("/outbound-emails") and answer[0] == 200:
            message_id = json.loads(answer[2])["MessageId"]
            raw = json.loads(body).get("Content", {}).get("Raw", {}).get("Data")
            for record in reversed(ses._sent_emails_list()):
                if record["MessageId"] == message_id:
                    record["Raw"] = raw
                    break
        return answer

    async def list_messages(
        method: str, path: str, headers: dict[str, str], query_params: dict[str, Any]
    ) -> Answer | None:
        answer: Answer | None = await listing(method, path, headers, query_params)
        if answer is None or answer[0] != 200:
            return answer
        raw = {
            record["MessageId"]: record.get("Raw")
            for records in ses._sent_emails.to_dict().values()
            for record in records
        }
        content = json.loads(answer[2])
        for messages in content["messages"].values():
            for message in messages:
                message["Raw"] = raw.get(message["MessageId"])
        return answer[0], answer[1], json.dumps(content).encode()

    ses_v2.handle_request = handle_request
    app._handle_ses_messages_request = list_messages


def refuse_reset() -> None:
    """Answer the reset call with 403."""
    from ministack import app

    original: Callable[..., Awaitable[Answer | None]] = app._handle_admin_reset
    expect_parameters(original, ["path", "method", "query_params"])

    async def handle_admin_reset(
        path: str, method: str, query_params: dict[str, Any]
    ) -> Answer | None:
        if path != "/_ministack/reset":
            return None
        return 403, {"Content-Type": "application/json"}, b'{"message": "reset is switched off"}'

    app._handle_admin_reset = handle_admin_reset


def stop_with_parent() -> None:
    """Wait for standard input to close, then stop as on SIGTERM, which writes the tables."""
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
