"""Rule 16 through HTTP: why this agent, why not that one as they stood then, and what would free what waits."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pointsman.contracts.requests import CustomerSeen
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.routing.service import RoutingService, a_routing_service, next_offer

DOCUMENT: dict[str, Any] = {
    "workspace": "acme",
    "skills": ["billing"],
    "connectors": {"site-chat": {"channel": "chat", "kind": "json", "hints": True}},
    "channels": {"chat": {"weight": 1, "affinity_seconds": 600}},
    "classify": {"categories": {"refund": {"queue": "general", "requires": {"billing": 5}}}},
    "queues": {"general": {"relax": [{"after_seconds": 3600, "lower": {"billing": 1}}]}},
    "agents": {
        "anna": {"name": "Anna", "capacity": 1},
        "boris": {"name": "Boris", "capacity": 1},
        "carla": {"name": "Carla", "capacity": 1, "skills": {"billing": 3}},
    },
}


@pytest.fixture
async def routing(installation: Installation, tmp_path: Path) -> AsyncIterator[RoutingService]:
    async with a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace(DOCUMENT)
        yield routing


async def explained(boss: httpx.AsyncClient, ticket: str, **params: str) -> dict[str, Any]:
    answer = await boss.get(f"/v1/tickets/{ticket}/explain", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def seen(boss: httpx.AsyncClient, ticket: str, state: str) -> None:
    async def there() -> bool:
        answer = await boss.get(f"/v1/tickets/{ticket}")
        return answer.status_code == 200 and answer.json()["state"] == state

    await until(there)


async def test_why_not_that_agent_is_told_from_how_they_stood_then(routing: RoutingService) -> None:
    boss = await routing.as_("supervisor", "boss")
    anna = await routing.sign_in("anna")
    await routing.customer_writes("t1")
    first = await next_offer(anna)
    assert (await anna.post(f"/v1/offers/{first['id']}/accept")).status_code == 200
    boris = await routing.sign_in("boris")
    await routing.customer_writes("t2")
    second = await next_offer(boris)
    assert (await boris.post(f"/v1/offers/{second['id']}/accept")).status_code == 200
    assert (await anna.post("/v1/tickets/t1/resolve", json={"outcome": "solved", "force": True})).status_code == 200
    answer = await explained(boss, "t2", agent="anna")
    assert answer["decided"]["agent"] == "boris"
    assert (answer["agent"]["failing"], answer["agent"]["load"]) == ("no_room", 1)
    assert answer["agent"]["sentence"].startswith("Anna has room for 0 units of chat")


async def test_what_would_free_a_waiting_ticket(routing: RoutingService) -> None:
    boss = await routing.as_("supervisor", "boss")
    await routing.sign_in("carla")
    await routing.customer_writes("t1", hints={"category": "refund", "requires": {"billing": 5}})
    await seen(boss, "t1", "queued")
    answer = await explained(boss, "t1")
    changes = {change["change"]: change for change in answer["frees"]}
    assert changes["waiting"]["agent"] == "carla"
    assert (changes["skill"]["agent"], changes["skill"]["level"]) == ("carla", 5)
    assert answer["sentence"].endswith(changes["waiting"]["sentence"])


async def test_the_customers_last_agent_is_preferred_by_what_the_tables_say(routing: RoutingService) -> None:
    """Anna is idle for longer, but Boris dealt with the customer."""
    boss = await routing.as_("supervisor", "boss")
    boris = await routing.sign_in("boris")
    known = CustomerSeen(id="cus_1")
    await routing.customer_writes("t1", customer=known)
    offer = await next_offer(boris)
    assert (await boris.post(f"/v1/offers/{offer['id']}/accept")).status_code == 200
    await routing.sign_in("anna")
    closed = {"outcome": "solved", "force": True, "wrap_up_seconds": 0}
    assert (await boris.post("/v1/tickets/t1/resolve", json=closed)).status_code == 200
    await routing.customer_writes("t2", customer=known)
    await seen(boss, "t2", "offered")
    answer = await explained(boss, "t2")
    assert (answer["decided"]["agent"], answer["decided"]["why"]["by"]) == ("boris", "affinity")
