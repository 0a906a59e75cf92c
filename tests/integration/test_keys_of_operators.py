"""An operator's Idempotency-Key belongs to the workspace that it is used in.

The same key for a second workspace once answered the first one's admin token, close and silence.
"""

from typing import Any

import pytest

from tests.integration.http.serving import a_client, a_token, bearer
from tests.integration.services import Services
from tests.integration.test_tenancy import a_document

pytestmark = pytest.mark.stack

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("routing", "/v1/tokens", {"json": {"role": "admin", "sub": "root", "ttl_seconds": 60}}),
    ("routing", "/v1/queues/general/close", {"json": {"reason": "a storm"}}),
    (
        "sla",
        "/v1/silences",
        {"json": {"match": {"queue": "general"}, "until": "2030-01-01T00:00:00Z", "reason": "a storm"}},
    ),
    ("intake", "/v1/attachments", {"content": b"of it", "headers": {"Content-Type": "text/plain"}}),
]


async def test_the_same_key_in_another_workspace_is_another_call(services: Services) -> None:
    operator = a_token(services.settings, "operator", "*", "root")
    for workspace in ("acme", "other"):
        await services.call(
            "routing", "PUT", "/v1/config", "operator", "*", json=a_document(workspace), headers={"If-None-Match": "*"}
        )
    for service, path, call in CALLS:
        answers: dict[str, Any] = {}
        for workspace in ("acme", "other", "acme"):
            headers = bearer(operator, **{"Idempotency-Key": "k1", "Pointsman-Workspace": workspace})
            async with a_client(services.apps[service]) as client:
                answer = await client.post(path, **call | {"headers": headers | call.get("headers", {})})
            assert answer.is_success, (path, workspace, answer.text)
            replayed = answer.headers.get("Idempotency-Replayed") == "true"
            assert replayed == (workspace in answers), (path, workspace, answer.text)
            answers.setdefault(workspace, answer.json())
        if service != "routing" or path.endswith("tokens"):
            assert answers["acme"] != answers["other"], path
