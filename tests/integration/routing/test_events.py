"""`GET /events`: one list of everything, in the order of commits, that any reader may leave and come back to."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from pointsman.contracts.shapes import Actor
from pointsman.contracts.sla import AlertAcknowledged, ClockBreached
from pointsman.testing.waiting import until
from tests.integration.routing.service import RoutingService

pytestmark = pytest.mark.stack


def a_breach(routing: RoutingService, ticket: str) -> ClockBreached:
    now = routing.process.clock.now()
    return ClockBreached(
        clock_id=f"clk_{ticket}",
        ticket_id=ticket,
        metric="first_response",
        cycle=1,
        policy="standard",
        queue="general",
        target_seconds=60,
        due_at=now - timedelta(seconds=1),
        breach_at=now,
        fired_at=now,
        lateness_seconds=0.0,
    )


async def read_all(listener: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    """Everything up to now, by pages of two decisions."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await listener.get("/v1/events", params={"limit": 2, **params, **cursor})).json()
        found += page["items"]
        if not page["items"]:
            return found
        cursor = {"after": page["cursor"]}


async def test_what_sla_said_has_its_place_among_our_own_events(routing: RoutingService) -> None:
    supervisor = await routing.as_("supervisor", "sue")
    await routing.customer_writes("t1")

    async def happened(type: str) -> Any:
        return (await supervisor.get("/v1/events", params={"type": type})).json()["items"]

    await until(lambda: happened("ticket.opened"))
    seen = (await supervisor.get("/v1/events")).json()
    waiting = asyncio.create_task(supervisor.get("/v1/events", params={"after": seen["cursor"], "wait": 20}))
    await routing.clock_says("t1", a_breach(routing, "t1"))
    heard = (await waiting).json()
    assert [(event["type"], event["source"], event["subject"]) for event in heard["items"]] == [
        ("clock.breached", "/sla/acme", "t1")
    ]
    by = Actor(kind="supervisor", id="sue")
    await routing.clock_says("alert:alr_1", AlertAcknowledged(alert_id="alr_1", by=by))
    await until(lambda: happened("alert.acknowledged"))
    await routing.customer_writes("t1", "Hello?")
    await until(lambda: happened("message.received"))
    await routing.sign_in("anna")
    everything = await read_all(supervisor)
    types = [event["type"] for event in everything]
    order = ("config.applied", "ticket.opened", "clock.breached", "alert.acknowledged", "agent.presence_changed")
    assert [types.index(type) for type in order] == sorted(types.index(type) for type in order)
    assert len({event["id"] for event in everything}) == len(everything)
    assert [event["subject"] for event in everything if event["type"] == "alert.acknowledged"] == ["alert:alr_1"]
    after = (await supervisor.get("/v1/events", params={"after": heard["cursor"]})).json()["items"]
    assert after == everything[types.index("clock.breached") + 1 :], "the same list for whoever comes back"
    both = await read_all(supervisor, type=["clock.breached", "ticket.opened"])
    assert [event["type"] for event in both] == ["ticket.opened", "clock.breached"]


async def test_a_connector_hears_only_of_the_tickets_that_it_brought(routing: RoutingService) -> None:
    connector = await routing.as_("connector", "site-chat")
    await routing.sign_in("anna")
    await routing.customer_writes("t1")
    await routing.customer_writes("t2", channel="email", connector="support-mail")
    for ticket in ("t1", "t2"):
        await routing.clock_says(ticket, a_breach(routing, ticket))
    supervisor = await routing.as_("supervisor", "sue")

    async def breached() -> bool:
        answer = await supervisor.get("/v1/events", params={"type": "clock.breached"})
        return len(answer.json()["items"]) == 2

    await until(breached)
    own = await read_all(connector)
    assert {event["subject"] for event in own} == {"t1"}
    assert {"ticket.opened", "offer.made", "clock.breached"} <= {event["type"] for event in own}


async def test_the_list_is_given_as_a_cloudevents_batch_too(routing: RoutingService) -> None:
    supervisor = await routing.as_("supervisor", "sue")
    media = "application/cloudevents-batch+json"
    answer = await supervisor.get("/v1/events", headers={"Accept": media})
    assert answer.headers["content-type"] == media
    assert answer.json()[0]["type"] == "config.applied"
    more = await supervisor.get("/v1/events", params={"after": answer.headers["pointsman-cursor"]})
    assert more.json()["items"] == []
    for cursor, status, code in (("what", 422, "invalid-cursor"), ("gone.5", 410, "cursor-too-old")):
        refused = await supervisor.get("/v1/events", params={"after": cursor})
        assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{code}")


async def test_a_cursor_before_what_was_dropped_is_too_old_also_when_nothing_is_left(routing: RoutingService) -> None:
    """With every day of facts dropped an old cursor went on at the newest event, as if nothing had been between."""
    supervisor = await routing.as_("supervisor", "sue")
    begun = (await supervisor.get("/v1/events", params={"limit": 1})).json()["cursor"]
    await routing.customer_writes("t1")

    async def opened() -> Any:
        return (await supervisor.get("/v1/events", params={"type": "ticket.opened"})).json()["items"]

    await until(opened)
    await routing.process.pool.execute("DELETE FROM fact")
    gone = await supervisor.get("/v1/events", params={"after": begun})
    assert (gone.status_code, gone.json()["type"]) == (410, "/problems/cursor-too-old")
    now = (await supervisor.get("/v1/events")).json()
    assert now["items"] == []
    await routing.customer_writes("t2")

    async def heard() -> Any:
        items = (await supervisor.get("/v1/events", params={"after": now["cursor"]})).json()["items"]
        return [event for event in items if event["type"] == "ticket.opened"]

    assert [event["subject"] for event in await until(heard)] == ["t2"]
    assert (await supervisor.get("/v1/events", params={"after": begun})).status_code == 410
