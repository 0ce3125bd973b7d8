"""MiniStack patch: an SES identity keeps the configuration set that it was made with.

Loaded by the launcher through `MINISTACK_PATCHES`. MiniStack drops it, so that Terraform would find
a change to make each time that it looks.
"""

import json
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


def apply() -> None:
    """Note the name when an identity is made; reading the identity then tells it."""
    from ministack.services import ses_v2

    original = ses_v2.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Answer:
        answer: Answer = await original(method, path, headers, body, query_params)
        if method == "POST" and path.rstrip("/").endswith("/email/identities"):
            asked = json.loads(body)
            identity = ses_v2._identities.get(asked.get("EmailIdentity"))
            if identity is not None and asked.get("ConfigurationSetName"):
                identity["ConfigurationSetName"] = asked["ConfigurationSetName"]
        return answer

    ses_v2.handle_request = handle_request
