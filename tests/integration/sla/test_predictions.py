"""`GET /due` with how likely each clock is to breach: through the log, the tables and HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pointsman.contracts.desk import TicketAssigned, TicketResolved
from pointsman.contracts.shapes import SYSTEM
from pointsman.contracts.workspace import PresenceChanged
from pointsman.core.instant import Instant
from pointsman_sla.api import create
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key
from tests.integration.sla.conftest import Service, a_policy, first

pytestmark = pytest.mark.stack


@pytest.fixture
async def app(service: Service, tmp_path: Path) -> AsyncIterator[Any]:
    """Sla's application in this process, and its worker beside it."""
    settings = with_key(service.installation.settings, tmp_path)
    async with service.worker(), a_process(settings, "sla") as process:
        yield create(process)


async def assign(service: Service, ticket: str, at: Instant, agent: str = "anna") -> None:
    fact = TicketAssigned(ticket_id=ticket, agent=agent, queue="general", weight=1, by=SYSTEM)
    await service.tell(ticket, fact, at=at)


async def due(service: Service, app: Any, count: int) -> dict[str, Any]:
    """What is due by ticket, once there are so many running clocks."""
    running = "SELECT 1 FROM clock WHERE state = 'running' AND breached_at IS NULL HAVING count(*) = $1"
    await service.row(running, count)
    async with a_client(app, bearer(a_token(app.state.process.settings, "agent"))) as client:
        items = (await client.get("/v1/due")).json()["items"]
    assert all(0 <= item["breach_probability"] <= 1 for item in items)
    return {item["ticket_id"]: item for item in items}


async def test_a_fresh_workspace_has_probabilities_from_the_prior(service: Service, app: Any) -> None:
    await service.configure(a_policy(3600))
    await service.open("tkt_1")
    found = (await due(service, app, 1))["tkt_1"]
    assert found["because"]["cold"] is True
    assert (found["because"]["standing"], found["because"]["position"]) == ("waiting", 1)
    assert (found["because"]["agents"], found["because"]["in_hand"]) == (0, 0)
    assert found["because"]["left_seconds"] == pytest.approx(3600, abs=120)
    assert 0 < found["breach_probability"] < 0.9


async def test_what_was_seen_and_who_is_there_say_how_likely_a_breach_is(service: Service, app: Any) -> None:
    """Thirty tickets took ten minutes each; then three wait for one agent, who holds a fourth."""
    now = datetime.now(UTC)
    await service.configure(a_policy(3600), queues={"general": {"order": "fifo"}})
    for number in range(30):
        ticket, at = f"old_{number}", now - timedelta(hours=3)
        await service.open(ticket, at)
        await assign(service, ticket, at + timedelta(minutes=1))
        await service.reply(ticket, at + timedelta(minutes=11))
        solved = TicketResolved(ticket_id=ticket, outcome="solved", by=SYSTEM)
        await service.tell(ticket, solved, at=at + timedelta(minutes=11))
    await service.open("tkt_held", now - timedelta(minutes=2))
    await assign(service, "tkt_held", now - timedelta(minutes=1))
    for number in range(3):
        await service.open(f"tkt_{number}", now - timedelta(minutes=40 - number))
    found = await due(service, app, 4)
    waiting = [found[f"tkt_{number}"] for number in range(3)]
    assert [item["because"]["position"] for item in waiting] == [1, 2, 3]
    assert [item["because"]["position_of_priority"] for item in waiting] == [1, 2, 3]
    because = waiting[0]["because"]
    assert (because["agents"], because["idle"], because["in_hand"], because["cold"]) == (1, 0, 1, False)
    assert because["typical_handle_seconds"] == pytest.approx(600, rel=0.3)
    chances = [item["breach_probability"] for item in waiting]
    assert chances == sorted(chances)
    assert found["tkt_held"]["because"]["standing"] == "assigned"
    assert found["tkt_held"]["because"]["position"] is None
    assert found["tkt_held"]["breach_probability"] < chances[0]

    await service.tell("agent:anna", PresenceChanged(agent="anna", state="away", set_by="agent"))
    await first(lambda: service.pool.fetchval("SELECT true FROM agent_at_work WHERE NOT present"))
    assert (await due(service, app, 4))["tkt_0"]["because"]["agents"] == 0


async def test_a_restarted_worker_goes_on_with_what_was_noted(service: Service, app: Any) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    await service.configure(a_policy(36_000))
    for number in range(2):
        await service.open(f"tkt_{number}", at)
        await assign(service, f"tkt_{number}", at + timedelta(minutes=1))
    await service.reply("tkt_0", at + timedelta(minutes=6))
    await service.row("SELECT 1 FROM duration WHERE what = 'answer:first_response' AND weight = 1")
    await service.reply("tkt_1", at + timedelta(minutes=6))
    weight = await service.row("SELECT weight FROM duration WHERE what = 'answer:first_response' AND weight > 1.5")
    assert weight["weight"] == pytest.approx(2, abs=0.01)
