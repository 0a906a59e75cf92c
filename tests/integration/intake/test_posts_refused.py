"""Messages that are refused over HTTP, and why: nothing of them is kept."""

from typing import Any

import orjson
import pytest

from tests.integration.intake.serving import Api
from tests.integration.intake.test_posting import MESSAGE, problem

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

NO_ADDRESSES = (
    "not an email", "ada", "@example.com", "ada@", "ada@@example.com", "ada@exa mple.com", "ada@.com", "ada@-x.com",
    "Ada <ada@example.com>", "ada@x.com, bo@x.com", "mailto:ada@x.com@", "ada@x..com", "a" * 65 + "@x.com", "ada@[::1]",
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"unknown": 1}, "/unknown"),
        ({"customer": {"mail": "x"}}, "/customer/mail"),
        ({"external_id": 7}, "/external_id"),
        ({"external_id": ""}, "/external_id"),
        ({"external_id": "a\x00b"}, "/external_id"),
        ({"occurred_at": "2026-11-22T10:00:00"}, "/occurred_at"),
        ({"occurred_at": 5}, "/occurred_at"),
        ({"connector": "Site Chat"}, "/connector"),
        ({"attachments": [{"name": "x"}]}, "/attachments/0"),
        ({"attachments": [{"name": "x", "content_base64": "%"}]}, "/attachments/0/content_base64"),
        ({"author": {"kind": "agent"}}, "/author/agent"),
        ({"author": {"kind": "agent", "agent": "nobody"}}, "/author/agent"),
        ({"text": None}, "/text"),
        ({"text": " \u00a0\n\u200b", "html": "", "subject": " "}, "/text"),
        ({"kind": "edit"}, "/replaces"),
        ({"kind": "delete"}, "/replaces"),
        ({"kind": "reaction", "text": ":+1:"}, "/replaces"),
        ({"kind": "edit", "replaces": "m0", "text": ""}, "/text"),
        *(({"customer": {"email": email}}, "/customer/email") for email in NO_ADDRESSES),
        ({"metadata": {"big": "x" * 40_000}}, "/metadata"),
    ],
)
async def test_wrong_input_is_named(shared_api: Api, changes: dict[str, Any], pointer: str) -> None:
    answer = await shared_api.post("/v1/messages", json=MESSAGE | changes)
    assert problem(answer) == (422, "invalid-request")
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_what_is_no_json_or_too_large_is_refused(shared_api: Api) -> None:
    assert problem(await shared_api.post("/v1/messages", content=b"{")) == (400, "not-json")
    assert problem(await shared_api.post("/v1/messages", content=b"[" * 100_000)) == (400, "not-json")
    assert problem(await shared_api.post("/v1/messages", content=b" " * 1_048_577)) == (413, "body-too-large")
    odd = {"content-type": "text/plain"}
    assert problem(await shared_api.post("/v1/messages", content=b"x", headers=odd)) == (415, "unsupported-media-type")
    huge = orjson.dumps(MESSAGE)[:-1] + b', "metadata": {"n": 123456789012345678901234567890}}'
    assert problem(await shared_api.post("/v1/messages", content=huge)) == (422, "invalid-request")


async def test_who_may_post(shared_api: Api) -> None:
    assert problem(await shared_api.client.post("/v1/messages", json=MESSAGE)) == (401, "unauthorized")
    agent = shared_api.headers("agent", "anna")
    assert problem(await shared_api.client.post("/v1/messages", json=MESSAGE, headers=agent)) == (403, "wrong-role")
    assert problem(await shared_api.post("/v1/messages", sub="plain", json=MESSAGE)) == (403, "another-connector")
    unknown = MESSAGE | {"connector": "nowhere"}
    assert problem(await shared_api.post("/v1/messages", sub="nowhere", json=unknown)) == (404, "unknown-connector")
    mail = MESSAGE | {"connector": "mailbox"}
    assert problem(await shared_api.post("/v1/messages", sub="mailbox", json=mail)) == (422, "wrong-connector-kind")
    foreign = shared_api.headers("connector", "site-chat", "other")
    refused = await shared_api.client.post("/v1/messages", json=MESSAGE, headers=foreign)
    assert problem(refused) == (404, "unknown-connector")
