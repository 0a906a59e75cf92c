"""Intake's lane and delivery loop: what the desk says, written; replies, delivered by webhook or pulled."""

import asyncio
import hmac
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any

import orjson
import pytest
from standardwebhooks.webhooks import Webhook

from pointsman.contracts.desk import TicketClosed, TicketReopened
from pointsman.contracts.shapes import Actor
from pointsman.contracts.workspace import ConfigApplied
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.intake.lane import Stack
from tests.integration.intake.serving import CONNECTORS, SECRETS, put_secrets

pytestmark = pytest.mark.stack


@asynccontextmanager
async def a_receiver(*statuses: int, answer: bytes = b"{}") -> AsyncIterator[tuple[str, list[Any]]]:
    """An HTTP server that answers the statuses in turn, then 204; (its URL, the (headers, body) that it got)."""
    got: list[Any] = []
    waiting = list(statuses)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        got.append((headers, body))
        status = waiting.pop(0) if waiting else 200
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n".encode())
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/replies", got


async def test_a_new_version_is_known_as_soon_as_the_desk_applied_it(stack: Stack) -> None:
    document = {"connectors": CONNECTORS | {"fresh": {"channel": "chat", "kind": "json"}}}
    applied = ConfigApplied(
        config_version=2,
        document=document,
        author=Actor(kind="admin", id="root"),
        applied_at=stack.api.process.clock.now(),
    )
    await stack.desk.say("config", applied)

    async def known() -> bool:
        return bool((await stack.api.get("/v1/config-version")).json()["config_version"] == 2)

    await until(known)
    message = {"connector": "fresh", "external_id": "m1", "text": "Hello"}
    assert (await stack.api.post("/v1/messages", sub="fresh", json=message)).status_code == 202


async def test_a_closed_ticket_lets_its_thread_go(stack: Stack, installation: Installation) -> None:
    message = {"connector": "site-chat", "external_id": "m1", "thread": "t", "text": "Hello"}
    first = (await stack.api.post("/v1/messages", json=message)).json()
    await stack.desk.say(first["ticket_id"], TicketClosed(ticket_id=first["ticket_id"]))
    db = await installation.connect("intake")
    await until(lambda: db.fetchval("SELECT closed FROM thread"))
    await db.close()
    second = (await stack.api.post("/v1/messages", json=message | {"external_id": "m2"})).json()
    assert second["ticket_id"] != first["ticket_id"]
    shown = (await stack.api.get(f"/v1/messages/{second['message_id']}")).json()
    assert shown["follow_up_of"] == first["ticket_id"]


async def test_a_ticket_that_closed_and_reopened_keeps_its_thread(stack: Stack, installation: Installation) -> None:
    message = {"connector": "site-chat", "external_id": "m1", "thread": "t", "text": "Hello"}
    ticket = (await stack.api.post("/v1/messages", json=message)).json()["ticket_id"]
    db = await installation.connect("intake")
    await stack.desk.say(ticket, TicketClosed(ticket_id=ticket))
    await until(lambda: db.fetchval("SELECT closed FROM thread"))
    late = TicketReopened(ticket_id=ticket, reason="the customer wrote", by=Actor(kind="customer", id="cus_1"))
    await stack.desk.say(ticket, late)
    await until(lambda: db.fetchval("SELECT NOT closed FROM thread"))
    await db.close()
    assert (await stack.api.post("/v1/messages", json=message | {"external_id": "m2"})).json()["ticket_id"] == ticket


async def test_a_merged_tickets_conversation_goes_on_in_the_last_of_the_chain(
    stack: Stack, installation: Installation
) -> None:
    message = {"connector": "site-chat", "external_id": "m1", "thread": "t", "text": "Hello"}
    first = (await stack.api.post("/v1/messages", json=message)).json()["ticket_id"]
    merged = [
        TicketClosed(ticket_id=first, reason="merged", merged_into="tkt_b"),
        TicketClosed(ticket_id="tkt_b", reason="merged", merged_into="tkt_c"),
    ]
    await asyncio.gather(*(stack.desk.say(fact.ticket_id, fact) for fact in merged))
    db = await installation.connect("intake")
    await until(lambda: db.fetchval("SELECT true FROM thread WHERE ticket_id = 'tkt_c'"))
    await db.close()
    second = (await stack.api.post("/v1/messages", json=message | {"external_id": "m2"})).json()
    assert second["ticket_id"] == "tkt_c"


async def test_a_connector_pulls_its_replies_and_says_what_became_of_them(stack: Stack) -> None:
    start = await stack.pull()
    waiting = asyncio.create_task(stack.pull(after=start["cursor"], wait=20))
    await stack.desk.reply()
    found = await waiting
    (reply,) = found["items"]
    assert (reply["id"], reply["text"], reply["thread"]) == ("msg_r1", "We are on it.", "t")
    assert (await stack.pull(sub="pushed"))["items"] == []
    other = await stack.api.post("/v1/replies/msg_r1/delivered", sub="plain", json={})
    assert other.status_code == 404
    done = await stack.api.post("/v1/replies/msg_r1/delivered", json={"external_id": "p1", "thread": "new-thread"})
    assert done.json() == {"id": "msg_r1", "state": "delivered"}
    assert (await stack.pull())["items"] == []
    joined = {"connector": "site-chat", "external_id": "m9", "thread": "new-thread", "text": "Hello"}
    assert (await stack.api.post("/v1/messages", json=joined)).json()["ticket_id"] == "tkt_1"


async def test_nothing_that_runs_leaves_in_a_reply_pulled_or_pushed(stack: Stack) -> None:
    """`<script>` and `onerror` went out untouched."""
    html = "<p>Hello</p><script>alert(1)</script><img src=x onerror=alert(1)>"
    async with a_receiver() as (url, got):
        put_secrets(stack.folder / "secrets", url=url)
        await stack.desk.reply(html=html)
        await stack.desk.reply(message="msg_r2", connector="pushed", html=html)
        await until(lambda: _state(stack, "delivered", "msg_r2"))
    pushed = orjson.loads(got[0][1])["data"]["html"]
    (pulled,) = (await stack.pull())["items"]
    assert pushed == pulled["html"] == '<p>Hello</p><img src="x">'


async def a_status(stack: Stack, id: str, state: str) -> None:
    status = {"id": id, "status": state, "errors": [{"title": "Undeliverable"}]}
    value = {"metadata": {"phone_number_id": "11"}, "statuses": [status]}
    entry = {"changes": [{"field": "messages", "value": value}]}
    body = orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})
    mac = hmac.new(SECRETS["acme-meta"].encode(), body, sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={mac}", "content-type": "application/json"}
    answer = await stack.api.client.post("/v1/hooks/acme/facebook", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("order", ["failed, known", "known, failed", "failed, delivered, known", "known, read, failed"])
async def test_a_failure_wins_whichever_comes_first(stack: Stack, order: str) -> None:
    """A status that overtook the report of its id was dropped, and the agent read `delivered`."""
    start = await stack.pull("facebook")
    await stack.desk.reply(connector="facebook", channel="social")
    assert (await stack.pull("facebook", after=start["cursor"], wait=20))["items"]
    for step in order.split(", "):
        if step == "known":
            await stack.api.post("/v1/replies/msg_r1/delivered", sub="facebook", json={"external_id": "wamid.9"})
        else:
            await a_status(stack, "wamid.9", step)
    delivery = await stack.delivery()
    assert (delivery["state"], delivery["reason"]) == ("failed", "Undeliverable")


async def test_the_failure_of_an_older_attempt_says_nothing_of_the_present_one(stack: Stack) -> None:
    start = await stack.pull("facebook")
    await stack.desk.reply(connector="facebook", channel="social")
    assert (await stack.pull("facebook", after=start["cursor"], wait=20))["items"]
    await stack.api.post("/v1/replies/msg_r1/delivered", sub="facebook", json={"external_id": "wamid.1"})
    await stack.api.post("/v1/deliveries/msg_r1/redeliver", sub="facebook")
    await stack.api.post("/v1/replies/msg_r1/delivered", sub="facebook", json={"external_id": "wamid.2"})
    await a_status(stack, "wamid.1", "failed")
    assert (await stack.delivery())["state"] == "delivered"
    await a_status(stack, "wamid.2", "failed")
    assert (await stack.delivery())["state"] == "failed"


async def test_a_long_poll_ends_empty_when_nothing_comes(stack: Stack) -> None:
    start = await stack.pull()
    assert await stack.pull(after=start["cursor"], wait=0.05) == {"items": [], "cursor": start["cursor"]}


async def test_a_failure_that_is_not_permanent_is_offered_again(stack: Stack) -> None:
    await stack.desk.reply()
    await until(stack.delivery)
    start = await stack.pull()
    failed = await stack.api.post("/v1/replies/msg_r1/failed", json={"reason": "busy"})
    assert failed.json()["state"] == "queued"
    again = await stack.pull(after=start["cursor"])
    assert [reply["id"] for reply in again["items"]] == ["msg_r1"]
    failed = await stack.api.post("/v1/replies/msg_r1/failed", json={"reason": "gone", "permanent": True})
    assert failed.json()["state"] == "failed"
    assert (await stack.pull())["items"] == []
    redelivered = await stack.api.post("/v1/deliveries/msg_r1/redeliver", json=None)
    assert redelivered.status_code == 202
    assert (await stack.api.post("/v1/deliveries/msg_r1/redeliver")).status_code == 409
    assert len((await stack.pull())["items"]) == 1


async def test_a_reply_leaves_as_a_signed_webhook(stack: Stack, installation: Installation) -> None:
    async with a_receiver(answer=b'{"external_id": "p1"}') as (url, got):
        put_secrets(stack.folder / "secrets", url=url)
        await stack.desk.reply(connector="pushed")
        await until(lambda: _state(stack, "delivered"))
    (headers, body), *rest = got
    assert not rest
    Webhook(SECRETS["sign"]).verify(body.decode(), headers)
    data = orjson.loads(body)["data"]
    assert (data["id"], data["text"], data["thread"]) == ("msg_r1", "We are on it.", "t")
    assert headers["webhook-id"] == "msg_r1"
    db = await installation.connect("intake")
    fact = await db.fetchval("SELECT body FROM fact WHERE 'message.delivered' = ANY (types)")
    assert orjson.loads(fact)["facts"][0]["external_id"] == "p1"
    await db.close()


async def test_during_a_rotation_a_reply_is_signed_with_both_secrets(stack: Stack) -> None:
    old, new = SECRETS["sign"], "whsec_" + b64encode(b"the new one, as long as any").decode()
    (stack.folder / "secrets/acme/sign").unlink()
    for value in (old, new):
        body = {"value": value, "previous_valid_seconds": 3600}
        put = await stack.api.client.put("/v1/secrets/sign", json=body, headers=stack.api.headers("admin", "vera"))
        assert put.status_code == 200, put.text
    async with a_receiver() as (url, got):
        (stack.folder / "secrets/acme/url").write_text(url)
        await stack.desk.reply(connector="pushed")
        await until(lambda: _state(stack, "delivered"))
    ((headers, body),) = got
    for secret in (old, new):
        Webhook(secret).verify(body.decode(), headers)


async def test_setting_a_secret_wakes_the_replies_that_waited_for_it(stack: Stack) -> None:
    """They left after a pause that had doubled for each time that the secret was missing."""
    (stack.folder / "secrets/acme/sign").unlink()
    admin = stack.api.headers("admin", "vera")
    await stack.desk.reply(connector="pushed")
    async with a_receiver() as (url, got):
        for name, value in (("url", url), ("sign", SECRETS["sign"])):

            async def told(name: str = name) -> bool:
                return f"no secret '{name}'" in ((await stack.delivery() or {}).get("reason") or "")

            await until(told)
            await stack.api.process.pool.execute("UPDATE delivery SET due_at = due_at + interval '1 hour', rounds = 7")
            assert not got
            put = await stack.api.client.put(f"/v1/secrets/{name}", json={"value": value}, headers=admin)
            assert put.status_code == 200
        await until(lambda: _state(stack, "delivered"))
    assert len(got) == 1


async def test_delivery_is_tried_again_until_it_is_taken(stack: Stack) -> None:
    async with a_receiver(500, 503, 429, 400) as (url, got):
        put_secrets(stack.folder / "secrets", url=url)
        await stack.desk.reply(connector="pushed")
        await until(lambda: _state(stack, "delivered"), within_seconds=60)
    assert len(got) == 5
    assert len({headers["webhook-id"] for headers, _ in got}) == 1


async def test_replies_of_a_conversation_leave_in_order(stack: Stack) -> None:
    async with a_receiver(500, 500, 500, 500) as (url, got):
        put_secrets(stack.folder / "secrets", url=url)
        await stack.desk.reply(connector="pushed", message="msg_1")
        await stack.desk.reply(connector="pushed", message="msg_2")
        await until(lambda: _state(stack, "delivered", "msg_2"), within_seconds=60)
    assert [headers["webhook-id"] for headers, _ in got] == ["msg_1"] * 5 + ["msg_2"]


async def test_gone_is_final_and_an_address_of_our_own_network_is_never_called(stack: Stack) -> None:
    async with a_receiver(410) as (url, got):
        put_secrets(stack.folder / "secrets", url=url)
        await stack.desk.reply(connector="pushed")
        await until(lambda: _state(stack, "failed"))
    assert len(got) == 1
    put_secrets(stack.folder / "secrets", url="http://10.0.0.1/")
    await stack.desk.reply(connector="pushed", message="msg_r2", thread="u")

    async def refused() -> bool:
        found = await stack.delivery("msg_r2")
        return bool(found and "not a public address" in (found["reason"] or ""))

    await until(refused, within_seconds=60)


async def test_a_lapsed_claim_is_taken_again(stack: Stack, installation: Installation) -> None:
    """The process that claimed it died between the claim and the result."""
    async with a_receiver() as (url, _):
        db = await installation.connect("intake")
        await stack.desk.reply(connector="pushed", message="msg_old")
        await until(lambda: stack.delivery("msg_old"))
        past = stack.api.process.clock.now() - timedelta(seconds=1)
        await db.execute("UPDATE delivery SET claimed_until = $1, due_at = $1, state = 'queued'", past)
        await db.close()
        put_secrets(stack.folder / "secrets", url=url)
        await until(lambda: _state(stack, "delivered", "msg_old"), within_seconds=60)


async def test_an_event_reports_on_a_conversation_or_a_reply(stack: Stack) -> None:
    message = {"connector": "site-chat", "external_id": "m1", "thread": "t", "text": "Hello"}
    ticket = (await stack.api.post("/v1/messages", json=message)).json()["ticket_id"]
    left = {"connector": "site-chat", "external_id": "e1", "thread": "t", "kind": "left"}
    assert (await stack.api.post("/v1/events", json=left)).json() == {"ticket_id": ticket, "duplicate": False}
    assert (await stack.api.post("/v1/events", json=left)).json() == {"ticket_id": None, "duplicate": True}
    read = {"connector": "site-chat", "external_id": "e2", "thread": "t", "kind": "read"}
    assert (await stack.api.post("/v1/events", json=read)).status_code == 422
    assert (await stack.api.post("/v1/events", json=read | {"message_id": "msg_r1"})).status_code == 404
    await stack.desk.reply()
    await until(stack.delivery)
    again = read | {"message_id": "msg_r1", "external_id": "e3"}
    assert (await stack.api.post("/v1/events", json=again)).status_code == 202
    assert (await stack.delivery())["state"] == "read"


async def _state(stack: Stack, state: str, id: str = "msg_r1") -> bool:
    found = await stack.delivery(id)
    return bool(found and found["state"] == state)
