"""Providers' webhooks over HTTP: proved on the raw bytes, refused when forged or stale, kept when not understood."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from pointsman.testing.installation import Installation
from pointsman_intake.settings import IntakeSettings
from tests.integration.intake.serving import SECRETS, Api, an_api, configure, put_secrets

pytestmark = pytest.mark.stack


@pytest.fixture
async def api(installation: Installation, tmp_path: Path) -> AsyncIterator[Api]:
    await configure(installation)
    put_secrets(tmp_path / "secrets")
    async with an_api(installation.settings, tmp_path) as api:
        yield api


def slack_event(**changes: Any) -> bytes:
    event = {"type": "message", "channel": "C1", "user": "U1", "text": "help", "ts": "1767225600.000100"}
    return orjson.dumps({"type": "event_callback", "event_id": "Ev1", "event": event | changes})


async def post_slack(api: Api, body: bytes, *, age: float = 0, secret: str | None = None) -> httpx.Response:
    timestamp = str(int(api.process.clock.now().timestamp() - age))
    message = b"v0:" + timestamp.encode() + b":" + body
    signature = hmac.new((secret or SECRETS["acme-slack"]).encode(), message, sha256).hexdigest()
    headers = {
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": f"v0={signature}",
        "content-type": "application/json",
    }
    return await api.client.post("/v1/hooks/acme/slack", content=body, headers=headers)


async def post_meta(api: Api, value: Any, *, secret: str = SECRETS["acme-meta"]) -> httpx.Response:
    body = orjson.dumps(value)
    signature = hmac.new(secret.encode(), body, sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signature}", "content-type": "application/json"}
    return await api.client.post("/v1/hooks/acme/facebook", content=body, headers=headers)


def whatsapp(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    value = {
        "metadata": {"phone_number_id": "11"},
        "contacts": [{"wa_id": "3912", "profile": {"name": "Ada"}}],
        "messages": messages,
        **more,
    }
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


async def test_a_slack_message_is_accepted(api: Api) -> None:
    answer = await post_slack(api, slack_event())
    assert answer.status_code == 200, answer.text
    (accepted,) = answer.json()["messages"]
    shown = (await api.get(f"/v1/messages/{accepted['message_id']}")).json()
    assert (shown["text"], shown["thread"], shown["customer"]["handle"]) == (
        "help",
        "C1:1767225600.000100",
        "slack:U1",
    )


async def test_a_replayed_webhook_is_marked_duplicate(api: Api) -> None:
    first = (await post_slack(api, slack_event())).json()
    again = (await post_slack(api, slack_event())).json()
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert again["messages"] == [first["messages"][0] | {"duplicate": True}]


async def test_forged_and_stale_webhooks_are_refused(api: Api, installation: Installation) -> None:
    """chatwoot PR#14280: webhooks were taken without a look at their signature."""
    assert (await post_slack(api, slack_event(), secret="wrong")).status_code == 401
    assert (await post_slack(api, slack_event(), age=301)).status_code == 401
    assert (await post_slack(api, slack_event(), age=-301)).status_code == 401
    assert (await api.client.post("/v1/hooks/acme/slack", content=slack_event())).status_code == 401
    assert (await post_meta(api, whatsapp(), secret="wrong")).status_code == 401
    db = await installation.connect("intake")
    assert await db.fetchval("SELECT count(*) FROM message") == 0
    assert await db.fetchval("SELECT count(*) FROM quarantine") == 0
    await db.close()


def as_seen(answer: httpx.Response) -> tuple[Any, ...]:
    """All of an answer but the ids of the request."""
    problem = answer.json()
    problem.pop("instance")
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "traceparent")}
    return answer.status_code, problem, headers


async def test_a_stranger_gets_one_answer_whatever_is_missing(api: Api, tmp_path: Path) -> None:
    """404, 403, 422, 503 and 401 told anybody which workspaces and connectors exist, and how they are proved."""
    names = ("foreign/slack", "acme/nowhere", "acme/unproved", "acme/mailbox", "acme/slack", "acme/facebook")
    answers = [await api.client.post(f"/v1/hooks/{name}", content=b"{}") for name in names]
    forged = slack_event()
    answers.append(await post_slack(api, forged, secret="wrong"))
    answers.append(await post_slack(api, forged, age=301))
    answers.append(await post_meta(api, whatsapp(), secret="wrong"))
    (tmp_path / "secrets/acme/acme-slack").unlink()
    answers.append(await post_slack(api, slack_event()))
    seen = as_seen(answers[0])
    assert seen[0] == 401
    assert [as_seen(answer) for answer in answers] == [seen] * len(answers)
    too_large = [await api.client.post(f"/v1/hooks/{name}", content=b" " * (api_bytes_max(api) + 1)) for name in names]
    assert {as_seen(answer)[0] for answer in too_large} == {413}
    asked = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "nope"}
    refused = [await api.client.get(f"/v1/hooks/{name}", params=asked) for name in names]
    assert as_seen(refused[0])[0] == 403
    assert [as_seen(answer) for answer in refused] == [as_seen(refused[0])] * len(refused)


def api_bytes_max(api: Api) -> int:
    return IntakeSettings(**api.settings.model_dump()).hook_bytes_max


async def test_a_webhook_with_something_unclear_is_kept_and_the_rest_accepted(api: Api) -> None:
    one = {"from": "3912", "id": "wamid.1", "timestamp": "1697044621", "type": "text", "text": {"body": "hi"}}
    answer = (await post_meta(api, whatsapp(one, {"type": "text", "text": {"body": "who am I"}}))).json()
    assert len(answer["messages"]) == 1
    (listed,) = (await api.get("/v1/quarantine")).json()["items"]
    assert (listed["id"], listed["reason"]) == (answer["quarantine_id"], "unclear")


async def test_a_contacts_number_and_user_id_are_one_customer_with_one_ticket(api: Api) -> None:
    text = {"timestamp": "1697044621", "type": "text", "text": {"body": "hi"}}
    senders = [
        {"from": "3912"},
        {"from": "3912", "from_user_id": "IT.7"},
        {"from_user_id": "IT.7"},
        {"from": "3912"},
    ]
    answers = [
        (await post_meta(api, whatsapp(text | sender | {"id": f"wamid.{place}"}))).json()["messages"][0]
        for place, sender in enumerate(senders)
    ]
    assert len({answer["ticket_id"] for answer in answers}) == 1
    shown = [(await api.get(f"/v1/messages/{answer['message_id']}")).json() for answer in answers]
    assert len({one["customer"]["id"] for one in shown}) == 1


async def test_two_customers_whom_the_provider_says_to_be_one_are_one_from_then_on(api: Api) -> None:
    text = {"timestamp": "1697044621", "type": "text", "text": {"body": "hi"}}
    senders = [{"from": "3912"}, {"from_user_id": "IT.7"}, {"from": "3912", "from_user_id": "IT.7"}]
    customers, tickets = [], []
    for place, sender in enumerate([*senders, *senders[:2]]):
        answer = (await post_meta(api, whatsapp(text | sender | {"id": f"wamid.{place}"}, contacts=[]))).json()
        shown = (await api.get(f"/v1/messages/{answer['messages'][0]['message_id']}")).json()
        customers.append(shown["customer"]["id"])
        tickets.append(shown["ticket_id"])
    assert customers[0] != customers[1]
    assert set(customers[2:]) == {customers[0]}
    assert set(tickets[2:]) == {tickets[0]}


async def test_an_edit_and_a_reaction_that_overtake_their_message_join_it(api: Api) -> None:
    """They were dropped, and the customer's correction with them."""
    edit = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "message": {"type": "message", "user": "U1", "text": "help!", "ts": "1767225600.000100"},
        "event_ts": "1767225601.0",
    }
    reaction = {"type": "reaction_added", "user": "U2", "reaction": "+1", "event_ts": "1767225602.0"}
    reaction["item"] = {"channel": "C1", "ts": "1767225600.000100"}  # type: ignore[assignment]
    for name, event in (("Ev2", edit), ("Ev3", reaction)):
        early = await post_slack(api, orjson.dumps({"type": "event_callback", "event_id": name, "event": event}))
        assert (early.json()["messages"], early.json()["parked"]) == ([], 1)
    said = (await post_slack(api, slack_event(thread_ts="1767225500.0"))).json()["messages"][0]
    async with api.process.pool.acquire() as db:
        rows = await db.fetch("SELECT external_id, ticket_id FROM message ORDER BY thread_number")
        parked = await db.fetchval("SELECT count(*) FROM parked")
    assert [tuple(row) for row in rows] == [
        ("C1:1767225600.000100", said["ticket_id"]),
        ("Ev2", said["ticket_id"]),
        ("Ev3", said["ticket_id"]),
    ]
    assert parked == 0


async def test_what_is_about_a_message_names_it_by_our_id_whichever_comes_first(api: Api) -> None:
    """Agents' apps know no provider's ids: an edit, a reaction and a deletion came to them as further messages."""

    for place, ts in enumerate(("1767225600.000100", "1767225700.000100")):
        there = {"type": "message", "channel": f"D{place}", "channel_type": "im"}
        said = {"type": "message", "user": "U1", "ts": ts, "text": "My PIN"}
        edited = said | {"text": "My card"}
        events = [
            there | said,
            there | {"subtype": "message_changed", "message": edited, "event_ts": f"{ts}1"},
            there | {"subtype": "message_deleted", "deleted_ts": ts, "previous_message": edited, "event_ts": f"{ts}2"},
        ]
        for number, event in enumerate(reversed(events) if place else events):
            body = {"type": "event_callback", "event_id": f"Ev{place}-{number}", "event": event}
            assert (await post_slack(api, orjson.dumps(body))).status_code == 200
    rows = await api.process.pool.fetch("SELECT body FROM message WHERE connector = 'slack' ORDER BY received_at, id")
    bodies = [row["body"] for row in rows]
    ids = {body["external_id"]: body["message_id"] for body in bodies if body.get("kind") is None}
    assert len(ids) == 2
    changes = [body for body in bodies if body.get("kind") is not None]
    assert sorted(body["kind"] for body in changes) == ["delete", "delete", "edit", "edit"]
    assert all(body["replaces_id"] == ids[body["replaces"]] for body in changes)
    assert len({body["ticket_id"] for body in bodies}) == 2


async def test_an_edit_and_its_message_at_the_same_moment_lose_nothing(api: Api) -> None:
    async def both(number: int) -> None:
        ts = f"1767225{number:03}.000100"
        message = {"type": "message", "channel": "C1", "user": "U1", "text": "help", "ts": ts}
        edit = {
            "type": "message",
            "subtype": "message_changed",
            "channel": "C1",
            "message": message | {"text": "help!"},
            "event_ts": ts,
        }
        events = [
            orjson.dumps({"type": "event_callback", "event_id": f"{name}{number}", "event": event})
            for name, event in (("edit", edit), ("said", message))
        ]
        await asyncio.gather(*(post_slack(api, event) for event in events))

    await asyncio.gather(*(both(number) for number in range(15)))
    async with api.process.pool.acquire() as db:
        assert await db.fetchval("SELECT count(*) FROM message") == 30
        assert await db.fetchval("SELECT count(DISTINCT ticket_id) FROM message") == 15


async def test_slacks_url_verification_is_answered(api: Api) -> None:
    answer = await post_slack(api, orjson.dumps({"type": "url_verification", "challenge": "abc"}))
    assert answer.json() == {"challenge": "abc"}


async def test_metas_challenge_is_answered_to_the_right_token_only(api: Api) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "verify-me"}
    answer = await api.client.get("/v1/hooks/acme/facebook", params=asked)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    wrong = await api.client.get("/v1/hooks/acme/facebook", params=asked | {"hub.verify_token": "nope"})
    assert wrong.status_code == 403


async def test_a_meta_batch_brings_messages_and_ignores_the_rest(api: Api) -> None:
    one = {"from": "3912", "id": "wamid.1", "timestamp": "1697044621", "type": "text", "text": {"body": "hi"}}
    two = {**one, "id": "wamid.2", "text": {"body": "there"}}
    answer = await post_meta(api, whatsapp(one, two, statuses=[{"id": "wamid.9", "status": "sent"}]))
    accepted = answer.json()["messages"]
    assert len({message["ticket_id"] for message in accepted}) == 1
    assert len(accepted) == 2
    echo = {"object": "page", "entry": [{"messaging": [{"sender": {"id": "1"}, "message": {"is_echo": True}}]}]}
    assert (await post_meta(api, echo)).json()["ignored"] == [{"kind": "echo", "reason": "said by the page itself"}]


async def test_what_is_not_understood_is_kept_and_can_be_read_again(api: Api, installation: Installation) -> None:
    answer = await post_meta(api, {"object": "page"})
    assert answer.status_code == 200
    quarantined = answer.json()["quarantine_id"]
    (listed,) = (await api.get("/v1/quarantine")).json()["items"]
    assert (listed["id"], listed["reason"], listed["connector"]) == (quarantined, "not-meta", "facebook")
    headers = api.headers("supervisor", "vera")
    replayed = await api.client.post(f"/v1/quarantine/{quarantined}/replay", headers=headers)
    assert replayed.status_code == 422
    one = {"from": "3912", "id": "wamid.1", "type": "text", "text": {"body": "hi"}}
    db = await installation.connect("intake")
    await db.execute("UPDATE quarantine SET body = $1", orjson.dumps(whatsapp(one)))
    await db.close()
    replayed = await api.client.post(f"/v1/quarantine/{quarantined}/replay", headers=headers)
    assert (replayed.status_code, len(replayed.json()["messages"])) == (200, 1)
    again = await api.client.post(f"/v1/quarantine/{quarantined}/replay", headers=headers)
    assert again.status_code == 404
    assert (await api.get("/v1/quarantine")).json()["items"] == []
    assert (await api.get("/v1/quarantine?state=replayed")).json()["items"][0]["id"] == quarantined


def signed(api: Api, id: str, body: bytes) -> dict[str, str]:
    """The headers that sign the bytes by Standard Webhooks."""
    from standardwebhooks.webhooks import Webhook

    now = api.process.clock.now().replace(microsecond=0)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRETS["plain"]).sign(id, now, body.decode()),
    }


async def test_what_is_wrong_with_a_signed_webhook_of_ones_own_is_told_and_not_kept(
    api: Api, installation: Installation
) -> None:
    """The guide said that it is answered 200 and kept in the quarantine, like a provider's."""
    for place, (body, status, said) in enumerate(
        [
            (b"{", 400, "the body is not JSON"),
            (b'[{"external_id": "w1", "text": "good"}, {"text": "no id"}]', 422, "external_id"),
            (b'{"external_id": "w2", "text": "x", "connector": "slack"}', 403, "connector"),
        ]
    ):
        headers = signed(api, f"wrong_{place}", body)
        answer = await api.client.post("/v1/hooks/acme/plain", content=body, headers=headers)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert (await api.get("/v1/quarantine")).json()["items"] == []
    db = await installation.connect("intake")
    assert await db.fetchval("SELECT count(*) FROM message") == 0
    await db.close()


async def test_own_messages_come_by_signed_webhook_too(api: Api) -> None:
    body = orjson.dumps({"external_id": "w1", "text": "signed"})
    headers = signed(api, "msg_1", body)
    first = await api.client.post("/v1/hooks/acme/plain", content=body, headers=headers)
    assert first.status_code == 200, first.text
    again = await api.client.post("/v1/hooks/acme/plain", content=body, headers=headers)
    assert (first.json()["duplicate"], again.json()["duplicate"]) == (False, True)
    forged = await api.client.post("/v1/hooks/acme/plain", content=body + b" ", headers=headers)
    assert forged.status_code == 401


async def test_during_a_rotation_the_old_and_the_new_secret_prove_a_webhook(api: Api, tmp_path: Path) -> None:
    (tmp_path / "secrets/acme/acme-slack").unlink()
    for value in ("old", "new"):
        body = {"value": value, "previous_valid_seconds": 3600}
        put = await api.client.put("/v1/secrets/acme-slack", json=body, headers=api.headers("admin", "vera"))
        assert put.status_code == 200, put.text
    assert (await post_slack(api, slack_event(), secret="new")).status_code == 200
    assert (await post_slack(api, slack_event(ts="1767225601.0"), secret="old")).status_code == 200
    assert (await post_slack(api, slack_event(ts="1767225602.0"), secret="older")).status_code == 401
