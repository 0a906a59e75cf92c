"""An agent's day over HTTP: presence, offers by long poll, a reply, a resolution; and what supervisors see of it."""

import asyncio
from typing import Any

import httpx
import pytest

from pointsman.contracts.sla import ClockBreached, ClockWarned
from pointsman.testing.waiting import until
from tests.integration.routing.service import RoutingService, next_offer

pytestmark = pytest.mark.stack


async def accepted(routing: RoutingService, app: httpx.AsyncClient, ticket: str = "t1") -> dict[str, Any]:
    """A ticket that the app's agent holds."""
    await routing.customer_writes(ticket)
    offer = await next_offer(app)
    answer = await app.post(f"/v1/offers/{offer['id']}/accept")
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["ticket"])


async def test_the_timeline_tells_of_the_clocks_too_page_by_page(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    await routing.customer_writes("t1")
    await next_offer(anna)
    now = routing.process.clock.now()
    clock: dict[str, Any] = {"clock_id": "clk_1", "ticket_id": "t1", "metric": "first_response", "cycle": 1}
    warned = ClockWarned(**clock, policy="standard", step="share:0.8", warned_at=now, breach_at=now)
    times = {"due_at": now, "breach_at": now, "fired_at": now}
    breached = ClockBreached(**clock, policy="standard", target_seconds=60, lateness_seconds=0.0, **times)
    await routing.clock_says("t1", warned, breached)

    async def told() -> list[str]:
        types, cursor = [], None
        while True:
            page = {"limit": 1} | ({} if cursor is None else {"cursor": cursor})
            answer = (await anna.get("/v1/tickets/t1/timeline", params=page)).json()
            types += [event["type"] for event in answer["items"]]
            assert all(event["cause"] and event["id"] for event in answer["items"])
            cursor = answer["next_cursor"]
            if cursor is None:
                return types

    async def breach_is_told() -> bool:
        return "clock.breached" in await told()

    await until(breach_is_told)
    types = await told()
    assert types[0] == "ticket.opened"
    assert types[-2:] == ["clock.warned", "clock.breached"]
    assert len(types) == len(set(types))


async def test_from_the_offer_to_the_resolution(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    cursor = (await anna.get("/v1/me/offers")).json()["cursor"]
    waiting = asyncio.create_task(next_offer(anna, cursor))
    await routing.customer_writes("t1", "My invoice is wrong")
    offer = await waiting
    assert (offer["state"], offer["ticket"]["id"], offer["ticket"]["state"]) == ("pending", "t1", "offered")
    assert 50 < offer["expires_in_seconds"] <= 60

    accepted = (await anna.post(f"/v1/offers/{offer['id']}/accept")).json()
    assert (accepted["state"], accepted["ticket"]["agent"]) == ("accepted", "anna")
    assert [ticket["id"] for ticket in (await anna.get("/v1/me/assignments")).json()["items"]] == ["t1"]

    ticket = await anna.get("/v1/tickets/t1")
    reply = await anna.post(
        "/v1/tickets/t1/messages",
        json={"text": "Here is the right one.", "public": True},
        headers={"If-Match": ticket.headers["etag"]},
    )
    assert reply.status_code == 201, reply.text
    messages = (await anna.get("/v1/tickets/t1/messages")).json()["items"]
    assert [(message["direction"], message["delivery"]) for message in messages] == [("in", None), ("out", "queued")]

    resolved = await anna.post(
        "/v1/tickets/t1/resolve", json={"outcome": "solved", "last_message_id": messages[-1]["id"]}
    )
    assert (resolved.status_code, resolved.json()["state"]) == (200, "resolved"), resolved.text
    assert (await anna.post("/v1/tickets/t1/wrap-up/finish")).json()["agent"] is None
    timeline = (await anna.get("/v1/tickets/t1/timeline", params={"limit": 200})).json()["items"]
    told = [event["type"] for event in timeline]
    assert told[0] == "ticket.opened"
    assert {
        "message.received",
        "offer.made",
        "offer.accepted",
        "ticket.assigned",
        "ticket.replied",
        "ticket.resolved",
    } <= set(told)


async def test_a_late_accept_names_the_holder(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    await routing.customer_writes("t1")
    offer = await next_offer(anna)
    boris = await routing.sign_in("boris")
    assert (await boris.post(f"/v1/offers/{offer['id']}/accept")).status_code == 403
    rejected = await anna.post(f"/v1/offers/{offer['id']}/reject", json={"reason": "lunch"})
    assert rejected.json()["state"] == "rejected"
    taken = await next_offer(boris)
    await boris.post(f"/v1/offers/{taken['id']}/accept")
    late = await anna.post(f"/v1/offers/{offer['id']}/accept")
    assert (late.status_code, late.json()["type"], late.json()["holder"]) == (409, "/problems/offer-gone", "boris")


async def test_only_the_holder_replies_and_everybody_takes_notes(routing: RoutingService) -> None:
    anna, boris = await routing.sign_in("anna"), await routing.as_("agent", "boris")
    await accepted(routing, anna)
    public = await boris.post("/v1/tickets/t1/messages", json={"text": "Hi", "public": True})
    assert (public.status_code, public.json()["type"]) == (403, "/problems/not-holder")
    assert (await boris.post("/v1/tickets/t1/messages", json={"text": "Hi", "public": False})).status_code == 201


async def test_a_change_of_another_version_is_412_with_the_current_one(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    ticket = await accepted(routing, anna)
    pend = {"waiting_on": "customer"}
    answer = await anna.post("/v1/tickets/t1/pend", json=pend, headers={"If-Match": '"0"'})
    assert (answer.status_code, answer.headers["etag"]) == (412, f'"{ticket["version"]}"')
    answer = await anna.post("/v1/tickets/t1/pend", json=pend, headers={"If-Match": answer.headers["etag"]})
    assert (answer.status_code, answer.json()["state"]) == (200, "pending")


async def test_resolving_over_an_unseen_message_is_refused_with_it(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    seen = (await accepted(routing, anna))["last_message_id"]
    await routing.customer_writes("t1", "One more thing")
    await until(lambda: _is_new(anna, seen))
    answer = await anna.post("/v1/tickets/t1/resolve", json={"outcome": "solved", "last_message_id": seen})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/unseen-message")
    forced = {"outcome": "solved", "last_message_id": seen, "force": True}
    assert (await anna.post("/v1/tickets/t1/resolve", json=forced)).status_code == 200


async def _is_new(app: httpx.AsyncClient, seen: str) -> bool:
    return bool((await app.get("/v1/tickets/t1")).json()["last_message_id"] != seen)


async def test_a_key_makes_a_repeated_reply_one_message(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    await accepted(routing, anna)
    body, key = {"text": "Once", "public": True}, {"Idempotency-Key": "reply-1"}
    first = await anna.post("/v1/tickets/t1/messages", json=body, headers=key)
    again = await anna.post("/v1/tickets/t1/messages", json=body, headers=key)
    other = await anna.post("/v1/tickets/t1/messages", json=body | {"text": "Twice"}, headers=key)
    assert "idempotency-replayed" not in first.headers
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (201, first.json(), "true")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    messages = (await anna.get("/v1/tickets/t1/messages")).json()["items"]
    assert [message["text"] for message in messages if message["direction"] == "out"] == ["Once"]


async def test_a_bare_renewal_keeps_the_lease_and_is_bundled(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    before = (await anna.get("/v1/me")).json()["sessions"][0]["lease_until"]
    outcomes = await routing.process.pool.fetchval("SELECT count(*) FROM outcome")
    renewed = await anna.put("/v1/me/presence", json={"session": "s1", "lease_seconds": 900})
    assert (renewed.status_code, renewed.json()["state"]) == (200, "available")

    async def later() -> bool:
        return bool((await anna.get("/v1/me")).json()["sessions"][0]["lease_until"] > before)

    await until(later)
    assert await routing.process.pool.fetchval("SELECT count(*) FROM outcome") == outcomes
    ended = await anna.delete("/v1/me/sessions/s1")
    assert (ended.status_code, ended.json()["state"]) == (200, "offline")


async def test_a_supervisor_holds_an_agents_state(routing: RoutingService) -> None:
    anna, boss = await routing.sign_in("anna"), await routing.as_("supervisor", "boss")
    held = await boss.put("/v1/agents/anna/presence", json={"state": "away", "reason": "training", "hold": True})
    assert (held.json()["state"], held.json()["set_by"]) == ("away", "supervisor")
    answer = await anna.put("/v1/me/presence", json={"session": "s1", "lease_seconds": 60, "state": "available"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/presence-held")
    assert (await boss.get("/v1/agents/anna")).json()["held"] is True
    assert [agent["agent"] for agent in (await boss.get("/v1/agents")).json()["items"]] == ["anna", "boris"]


async def test_queues_and_explanations_come_from_the_desk(routing: RoutingService) -> None:
    boss = await routing.as_("supervisor", "boss")
    await routing.customer_writes("t1")

    async def waiting() -> bool:
        return bool((await boss.get("/v1/queues/general")).json()["waiting"] == 1)

    await until(waiting)
    assert [queue["queue"] for queue in (await boss.get("/v1/queues")).json()["items"]] == ["general"]
    assert (await boss.get("/v1/queues/none")).status_code == 404
    explained = (await boss.get("/v1/tickets/t1/explain", params={"agent": "anna"})).json()
    assert explained["agent"]["failing"] == "not_available"


async def test_lists_page_filter_and_sort(routing: RoutingService) -> None:
    boss = await routing.as_("supervisor", "boss")
    for number in range(5):
        await routing.customer_writes(f"t{number}", subject=f"Case 10{number}%")

    async def all_there() -> bool:
        return len((await boss.get("/v1/tickets")).json()["items"]) == 5

    await until(all_there)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await boss.get("/v1/tickets", params={"limit": 2, "sort": "opened_at", **cursor})).json()
        seen += [ticket["id"] for ticket in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ["t0", "t1", "t2", "t3", "t4"]
    assert (await boss.get("/v1/tickets", params={"cursor": cursor["cursor"]})).status_code == 422

    async def found(**filters: str) -> list[str]:
        return [ticket["id"] for ticket in (await boss.get("/v1/tickets", params=filters)).json()["items"]]

    assert await found(q="103%") == ["t3"]
    assert await found(q="1_3") == []
    assert await found(state="queued,offered", queue="general", customer="customer of t2") == ["t2"]
    assert await found(agent="anna") == []
    assert (await boss.get("/v1/tickets", params={"state": "lost"})).status_code == 422
