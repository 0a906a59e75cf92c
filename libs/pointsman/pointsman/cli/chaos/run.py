"""A whole run: a stack, load on it, rounds of faults, rest, and the verification."""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from pointsman.cli.chaos.agents import AgentApp
from pointsman.cli.chaos.calls import Apis
from pointsman.cli.chaos.document import CONNECTORS, agents, document_of, workspaces
from pointsman.cli.chaos.evidence import read_evidence, unsettled
from pointsman.cli.chaos.faults import Done, make, plan
from pointsman.cli.chaos.findings import Findings
from pointsman.cli.chaos.flood import BURST_SECONDS, Flood
from pointsman.cli.chaos.ledger import Ledger
from pointsman.cli.chaos.load import CustomerLoad
from pointsman.cli.chaos.stack import PARTITIONS, ChaosStack
from pointsman.cli.chaos.verify_alerts import verify_alerts
from pointsman.cli.chaos.verify_clocks import verify_clocks
from pointsman.cli.chaos.verify_desk import verify_desk
from pointsman.cli.chaos.verify_messages import verify_commands, verify_messages
from pointsman.cli.chaos.verify_records import (
    verify_dead_letters,
    verify_metrics,
    verify_numbers,
    verify_positions,
)
from pointsman.cli.config import wait_for_version
from pointsman.client.session import Session
from pointsman.core.ids import random_id
from pointsman.core.instant import EPOCH, after
from pointsman.runtime.auth import sign_token
from pointsman.runtime.issuer_keys import IssuerKeys

TOKEN_SECONDS = 6 * 3_600
SETTLE_SECONDS_MAX = 600.0
UNCHANGED_SECONDS_MAX = 40.0
SETTLE_LOOK_SECONDS = 0.5
AUDIT_SECONDS_MAX = 40.0
SHOWN_AT_ONCE_MAX = 8

NAMED = (
    "lost",
    "duplicated",
    "double_owned",
    "over_capacity",
    "missed_breaches",
    "duplicate_breaches",
    "false_breaches_standing",
)
"""The violations that the report names one by one; the others are in `other_violations`."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is. `messages_per_second` is per workspace."""

    rounds: int
    seed: int
    broker: str = "tansu"
    workspaces: int = 3
    messages_per_second: float = 2.5
    keep: bool = False


async def run_chaos(options: Options, announce: Callable[[str], None]) -> dict[str, Any]:
    """The report. Everything that was started has ended when it returns or raises; the folder with the logs stays
    only when something was violated, or with `keep`."""
    folder = Path(tempfile.mkdtemp(prefix="pointsman-chaos-"))
    began = time.monotonic()
    report: dict[str, Any] | None = None
    try:
        announce(f"starting a stack in {folder}")
        async with ChaosStack(folder, options.broker) as stack:
            report = await _Run(options, stack, announce).report()
        report["seconds"] = round(time.monotonic() - began, 1)
    finally:
        if report is not None and report["ok"] and not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            announce(f"the logs and the data stay in {folder}")
    return report


class _Run:
    """The parts of one run share these."""

    def __init__(self, options: Options, stack: ChaosStack, announce: Callable[[str], None]) -> None:
        self._options, self._stack, self._announce = options, stack, announce
        self._key = IssuerKeys.read(stack.key_file)
        self._ledger, self._findings, self._done = Ledger(), Findings(), Done()
        self._workspaces = workspaces(options.workspaces, PARTITIONS)
        self._flood = Flood(stack, self._ledger, self._workspaces, options.seed)

    def _token(self, role: str, workspace: str, sub: str) -> str:
        return sign_token(self._key, role, workspace, sub, TOKEN_SECONDS, random_id("tok", EPOCH))

    async def report(self) -> dict[str, Any]:
        await asyncio.gather(*(self._configure(workspace) for workspace in self._workspaces))
        async with Apis(self._stack.urls, self._ledger, self._options.seed) as apis, self._flood:
            await self._rounds_under_load(apis)
            shown = await self._shown(apis)
            await self._audit(apis)
        async with self._stack.database() as db:
            evidence = await read_evidence(db)
        verify_messages(self._ledger, evidence, shown, self._findings)
        verify_commands(self._ledger, evidence, self._findings)
        verify_desk(evidence, self._findings)
        verify_clocks(evidence, self._findings)
        verify_alerts(evidence, self._findings)
        await self._flood.verify(self._findings)
        verify_numbers(evidence, self._findings)
        verify_positions(evidence, self._findings)
        verify_metrics(evidence, self._findings)
        verify_dead_letters(evidence, self._findings)
        for error in self._ledger.server_errors:
            self._findings.add("server_errors", error)
        facts = {"requests": len(evidence.requests), "desk": len(evidence.desk), "sla": len(evidence.sla)}
        breached = sum(1 for fact in evidence.sla if fact.type == "clock.breached")
        corrected = sum(1 for fact in evidence.sla if fact.type == "clock.corrected")
        return self._summary(facts | {"clock.breached": breached, "clock.corrected": corrected})

    async def _configure(self, workspace: str) -> None:
        """Puts the document and waits until every service has it."""
        token = self._token("operator", "*", "chaos")
        async with Session(self._stack.urls[0], token, workspace=workspace, retry_seconds=30) as session:
            await session.call("PUT", "/routing/v1/config", json=document_of(workspace), headers={"If-None-Match": "*"})
            await wait_for_version(session, 1)

    async def _rounds_under_load(self, apis: Apis) -> None:
        stop, draining = asyncio.Event(), asyncio.Event()
        seed = self._options.seed
        customers = [
            CustomerLoad(
                apis,
                self._ledger,
                workspace,
                {connector: self._token("connector", workspace, connector) for connector in CONNECTORS},
                seed,
                self._options.messages_per_second,
            )
            for workspace in self._workspaces
        ]
        apps = [
            AgentApp(apis, self._ledger, workspace, agent, self._token("agent", workspace, agent), seed, draining)
            for workspace in self._workspaces
            for agent in agents()
        ]
        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(app.run()) for app in apps]
            posting = [tasks.create_task(each.run(stop)) for each in customers]
            await self._rounds()
            stop.set()
            self._announce("no more load: waiting until every message is acknowledged and every ticket is done")
            await asyncio.wait(posting)
            draining.set()
            await self._settle()
            for task in working:
                task.cancel()

    async def _rounds(self) -> None:
        for number, planned in enumerate(plan(self._options.rounds, self._options.seed), start=1):
            what = ", ".join(f"{fault.kind} {fault.target} {fault.seconds:.1f} s" for fault in planned.faults)
            self._announce(f"round {number}/{self._options.rounds}: {what} ({len(self._ledger.posted)} accepted)")
            alone = len(planned.faults) == 1
            faults = (make(self._stack, fault, self._done, alone=alone) for fault in planned.faults)
            first = min(fault.after_seconds for fault in planned.faults)
            await asyncio.gather(self._flood_around(first), *faults)
            await asyncio.gather(self._flood.look(), asyncio.sleep(planned.quiet_seconds))

    async def _flood_around(self, act_after_seconds: float) -> None:
        """The burst is at its middle when the act comes."""
        before_seconds = max(0.0, act_after_seconds - BURST_SECONDS / 2)
        ready, _ = await asyncio.gather(
            self._flood.prepare(after(datetime.now(UTC), before_seconds)), asyncio.sleep(before_seconds)
        )
        await self._flood.burst(ready)

    async def _settle(self) -> None:
        """Waits until twice in a row nothing is on its way. Gives up when nothing more changes, or after a bounded
        time: what is then left is `stuck`."""
        await self._flood.settle()
        ends = time.monotonic() + SETTLE_SECONDS_MAX
        gives_up = time.monotonic() + UNCHANGED_SECONDS_MAX
        quiet = 0
        left: list[str] = []
        while quiet < 2 and time.monotonic() < min(ends, gives_up):
            await asyncio.sleep(SETTLE_LOOK_SECONDS)
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                async with self._stack.database() as db:
                    now_left = await unsettled(db)
                if now_left != left:
                    gives_up = time.monotonic() + UNCHANGED_SECONDS_MAX
                left = now_left
                quiet = 0 if left else quiet + 1
        for what in left:
            self._findings.add("stuck", what)

    async def _shown(self, apis: Apis) -> dict[str, list[str]]:
        """What the API shows: ticket → the ids of its messages, from either process."""
        tickets = {(posted.workspace, posted.ticket_id) for posted in self._ledger.posted.values()}
        tokens = {workspace: self._token("supervisor", workspace, "chaos") for workspace in self._workspaces}
        limit = asyncio.Semaphore(SHOWN_AT_ONCE_MAX)

        async def messages_of(workspace: str, ticket: str) -> tuple[str, list[str]]:
            found: list[str] = []
            cursor: str | None = None
            path = f"/routing/v1/tickets/{ticket}/messages"
            while True:
                params = {"limit": 200} | ({"cursor": cursor} if cursor else {})
                async with limit:
                    answer = await apis.call(apis.any(), "GET", path, tokens[workspace], params=params, seconds=10.0)
                if not answer.ok:
                    return ticket, found
                found += [item["id"] for item in answer.body["items"]]
                cursor = answer.body["next_cursor"]
                if cursor is None:
                    return ticket, found

        return dict(await asyncio.gather(*(messages_of(*ticket) for ticket in sorted(tickets))))

    async def _audit(self, apis: Apis) -> None:
        """What the desks' own auditor finds, once everything has come to rest."""
        for workspace in self._workspaces:
            token = self._token("supervisor", workspace, "chaos")
            answer = await apis.call(apis.any(), "GET", "/routing/v1/audit", token, seconds=AUDIT_SECONDS_MAX)
            if not answer.ok or not answer.body["fresh"]:
                self._findings.add("audited", {"workspace": workspace, "answer": str(answer.body)[:200]})
                continue
            for finding in answer.body["findings"]:
                self._findings.add("audited", {"workspace": workspace, **finding})

    def _summary(self, facts: dict[str, int]) -> dict[str, Any]:
        counts = self._findings.counts
        return {
            "rounds": self._options.rounds,
            "seed": self._options.seed,
            "broker": self._options.broker,
            "killed": dict(self._done.killed),
            "stopped": dict(self._done.stopped),
            "ended": dict(self._done.ended),
            "twins": self._done.twins,
            "posts": self._ledger.posts,
            "accepted": len(self._ledger.posted),
            "commands": len(self._ledger.asked),
            "flood": self._flood.summary(),
            "facts": facts,
            **{name: counts[name] for name in NAMED},
            "other_violations": {name: count for name, count in counts.items() if name not in NAMED},
            "takeover_seconds_max": {kind: max(times) for kind, times in self._done.takeovers.items()},
            "ended_by_themselves": self._stack.exits.found,
            "counter_examples": self._findings.examples,
            "ok": self._findings.ok,
        }
