"""Eight agents at once, two workers of which one ends in the middle: who has what is what the log says, never twice,
never above capacity but by a supervisor's override. `POINTSMAN_RACE_TICKETS=100000` for the long form."""

import asyncio
import os
import random
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import httpx
import orjson
import pytest

from pointsman.cli.chaos.evidence import Fact, Snapshot
from pointsman.cli.chaos.findings import Findings
from pointsman.cli.chaos.verify_desk import verify_desk
from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, REQUESTS, SLA
from pointsman.core.instant import after, rfc3339
from pointsman.runtime.worker import Worker
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_routing.worker import DeskLane
from tests.integration.routing.service import RoutingService, a_routing_service

TICKETS = int(os.environ.get("POINTSMAN_RACE_TICKETS", "120"))
pytestmark = [pytest.mark.stack, pytest.mark.timeout(max(240, TICKETS))]

AGENTS = [f"agent-{number}" for number in range(8)]
CAPACITY = 12
"""Each app does all it has at once: what races is what many calls at once do to one desk."""
DOCUMENT: dict[str, Any] = {
    "workspace": "acme",
    "channels": {"chat": {"weight": 1}},
    "connectors": {"site-chat": {"channel": "chat", "kind": "json"}},
    "queues": {"general": {"pull": True, "offer": {"timeout_seconds": 20, "retry_seconds": 1}}, "late": {"pull": True}},
    "agents": {agent: {"capacity": CAPACITY} for agent in AGENTS},
    "presence": {"on_expire": "away"},
}
EXPECTED = frozenset({200, 201, 202, 403, 404, 409, 412})
RENEWED_EVERY_SECONDS = 1.0
AHEAD_MAX = 200
"""Customers write as agents resolve: a race is for the same few tickets, not a queue of a hundred thousand."""
RESOLVED_BETWEEN = 4
OPEN = "queued,offered,assigned,pending,snoozed"


class App:
    """An agent's app that does a little of everything until there is nothing left to do."""

    def __init__(self, agent: str, client: httpx.AsyncClient, seen: Counter[str], done: asyncio.Event) -> None:
        self._agent, self._client, self.seen, self._done = agent, client, seen, done
        self._random = random.Random(agent)
        self._renewed_at = -RENEWED_EVERY_SECONDS

    async def ask(self, path: str, body: Any = None) -> Any:
        """A call that is repeated until it was certainly decided."""
        key = {"Idempotency-Key": f"{self._agent}-{self._random.getrandbits(64)}"}
        while True:
            answer = await self._client.post(f"/v1{path}", json=body, headers=key)
            if answer.status_code != 503 and "still-running" not in answer.text:
                break
            await passed(float(answer.headers.get("Retry-After", 0.1)), self._done)
        assert answer.status_code in EXPECTED, (path, answer.text)
        self.seen[f"{path.rpartition('/')[2]} {answer.status_code}"] += 1
        return answer

    async def work(self) -> None:
        idle = False
        while not self._done.is_set():
            await self._renew()
            offers = await self._found("/v1/me/offers", wait=int(idle))
            await asyncio.gather(*(self._consider(offer["id"]) for offer in offers))
            assigned = [ticket for ticket in await self._found("/v1/me/assignments") if ticket["state"] == "assigned"]
            await asyncio.gather(*(self._serve(ticket["id"]) for ticket in assigned))
            idle = not offers and not assigned
            if idle and self._random.random() < 0.3:
                await self._help_themselves()

    async def _found(self, path: str, **asked: Any) -> list[Any]:
        found: list[Any] = (await self._client.get(path, params=asked)).json().get("items", [])
        return found

    async def _renew(self) -> None:
        """Says once a second that the agent is here: a handover sends them away."""
        if time.monotonic() >= self._renewed_at + RENEWED_EVERY_SECONDS:
            presence = {"session": "app", "lease_seconds": 300, "state": "available"}
            if (await self._client.put("/v1/me/presence", json=presence)).status_code == 200:
                self._renewed_at = time.monotonic()

    async def _consider(self, offer: str) -> None:
        if self._random.random() < 0.1:
            await self.ask(f"/offers/{offer}/reject", {"reason": "busy"})
        else:
            await asyncio.gather(*(self.ask(f"/offers/{offer}/accept") for _ in range(self._random.choice((1, 1, 2)))))

    async def _serve(self, ticket: str) -> None:
        chance = self._random.random()
        if chance < 0.1:
            to: dict[str, Any] = {"queue": self._random.choice(("general", "late"))}
            await self.ask(f"/tickets/{ticket}/transfer", {"to": to, "reason": "not mine"})
        elif chance < 0.2:
            to = {"agent": self._random.choice(AGENTS)}
            self.seen["sent"] += 1
            body = {"to": to, "reason": "theirs", "wait_seconds": 1}
            if to["agent"] != self._agent:
                await self.ask(f"/tickets/{ticket}/transfer", body)
        elif chance < 0.3:
            until = rfc3339(after(datetime.now(UTC), 2.0))
            answer = await self._client.post(f"/v1/tickets/{ticket}/snooze", json={"until": until})
            assert answer.status_code in EXPECTED | {422, 503}, answer.text
        elif chance < 0.33:
            await self.ask("/me/handover", {"reason": "a break"})
        else:
            await self.ask(f"/tickets/{ticket}/messages", {"text": "Done.", "public": True})
            await self.ask(f"/tickets/{ticket}/resolve", {"outcome": "solved", "wrap_up_seconds": 0})

    async def _help_themselves(self) -> None:
        for ticket in await self._found("/v1/tickets", state="queued", limit=1):
            await self.ask(f"/tickets/{ticket['id']}/take")


async def passed(seconds: float, done: asyncio.Event) -> None:
    """Waits so long, unless all is done before."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await done.wait()


async def supervise(boss: App, client: httpx.AsyncClient, done: asyncio.Event) -> None:
    """Assigns, above capacity too, and empties hands, once for every few tickets that are resolved."""
    chance = random.Random("boss")
    resolved = 0
    while not done.is_set():
        for _ in range(20):  # looks on as well when nothing is resolved for a second
            await passed(0.05, done)
            if boss.seen["resolve 200"] >= resolved + RESOLVED_BETWEEN:
                break
        resolved = boss.seen["resolve 200"]
        agent = chance.choice(AGENTS)
        found = (await client.get("/v1/tickets", params={"state": OPEN, "limit": 20})).json().get("items", [])
        if found:
            body = {"agent": agent, "reason": "I say so", "override": chance.random() < 0.5}
            await boss.ask(f"/tickets/{chance.choice(found)['id']}/assign", body)
        if chance.random() < 0.2:
            await boss.ask(f"/agents/{agent}/requeue", {"reason": "they left"})


async def test_nobody_gets_what_another_has(installation: Installation, tmp_path: Path) -> None:
    async with a_routing_service(installation, tmp_path, works=False) as routing, AsyncExitStack() as second:
        first = await second.enter_async_context(AsyncExitStack())
        for stack in (first, second):
            await stack.enter_async_context(a_worker(routing))
        await routing.open_workspace(DOCUMENT)
        seen: Counter[str] = Counter()
        done = asyncio.Event()
        supervisor = await routing.as_("supervisor", "boss")
        boss = App("boss", supervisor, seen, done)
        async with asyncio.TaskGroup() as everybody:
            for agent in AGENTS:
                everybody.create_task(App(agent, await routing.as_("agent", agent), seen, done).work())
            everybody.create_task(supervise(boss, supervisor, done))
            for number in range(TICKETS):
                await until(partial(few_wait, number, seen), within_seconds=60.0)
                await routing.customer_writes(f"t{number:06}")
                if number == TICKETS // 2:
                    await first.aclose()
            await until(lambda: seen["resolve 200"] >= TICKETS, within_seconds=max(200.0, TICKETS))
            await until(lambda: all_done(supervisor))
            done.set()
        findings = Findings()
        verify_desk(await what_was_said(installation), findings)
    assert findings.counts == {}, findings.examples
    for what in ("accept 200", "reject 200", "transfer 200", "handover 200", "resolve 200", "assign 200"):
        assert seen[what], f"nothing was {what}: {seen}"


def a_worker(routing: RoutingService) -> Worker:
    return Worker(
        routing.settings, service="routing", reads=(REQUESTS, COMMANDS, SLA), writes=DESK, logic=DeskLane(), codec=codec
    )


def few_wait(written: int, seen: Counter[str]) -> bool:
    return written - seen["resolve 200"] < AHEAD_MAX


async def all_done(client: httpx.AsyncClient) -> bool:
    """Whether every ticket is there and none is open."""
    open_ones = (await client.get("/v1/tickets", params={"state": OPEN, "limit": 1})).json()["items"]
    last = await client.get(f"/v1/tickets/t{TICKETS - 1:06}")
    return not open_ones and last.status_code == 200


async def what_was_said(installation: Installation) -> Snapshot:
    """The desk's log, and its tables at the end."""
    db = await asyncpg.connect(installation.dsn)
    rows = await db.fetch("SELECT *, body::text AS said FROM routing.fact ORDER BY partition, number")
    facts = [
        Fact(
            row["source"], row["partition"], row["number"], place, row["at"], row["made_at"], row["workspace"],
            row["subject"], row["cause"], body["type"], body,
        )
        for row in rows
        for place, body in enumerate(orjson.loads(row["said"])["facts"])
    ]  # fmt: skip
    tickets = await db.fetch("SELECT workspace, id, state, agent FROM routing.ticket")
    agents = await db.fetch("SELECT workspace, agent, state, load, capacity FROM routing.agent")
    await db.close()
    return cast(Snapshot, SimpleNamespace(desk=facts, routing_tickets=tickets, routing_agents=agents))
