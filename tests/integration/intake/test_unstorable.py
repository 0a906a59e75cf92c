"""Texts that PostgreSQL cannot hold: refused with a pointer, and mended where the bytes themselves are kept."""

import hmac
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from pointsman.testing.installation import Installation
from tests.integration.intake.serving import SECRETS, Api, an_api, configure, put_secrets

pytestmark = pytest.mark.stack

BAD = (rb"\u0000", rb"\ud800", b"\xed\xa0\x80")


@pytest.fixture
async def api(installation: Installation, tmp_path: Path) -> AsyncIterator[Api]:
    await configure(installation)
    put_secrets(tmp_path / "secrets")
    async with an_api(installation.settings, tmp_path) as api:
        yield api


def an_item(number: int, text: bytes = b"hello") -> bytes:
    return b'{"connector": "site-chat", "external_id": "m%d", "text": "%s"}' % (number, text)


def pointers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


async def test_a_message_is_refused_with_the_pointer(api: Api) -> None:
    for bad in BAD:
        await _refused(api, bad)


async def _refused(api: Api, bad: bytes) -> None:
    json = {"content-type": "application/json"}
    assert pointers(await api.post("/v1/messages", content=an_item(1, bad), headers=json)) == ["/text"]
    event = b'{"specversion": "1.0", "type": "m", "source": "site-chat", "id": "m2", "data": {"text": "%s"}}' % bad
    kind = {"content-type": "application/cloudevents+json"}
    assert pointers(await api.post("/v1/messages", content=event, headers=kind)) == ["/data/text"]
    assert pointers(
        await api.post(
            "/v1/events",
            content=b'{"connector": "site-chat", "external_id": "%s", "thread": "t", "kind": "left"}' % bad,
            headers=json,
        )
    ) == ["/external_id"]


async def test_a_cloudevents_header_is_refused_with_its_name(api: Api) -> None:
    headers = {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-type": "m",
        "ce-source": "site-chat",
        "ce-id": "a%00",
    }
    assert pointers(await api.post("/v1/messages", content=b"{}", headers=headers)) == ["header:ce-id"]


async def test_items_of_a_batch_refuse_only_themselves(api: Api) -> None:
    for bad in BAD:
        items = [an_item(1), an_item(2, bad), an_item(3)]
        for kind, body in (
            ("application/json", b"[" + b",".join(items) + b"]"),
            ("application/x-ndjson", b"\n".join(items)),
        ):
            answer = await api.post("/v1/messages:batch", content=body, headers={"content-type": kind})
            first, second, third = answer.json()["items"]
            assert (first["status"], second["status"], third["status"]) == (202, 422, 202)
            assert [error["pointer"] for error in second["error"]["errors"]] == ["/text"]


async def test_a_secret_and_a_file_name_are_refused_with_the_pointer(api: Api) -> None:
    admin = api.headers("admin", "vera")
    answer = await api.client.put(
        "/v1/secrets/s", content=rb'{"value": "\ud800"}', headers=admin | {"content-type": "application/json"}
    )
    assert pointers(answer) == ["/value"]
    assert pointers(await api.post("/v1/attachments?name=a%00", content=b"x")) == ["?name"]


async def post_meta(api: Api, text: bytes, **fields: Any) -> httpx.Response:
    changes = b'"field": "messages", "value": {"metadata": {"phone_number_id": "11"}, "messages": [%s]}' % text
    body = b'{"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{%s}]}]}' % changes
    signature = hmac.new(SECRETS["acme-meta"].encode(), body, sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signature}", "content-type": "application/json"}
    return await api.client.post("/v1/hooks/acme/facebook", content=body, headers=headers)


async def test_what_a_provider_sends_is_kept_and_shown_without_what_no_table_holds(api: Api) -> None:
    """Their bytes are evidence: they are kept as they came, and the message does not get lost over one character."""
    message = rb'{"from": "39\u000012", "id": "wamid.\u0000", "type": "text", "text": {"body": "a\u0000b"}}'
    answer = await post_meta(api, message)
    assert answer.status_code == 200, answer.text
    (accepted,) = answer.json()["messages"]
    shown = (await api.get(f"/v1/messages/{accepted['message_id']}")).json()
    assert (shown["text"], shown["customer"]["handle"]) == ("ab", "whatsapp:3912")
    raw = await api.get(f"/v1/messages/{accepted['message_id']}/raw")
    assert message in raw.content


async def test_half_a_character_of_a_provider_goes_to_the_quarantine(api: Api) -> None:
    answer = await post_meta(api, rb'{"from": "3912", "id": "wamid.1", "type": "text", "text": {"body": "\ud800"}}')
    assert answer.status_code == 200, answer.text
    assert answer.json()["quarantine_id"]


async def test_a_provider_s_name_of_a_megabyte_is_no_name(api: Api) -> None:
    huge = b"9" * 300_000
    answer = await post_meta(api, b'{"from": "%s", "id": "%s", "type": "text", "text": {"body": "hi"}}' % (huge, huge))
    assert answer.status_code == 200, answer.text
    (accepted,) = answer.json()["messages"]
    assert "handle" not in (await api.get(f"/v1/messages/{accepted['message_id']}")).json()["customer"]


MAILS = (
    b"From: a@x\0y\r\nSubject: \0\r\nMessage-ID: <\0@x>\r\nX-\0: y\r\n\r\n\0",
    b"From: =?utf-16?q?=D8=00?= <a@x>\r\nSubject: =?utf-8?b?7aCA?= =?utf-7?q?+2AA-?=\r\n\r\nhi",
    b"From: \xed\xa0\x80 <a\xff@x>\r\nX-Rule: \xed\xa0\x80\r\n\r\n\xed\xa0\x80",
    b'Content-Type: text/plain; charset=utf-7; name="\xff"\r\nFrom: a@x\r\n\r\n+2AA-',
    b"From: " + b"a" * 1_000_000 + b"@x\r\nSubject: " + b"s" * 500_000 + b"\r\n\r\n" + b"t" * 1_000_000,
)


async def test_no_mail_is_an_error_of_ours(api: Api) -> None:
    headers = {"content-type": "message/rfc822"}
    for mail in MAILS:
        answer = await api.post("/v1/email/mailbox", sub="mailbox", content=mail, headers=headers)
        assert answer.status_code == 202, answer.text
        message = answer.json()["message_id"]
        assert message, answer.text
        assert (await api.get(f"/v1/messages/{message}/raw")).content == mail
