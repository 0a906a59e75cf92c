"""Posting messages over HTTP: single, batch, CloudEvents; what is refused and how."""

from typing import Any

import httpx
import orjson
import pytest

from pointsman.testing.installation import Installation
from tests.integration.intake.serving import Api, configure

pytestmark = pytest.mark.stack

MESSAGE = {"connector": "site-chat", "external_id": "m1", "customer": {"email": "ada@example.com"}, "text": "hello"}


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_a_message_is_accepted_and_shown(api: Api) -> None:
    answer = await api.post("/v1/messages", json=MESSAGE)
    assert answer.status_code == 202, answer.text
    accepted = answer.json()
    assert accepted["duplicate"] is False
    shown = (await api.get(f"/v1/messages/{accepted['message_id']}")).json()
    assert (shown["text"], shown["ticket_id"], shown["direction"]) == ("hello", accepted["ticket_id"], "in")
    raw = await api.get(f"/v1/messages/{accepted['message_id']}/raw")
    assert orjson.loads(raw.content) == MESSAGE


async def test_202_comes_after_the_durable_write(api: Api, installation: Installation) -> None:
    accepted = (await api.post("/v1/messages", json=MESSAGE)).json()
    db = await installation.connect("intake")
    assert await db.fetchval("SELECT ticket_id FROM message WHERE id = $1", accepted["message_id"])
    fact = await db.fetchrow("SELECT workspace, subject, types FROM fact")
    assert fact is not None
    assert tuple(fact) == ("acme", accepted["ticket_id"], ["message.received"])
    await db.close()


async def test_a_repeat_is_a_duplicate_and_says_when_it_differs(api: Api) -> None:
    first = (await api.post("/v1/messages", json=MESSAGE)).json()
    again = (await api.post("/v1/messages", content=orjson.dumps(MESSAGE, option=orjson.OPT_INDENT_2))).json()
    assert again == {**first, "duplicate": True}
    other = (await api.post("/v1/messages", json={**MESSAGE, "text": "other"})).json()
    assert other == {**first, "duplicate": True, "differs": True}


ADDRESSES = (
    "ada@example.com",
    "Ada.L+tag@mail.example.co.uk",
    "ada@localhost",
    "żółw@przykład.pl",
    '"a b"@x.com',
    "o'n@x.ie",
)


async def test_what_says_little_is_taken(api: Api) -> None:
    """A subject alone, a file alone, a reaction that was taken back, a deletion; and whoever has a strange address."""
    file = {"name": "a", "content_base64": "aGk="}
    little: list[dict[str, Any]] = [
        {"text": None, "subject": "Call me"},
        {"text": None, "attachments": [file]},
        {"text": None, "html": "<p>Hi</p>"},
        {"text": None, "kind": "reaction", "replaces": "m0"},
        {"text": None, "kind": "delete", "replaces": "m0"},
        {"author": {"kind": "agent", "agent": "anna"}},
        *({"customer": {"email": email}} for email in ADDRESSES),
    ]
    for number, said in enumerate(little):
        answer = await api.post("/v1/messages", json=MESSAGE | said | {"external_id": f"little-{number}"})
        assert answer.status_code == 202, (said, answer.text)


async def test_a_batch_refuses_only_what_names_nobody_or_says_nothing(api: Api) -> None:
    author = {"author": {"kind": "agent", "agent": "nobody"}}
    batch = [MESSAGE | author | {"external_id": "b1"}, MESSAGE | {"external_id": "b2", "text": ""}, MESSAGE]
    items = (await api.post("/v1/messages:batch", json=batch)).json()["items"]
    assert [item["status"] for item in items] == [422, 422, 202]
    pointers = [item["error"]["errors"][0]["pointer"] for item in items[:2]]
    assert pointers == ["/author/agent", "/text"]


async def test_hints_need_the_connectors_leave(api: Api) -> None:
    hinted = MESSAGE | {"routing": {"queue": "billing"}}
    assert (await api.post("/v1/messages", json=hinted)).status_code == 202
    plain = hinted | {"connector": "plain"}
    assert problem(await api.post("/v1/messages", sub="plain", json=plain)) == (422, "hints-not-allowed")


async def test_long_text_is_cut_and_the_whole_kept(api: Api) -> None:
    accepted = (await api.post("/v1/messages", json=MESSAGE | {"text": "é" * 60_000})).json()
    shown = (await api.get(f"/v1/messages/{accepted['message_id']}")).json()
    assert shown["truncated"]
    assert len(shown["text"].encode()) == 65_536
    assert len((await api.get(f"/v1/messages/{accepted['message_id']}/raw")).content) > 120_000


async def test_a_bad_item_of_a_batch_refuses_only_itself(api: Api) -> None:
    items = [MESSAGE, MESSAGE | {"external_id": "m2", "no": 1}, MESSAGE | {"external_id": "m3"}, 7, MESSAGE]
    answer = await api.post("/v1/messages:batch", json=items)
    assert answer.status_code == 202
    results = answer.json()["items"]
    assert [result["index"] for result in results] == [0, 1, 2, 3, 4]
    assert [result["status"] for result in results] == [202, 422, 202, 422, 202]
    assert results[1]["error"]["errors"][0]["pointer"] == "/no"
    assert [results[0]["duplicate"], results[4]["duplicate"]] == [False, True]
    assert results[0]["message_id"] == results[4]["message_id"]


async def test_a_batch_as_lines_or_events(api: Api) -> None:
    good = b'{"connector": "site-chat", "external_id": "l%d", "text": "x"}\n'
    lines = good % 1 + b'{"oops\n\n' + good % 2
    answer = await api.post("/v1/messages:batch", content=lines, headers={"content-type": "application/x-ndjson"})
    assert [item["status"] for item in answer.json()["items"]] == [202, 400, 202]
    event = {"specversion": "1.0", "id": "e1", "source": "site-chat", "type": "x", "data": {"text": "hi"}}
    answer = await api.post(
        "/v1/messages:batch",
        content=orjson.dumps([event, event | {"specversion": "0.3"}]),
        headers={"content-type": "application/cloudevents-batch+json"},
    )
    assert [item["status"] for item in answer.json()["items"]] == [202, 422]


async def test_a_batch_has_a_limit(api: Api) -> None:
    answer = await api.post("/v1/messages:batch", json=[MESSAGE] * 1001)
    assert problem(answer) == (413, "too-many-messages")
    assert problem(await api.post("/v1/messages:batch", json={"a": 1})) == (422, "invalid-request")


async def test_cloudevents_structured_and_binary(api: Api) -> None:
    event = {
        "specversion": "1.0",
        "id": "m1",
        "source": "site-chat",
        "type": "chat.message",
        "time": "2026-01-01T10:00:00Z",
        "data": {"text": "hello", "customer": {"email": "ada@example.com"}},
    }
    kind = {"content-type": "application/cloudevents+json"}
    first = await api.post("/v1/messages", content=orjson.dumps(event), headers=kind)
    assert first.status_code == 202, first.text
    headers = {"ce-specversion": "1.0", "ce-id": "m1", "ce-source": "site-chat", "ce-type": "chat.message"}
    headers["ce-time"] = "2026-01-01T10:00:00Z"
    second = await api.post("/v1/messages", json=event["data"], headers=headers)
    assert second.json() == first.json() | {"duplicate": True}
    wrong = await api.post("/v1/messages", content=orjson.dumps(event | {"data": {"external_id": "x"}}), headers=kind)
    assert problem(wrong) == (422, "invalid-request")


async def test_a_connector_sees_only_its_own(api: Api) -> None:
    accepted = (await api.post("/v1/messages", json=MESSAGE)).json()
    path = f"/v1/messages/{accepted['message_id']}"
    assert (await api.get(path, "connector", "site-chat")).status_code == 200
    assert problem(await api.get(path, "connector", "plain")) == (404, "not-found")
    foreign = api.headers("supervisor", "vera", "other")
    assert problem(await api.client.get(path, headers=foreign)) == (404, "not-found")


async def test_a_connector_that_was_just_applied_is_known(api: Api, installation: Installation) -> None:
    assert (await api.post("/v1/messages", json=MESSAGE)).status_code == 202
    await configure(installation, version=2, fresh={"channel": "chat", "kind": "json"})
    answer = await api.post("/v1/messages", sub="fresh", json=MESSAGE | {"connector": "fresh"})
    assert answer.status_code == 202
    assert (await api.get("/v1/config-version")).json() == {"config_version": 2}
