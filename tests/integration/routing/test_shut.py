"""A supervisor closes a queue over HTTP, its customers hear it, and opening it offers what was held."""

import pytest

from pointsman.testing.waiting import until
from tests.integration.routing.service import DOCUMENT, RoutingService, next_offer

pytestmark = pytest.mark.stack


async def test_closing_holds_and_answers_opening_offers(routing: RoutingService) -> None:
    admin = await routing.as_("admin", "root")
    document = {
        **DOCUMENT,
        "queues": {"general": {"closed": {"reply": "closed"}}, "other": {}},
        "replies": {"closed": {"en": "We are closed."}},
    }
    answer = await admin.put("/v1/config", json=document, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["inactive"]) == (200, []), answer.text
    anna, boss = await routing.sign_in("anna"), await routing.as_("supervisor", "boss")
    assert (await anna.post("/v1/queues/general/close", json={"reason": "no"})).status_code == 403
    closed = await boss.post("/v1/queues/general/close", json={"reason": "power cut"})
    assert (closed.status_code, closed.json()["state"], closed.json()["reason"]) == (200, "closed", "power cut")
    await routing.customer_writes("t1")

    async def held() -> bool:
        ticket = await anna.get("/v1/tickets/t1")
        return bool(ticket.status_code == 200 and ticket.json()["held"] == "closed")

    await until(held)
    messages = (await anna.get("/v1/tickets/t1/messages")).json()["items"]
    assert [(message["author"]["kind"], message["text"]) for message in messages][1:] == [("bot", "We are closed.")]
    queue = (await boss.get("/v1/queues/general")).json()
    assert (queue["state"], queue["held"], queue["waiting"], queue["offered"]) == ("closed", 1, 1, 0)
    explained = (await boss.get("/v1/tickets/t1/explain")).json()
    assert explained["sentence"] == "It is held: the queue general is closed (power cut)."
    opened = await boss.post("/v1/queues/general/open")
    assert (opened.status_code, opened.json()["state"]) == (200, "open"), opened.text
    assert (await next_offer(anna))["ticket"]["id"] == "t1"


async def test_what_is_wrong_with_a_closing_is_said_and_changes_nothing(routing: RoutingService) -> None:
    boss = await routing.as_("supervisor", "boss")
    for body, pointer in (
        ({"reason": "r", "until": "2020-01-01T00:00:00Z"}, "/until"),
        ({"reason": "r", "then": {"to": "nowhere"}}, "/then/to"),
        ({"reason": "r", "then": {"to": "general"}}, "/then/to"),
        ({}, "/reason"),
    ):
        answer = await boss.post("/v1/queues/general/close", json=body)
        assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])
    assert (await boss.post("/v1/queues/nowhere/close", json={"reason": "r"})).status_code == 404
    assert (await boss.get("/v1/queues/general")).json()["state"] == "open"
