"""One action on many tickets over HTTP; more become a job."""

from typing import Any

import pytest

from pointsman.testing.waiting import until
from tests.integration.routing.service import RoutingService

pytestmark = pytest.mark.stack

SPAM: dict[str, Any] = {"resolve": {"outcome": "spam"}}


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def with_tickets(routing: RoutingService, count: int) -> Any:
    """A supervisor's client, and so many tickets that wait."""
    boss = await routing.as_("supervisor", "boss")
    for number in range(count):
        await routing.customer_writes(f"t{number:04}")

    async def there() -> bool:
        (queue,) = (await boss.get("/v1/queues")).json()["items"]
        return bool(queue["waiting"] == count)

    await until(there)
    return boss


async def test_many_tickets_at_once(routing: RoutingService) -> None:
    boss = await with_tickets(routing, 4)
    dry = await boss.post("/v1/tickets:bulk", json={"filter": {"state": "queued"}, "action": SPAM, "dry_run": True})
    assert (dry.status_code, dry.json()["total"], dry.json()["succeeded"]) == (200, 4, 4)
    assert (await boss.get("/v1/tickets/t0001")).json()["state"] == "queued"

    body = {"ids": ["t0001", "t0002", "t_none"], "action": SPAM}
    done = await boss.post("/v1/tickets:bulk", json=body, headers={"Idempotency-Key": "k"})
    again = await boss.post("/v1/tickets:bulk", json=body, headers={"Idempotency-Key": "k"})
    assert (done.status_code, done.json()) == (again.status_code, again.json())
    assert [(item["ticket_id"], item["status"]) for item in done.json()["items"]] == [
        ("t0001", 200),
        ("t0002", 200),
        ("t_none", 404),
    ]
    assert (await boss.get("/v1/tickets/t0001")).json()["outcome"] == "spam"
    late = {"filter": {"state": ["queued"]}, "action": {"assign": {"agent": "anna", "reason": "all hers"}}}
    assert (await boss.post("/v1/tickets:bulk", json=late)).json()["succeeded"] == 2
    closed = {"filter": {"agent": "anna"}, "action": {"label": {"tags": {"add": ["wave"]}}}}
    assert (await boss.post("/v1/tickets:bulk", json=closed)).json()["succeeded"] == 2
    assert len((await boss.get("/v1/tickets", params={"tag": "wave"})).json()["items"]) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"action": SPAM},
        {"ids": ["a"], "filter": {"queue": "general"}, "action": SPAM},
        {"ids": ["a"], "action": {}},
        {"ids": ["a"], "action": SPAM | {"requeue": {"reason": "x"}}},
        {"filter": {}, "action": SPAM},
        {"ids": [], "action": SPAM},
        {"ids": ["a"], "action": {"explode": {}}},
        {"ids": ["a"], "action": {"assign": {"agent": "anna"}}},
    ],
)
async def test_what_makes_no_sense_is_refused(routing: RoutingService, body: dict[str, Any]) -> None:
    boss = await routing.as_("supervisor", "boss")
    answer = await boss.post("/v1/tickets:bulk", json=body)
    assert problem(answer) == (422, "invalid-request"), answer.text
    assert answer.json()["errors"]


async def test_agents_may_not(routing: RoutingService) -> None:
    anna = await routing.as_("agent", "anna")
    assert problem(await anna.post("/v1/tickets:bulk", json={"ids": ["a"], "action": SPAM})) == (403, "wrong-role")
    boss = await routing.as_("supervisor", "boss")
    assert problem(await boss.get("/v1/jobs/job_none")) == (404, "not-found")


async def test_more_than_two_hundred_are_a_job(routing: RoutingService) -> None:
    boss = await with_tickets(routing, 230)
    begun = await boss.post("/v1/tickets:bulk", json={"filter": {"queue": "general"}, "action": SPAM})
    assert begun.status_code == 202, begun.text
    job = begun.json()["job_id"]

    async def done() -> Any:
        shown = (await boss.get(f"/v1/jobs/{job}")).json()
        return shown if shown["state"] == "done" else None

    shown = await until(done)
    assert (shown["total"], shown["succeeded"], shown["failed"], shown["progress"]) == (230, 230, 0, 1.0)
    assert shown["finished_at"] is not None
    other = await routing.as_("supervisor", "boss", "other")
    assert problem(await other.get(f"/v1/jobs/{job}")) == (404, "not-found")
