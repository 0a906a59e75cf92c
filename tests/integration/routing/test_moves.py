"""Who gets a ticket by a person's word, over HTTP: snoozes, transfers, takes, assignments, handovers."""

from typing import Any

import pytest

from pointsman.testing.waiting import until
from tests.integration.routing.service import DOCUMENT, RoutingService, next_offer

pytestmark = pytest.mark.stack

TWO = DOCUMENT | {
    "skills": ["refunds"],
    "channels": {"chat": {"weight": 1}},
    "queues": {"general": {}, "late": {"pull": True}},
    "agents": {
        "anna": {"name": "Anna", "capacity": 2, "queues": ["general"]},
        "boris": {"name": "Boris", "capacity": 1, "skills": {"refunds": 5}},
    },
}


async def held(routing: RoutingService, app: Any, ticket: str) -> dict[str, Any]:
    """A ticket that the app's agent has accepted."""
    await routing.customer_writes(ticket)
    offer = await next_offer(app)
    answer = await app.post(f"/v1/offers/{offer['id']}/accept")
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["ticket"])


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def reconfigure(routing: RoutingService, document: dict[str, Any]) -> None:
    operator = await routing.as_("operator", "root", "*")
    answer = await operator.put("/v1/config", json=document, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text


async def test_a_day_of_moving_tickets(routing: RoutingService) -> None:
    await reconfigure(routing, TWO)
    anna, boss = await routing.sign_in("anna"), await routing.as_("supervisor", "boss")
    await held(routing, anna, "t1")

    past = await anna.post("/v1/tickets/t1/snooze", json={"until": "2020-01-01T00:00:00Z"})
    assert problem(past) == (422, "invalid")
    assert past.json()["errors"][0]["pointer"] == "/until"
    snoozed = await anna.post("/v1/tickets/t1/snooze", json={"until": "2100-01-01T00:00:00Z"})
    assert (snoozed.status_code, snoozed.json()["state"], snoozed.json()["waiting_on"]) == (200, "snoozed", None)
    assert [ticket["state"] for ticket in (await anna.get("/v1/me/assignments")).json()["items"]] == ["snoozed"]
    await routing.customer_writes("t1")

    async def woken() -> bool:
        return bool((await anna.get("/v1/tickets/t1")).json()["state"] == "assigned")

    await until(woken)

    to_boris = {"to": {"agent": "boris"}, "reason": "he knows refunds"}
    assert problem(await anna.post("/v1/tickets/t1/transfer", json=to_boris)) == (409, "no-room")
    waiting = await anna.post("/v1/tickets/t1/transfer", json=to_boris | {"wait_seconds": 600})
    assert (waiting.status_code, waiting.json()["state"], waiting.json()["agent"]) == (200, "queued", None)
    boris = await routing.sign_in("boris")
    (given,) = (await boris.get("/v1/me/assignments")).json()["items"]
    assert (given["id"], given["agent"]) == ("t1", "boris")

    wrong = await boris.post("/v1/tickets/t1/transfer", json={"to": {"queue": "nowhere"}, "reason": "?"})
    assert (problem(wrong), wrong.json()["errors"][0]["pointer"]) == ((422, "invalid"), "/to/queue")
    two = await boris.post("/v1/tickets/t1/transfer", json={"to": {"queue": "late", "agent": "anna"}, "reason": "?"})
    assert problem(two) == (422, "invalid-request")

    any_level = {"to": {"skills": ["refunds"]}, "reason": "?", "wait_seconds": 0}
    unclear = await boris.post("/v1/tickets/t1/transfer", json=any_level)
    assert [error["pointer"] for error in unclear.json()["errors"]] == ["/wait_seconds"], "names alone are skills"

    await held(routing, anna, "t2")
    full = await boss.post("/v1/tickets/t2/assign", json={"agent": "boris", "reason": "he is better"})
    assert problem(full) == (409, "no-room")
    silent = await boss.post("/v1/tickets/t2/assign", json={"agent": "boris", "override": True})
    assert problem(silent) == (422, "invalid-request")
    over = {"agent": "boris", "override": True, "reason": "he is better"}
    assert (await boss.post("/v1/tickets/t2/assign", json=over)).json()["agent"] == "boris"
    assert problem(await anna.post("/v1/tickets/t2/assign", json=over)) == (403, "wrong-role")
    shown = (await boss.get("/v1/agents/boris")).json()
    assert (shown["load"], shown["capacity"], shown["occupancy"], shown["handle_seconds"]) == (2, 1, 2.0, None)
    told = (await boss.get("/v1/tickets/t2/timeline")).json()["items"]
    assigned = [event["data"] for event in told if event["type"] == "ticket.assigned"][-1]
    assert (assigned["override"], assigned["by"]["id"], assigned["reason"]) == (True, "boss", "he is better")

    back = await boss.post(
        "/v1/agents/boris/requeue", json={"ticket_ids": ["t2"], "to": "late", "reason": "shift ends"}
    )
    assert [(item["ticket_id"], item["queue"]) for item in back.json()["items"]] == [("t2", "late")]
    given_back = await boris.post("/v1/me/handover", json={"reason": "shift ends"})
    assert [item["ticket_id"] for item in given_back.json()["items"]] == ["t1"]
    assert problem(await boris.post("/v1/me/handover", json={"ticket_ids": ["t1"], "reason": "?"})) == (
        409,
        "not-holder",
    )

    assert problem(await anna.post("/v1/tickets/t2/take")) == (403, "not-eligible")
    assert problem(await boris.post("/v1/tickets/t1/take")) == (403, "no-pull")
    taken = await boris.post("/v1/tickets/t2/take")
    assert (taken.status_code, taken.json()["agent"], taken.json()["queue"]) == (200, "boris", "late")
    done = await boris.post("/v1/tickets/t2/resolve", json={"outcome": "solved", "wrap_up_seconds": 0})
    assert done.status_code == 200, done.text
    assert (await boss.get("/v1/agents/boris")).json()["handle_seconds"] >= 0


async def test_an_agent_starts_a_ticket(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    body: dict[str, Any] = {"connector": "site-chat", "text": "Your order is late.", "public": True}
    nobody = await anna.post("/v1/tickets", json=body | {"customer": {"name": "Ada"}})
    assert problem(nobody) == (422, "invalid-request")
    wrong = await anna.post("/v1/tickets", json=body | {"customer": {"email": "ada@a.example"}, "connector": "fax"})
    assert (problem(wrong), wrong.json()["errors"][0]["pointer"]) == ((422, "invalid"), "/connector")
    started = await anna.post("/v1/tickets", json=body | {"customer": {"email": "ada@a.example"}, "subject": "Late"})
    assert (started.status_code, started.json()["state"], started.json()["agent"]) == (201, "assigned", "anna")
    ticket = started.json()["id"]
    (message,) = (await anna.get(f"/v1/tickets/{ticket}/messages")).json()["items"]
    assert (message["direction"], message["delivery"], message["author"]["id"]) == ("out", "queued", "anna")
    by_id = await anna.post("/v1/tickets", json=body | {"customer": "cus_ada"})
    assert (by_id.status_code, by_id.json()["customer"]["id"]) == (201, "cus_ada")
    boss = await routing.as_("supervisor", "boss")
    assert problem(await boss.post("/v1/tickets", json=body | {"customer": {"id": "cus_1"}})) == (403, "not-eligible")


async def test_a_repeat_with_the_same_key_moves_nothing_twice(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    await held(routing, anna, "t1")
    boris = await routing.sign_in("boris")
    body, key = {"to": {"agent": "boris"}, "reason": "lunch"}, {"Idempotency-Key": "k1"}
    first = await anna.post("/v1/tickets/t1/transfer", json=body, headers=key)
    second = await anna.post("/v1/tickets/t1/transfer", json=body, headers=key)
    assert (first.status_code, second.status_code, second.headers["idempotency-replayed"]) == (200, 200, "true")
    assert [ticket["id"] for ticket in (await boris.get("/v1/me/assignments")).json()["items"]] == ["t1"]
