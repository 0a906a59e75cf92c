"""Recomputes on real servers: asked for, watched, ended by whoever owns the lane."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pointsman.contracts.recomputing import recompute_job_id
from pointsman.testing.waiting import until
from pointsman_sla.job import STEP_TICKETS_MAX
from tests.integration.sla.conftest import Service, a_policy, first
from tests.integration.sla.test_api import app, client_of

pytestmark = pytest.mark.stack

__all__ = ["app"]


async def job_of(client: Any, id: str) -> dict[str, Any]:
    """The job when it is done."""

    async def done() -> Any:
        answer = (await client.get(f"/v1/jobs/{id}")).json()
        return answer if answer["state"] == "done" else None

    found: dict[str, Any] = await first(done)
    return found


async def test_open_tickets_get_the_newest_version_and_the_job_says_what_came_of_it(service: Service, app: Any) -> None:
    await service.configure(a_policy(3600))
    at = datetime.now(UTC) - timedelta(minutes=10)
    await service.open("tkt_1", at)
    await service.open("tkt_2", at)
    await service.reply("tkt_2", at)
    await service.fact("clock.met")
    await service.configure(a_policy(60), version=2)
    await service.row("SELECT 1 FROM config_version WHERE version = 2")
    async with client_of(app, "admin") as admin:
        asked = await admin.post("/v1/recompute", json={"dry_run": True})
        assert asked.status_code == 202
        dry = await job_of(admin, asked.json()["job_id"])
        assert (dry["dry_run"], dry["gained"], dry["lost"]) == (True, 1, 0)
        assert [clock["ticket_id"] for clock in dry["gained_clocks"]] == ["tkt_1"]
        assert await service.facts("clock.restated") == []
        asked = await admin.post("/v1/recompute", json={"policies": ["standard"], "reason": "a new contract"})
        job = await job_of(admin, asked.json()["job_id"])
        assert (job["restated"], job["gained"], job["config_version"]) == (1, 1, 2)
        assert (job["progress"], job["done"], job["reason"]) == (1.0, 2, "a new contract")
        breach = await service.fact("clock.breached")
        assert (breach["ticket_id"], breach["retargeted"]) == ("tkt_1", True)
        told = await service.fact("clocks.recomputed")
        assert (told["job_id"], told["by"], told["config_version"]) == (
            job["job_id"],
            {"kind": "admin", "id": "sue"},
            2,
        )
        clock = (await admin.get("/v1/tickets/tkt_1/clocks")).json()["items"][0]
        assert (clock["restated"], clock["config_version"], clock["target_seconds"]) == (True, 2, 60)


async def test_what_cannot_be_asked_is_refused_with_its_place(service: Service, app: Any) -> None:
    await service.configure(a_policy(3600))
    await service.row("SELECT 1 FROM config_version")
    async with client_of(app, "admin") as admin:
        wrong = await admin.post("/v1/recompute", json={"policies": ["gold"]})
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/policies/0")
        unknown = await admin.post("/v1/recompute", json={"tickets": ["tkt_1"]})
        assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/tickets")
        assert (await admin.get("/v1/jobs/job_none")).status_code == 404
    async with client_of(app, "supervisor") as supervisor:
        assert (await supervisor.post("/v1/recompute", json={})).status_code == 403
    assert await service.pool.fetchval("SELECT count(*) FROM job") == 0


async def test_another_worker_goes_on_where_one_ended(service: Service) -> None:
    count = STEP_TICKETS_MAX + 20
    async with service.worker():
        await service.configure(a_policy(3600))
        for number in range(count):
            await service.open(f"tkt_{number:04}")
        await until(lambda: _open(service, count))
        await service.configure(a_policy(7200), version=2)
        await service.row("SELECT 1 FROM config_version WHERE version = 2")
    async with service.pool.acquire() as db:
        await db.execute(
            "INSERT INTO job SELECT 'job_1', 'acme', lane, 2, '{\"kind\": \"admin\", \"id\": \"ada\"}', NULL, '[]', "
            "'[]', false, $1, 50, 1, 'tkt_0049', "
            '\'{"restated": 50, "started": 0, "cancelled": 0, "gained": 0, "lost": 0, "failed": 0}\', '
            "'[]', '[]', '[]', now(), now(), NULL FROM ticket LIMIT 1",
            count,
        )
    async with service.worker():
        done = await service.fact("clocks.recomputed")
    assert (done["tickets"], done["restated"]) == (count, count)
    restated = [fact["ticket_id"] for fact in await service.facts("clock.restated")]
    assert restated == [f"tkt_{number:04}" for number in range(50, count)], "each once, and none before the place"


async def test_a_version_applied_with_recompute_holds_for_open_tickets(service: Service) -> None:
    async with service.worker():
        await service.configure(a_policy(3600))
        await service.open("tkt_1")
        await service.fact("clock.started")
        await service.configure(a_policy(7200), version=2, open_clocks="recompute")
        done = await service.fact("clocks.recomputed")
        assert (done["restated"], done["by"]["id"]) == (1, "ada")
        applied = (await service.row("SELECT applied_at FROM config_version WHERE version = 2"))["applied_at"]
        assert done["job_id"] == recompute_job_id("acme", applied, 2), "as the desk told who applied it"
        timer = await service.row(
            "SELECT t.generation = c.generation AS same FROM timer t JOIN clock c USING (clock_id)"
        )
    assert timer["same"]


async def _open(service: Service, count: int) -> bool:
    return bool(await service.pool.fetchval("SELECT count(*) FROM ticket") == count)
