"""What a careless or unfriendly caller sends: a clear problem that says where, no change, and nothing lost."""

import asyncio
from typing import Any

import httpx
import pytest

from pointsman.testing.waiting import until
from tests.integration.routing.service import DOCUMENT, RoutingService, next_offer

pytestmark = pytest.mark.stack

PROBLEM = {"type", "title", "status", "detail", "instance"}


def refused(answer: httpx.Response, status: int, code: str, pointer: str | None = None) -> dict[str, Any]:
    """The problem document of an answer, which is the expected one."""
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document["type"]) == (status, f"/problems/{code}"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert document.keys() >= PROBLEM
    assert document["instance"] == answer.headers["x-request-id"]
    if pointer is not None:
        assert [error["pointer"] for error in document["errors"]] == [pointer]
        assert "None" not in document["errors"][0]["detail"]
    return document


async def test_an_accept_by_the_wrong_agent(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    boris = await routing.as_("agent", "boris")
    await routing.customer_writes("t1")
    offer = await next_offer(anna)
    refused(await boris.post(f"/v1/offers/{offer['id']}/accept"), 403, "not-offered-to-you")
    (still,) = (await anna.get("/v1/me/offers")).json()["items"]
    assert (still["id"], still["state"]) == (offer["id"], "pending")


async def test_an_accept_twice(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    await routing.customer_writes("t1")
    offer = await next_offer(anna)
    accepted = await anna.post(f"/v1/offers/{offer['id']}/accept")
    assert accepted.json().keys() == offer.keys()
    assert accepted.json()["ticket"].keys() == offer["ticket"].keys()
    problem = refused(await anna.post(f"/v1/offers/{offer['id']}/accept"), 409, "offer-gone")
    assert problem["holder"] == "anna"
    (held,) = (await anna.get("/v1/me/assignments")).json()["items"]
    assert held == accepted.json()["ticket"]


async def test_an_accept_after_expiry(routing: RoutingService) -> None:
    admin = await routing.as_("admin", "root")
    quick = {"order": "fifo", "offer": {"timeout_seconds": 1}}
    assert (await admin.put("/v1/config/queues/general", json=quick)).status_code == 200
    anna = await routing.sign_in("anna")
    await routing.customer_writes("t1")
    offer = await next_offer(anna)

    async def expired() -> bool:
        told = (await admin.get("/v1/tickets/t1/timeline")).json()["items"]
        return any(event["type"] == "offer.expired" for event in told)

    await until(expired)
    refused(await anna.post(f"/v1/offers/{offer['id']}/accept"), 409, "offer-gone")
    ticket = (await anna.get("/v1/tickets/t1")).json()
    assert ticket["agent"] is None
    assert ticket["state"] in ("queued", "offered")


async def test_words_about_a_held_ticket_that_cannot_be_meant(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    await routing.customer_writes("t1")
    await anna.post(f"/v1/offers/{(await next_offer(anna))['id']}/accept")
    before = await anna.get("/v1/tickets/t1")

    nowhere = {"to": {"queue": "nowhere"}, "reason": "?"}
    refused(await anna.post("/v1/tickets/t1/transfer", json=nowhere), 422, "invalid", "/to/queue")
    past = {"until": "2020-01-01T00:00:00Z"}
    refused(await anna.post("/v1/tickets/t1/snooze", json=past), 422, "invalid", "/until")
    solved = {"outcome": "solved"}
    stale = await anna.post("/v1/tickets/t1/resolve", json=solved, headers={"If-Match": '"1"'})
    refused(stale, 412, "version-mismatch")
    assert stale.headers["etag"] == before.headers["etag"]
    refused(await anna.post("/v1/tickets/t1/resolve", json=solved | {"outcom": "spam"}), 422, "invalid-request")

    after = await anna.get("/v1/tickets/t1")
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])


async def test_a_lease_of_a_year(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    before = (await anna.get("/v1/me")).json()["sessions"]
    year = {"session": "s1", "lease_seconds": 31_536_000}
    refused(await anna.put("/v1/me/presence", json=year), 422, "invalid-request", "/lease_seconds")
    assert (await anna.get("/v1/me")).json()["sessions"] == before


async def test_ten_thousand_skills(routing: RoutingService) -> None:
    supervisor, admin = await routing.as_("supervisor", "boss"), await routing.as_("admin", "root")
    skills = {f"s{number}": 5 for number in range(10_000)}
    anna = {"name": "Anna", "skills": skills}
    problem = refused(
        await supervisor.put("/v1/config/agents/anna", json=anna), 422, "invalid-document", "/agents/anna/skills"
    )
    assert problem["errors"][0]["detail"] == "at most 200 items; there are 10000"
    many = await admin.patch("/v1/config", json={"skills": [*skills]}, headers={"If-Match": '"1"'})
    refused(many, 422, "invalid-document", "/skills")
    assert (await admin.get("/v1/config")).json() == DOCUMENT


async def test_a_document_without_a_queue_in_which_tickets_wait(routing: RoutingService) -> None:
    admin = await routing.as_("admin", "root")
    await routing.customer_writes("t1")

    async def waits() -> bool:
        return (await admin.get("/v1/tickets/t1")).status_code == 200

    await until(waits)
    other = DOCUMENT | {"queues": {"late": {}}, "classify": {"otherwise": {"queue": "late"}}}
    answer = await admin.put("/v1/config", json=other, headers={"If-Match": '"1"'})
    refused(answer, 409, "holds-tickets", "/moves/queues/general")
    assert (await admin.get("/v1/config")).headers["etag"] == '"1"'
    ticket = (await admin.get("/v1/tickets/t1")).json()
    assert (ticket["state"], ticket["queue"]) == ("queued", "general")
    moves = {"moves": {"queues": {"general": "late"}}}
    assert (await admin.put("/v1/config", json=other | moves, headers={"If-Match": '"1"'})).status_code == 200
    moved = (await admin.get("/v1/tickets/t1")).json()
    assert (moved["state"], moved["queue"]) == ("queued", "late")


async def test_a_viewer_reads_what_a_supervisor_reads_and_changes_nothing(routing: RoutingService) -> None:
    viewer, boss = await routing.as_("viewer", "board"), await routing.as_("supervisor", "boss")
    anna = await routing.sign_in("anna")
    await routing.customer_writes("t1")
    await next_offer(anna)
    for path in ("queues", "queues/general", "agents", "agents/anna", "tickets", "tickets/t1", "tickets/t1/explain"):
        read, expected = await asyncio.gather(viewer.get(f"/v1/{path}"), boss.get(f"/v1/{path}"))
        assert (read.status_code, read.json()) == (200, expected.json()), path
    assert (await viewer.get("/v1/audit")).json()["ok"]
    close = await viewer.post("/v1/queues/general/close", json={"reason": "?"})
    refused(close, 403, "wrong-role")
