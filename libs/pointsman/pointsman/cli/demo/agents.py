"""The agents' process: each agent's app long-polls for offers, takes most, answers and resolves.

`python -m pointsman.cli.demo.agents PLAN`. Some decline, some let an offer pass, some vanish without a word and come
back; one comes late. A line on standard input (or its end) sends everybody home.
"""

import asyncio
import random
import sys
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import orjson
import uvloop

from pointsman.cli.demo import corpus
from pointsman.cli.demo.document import LATE_AGENTS, LEASE_SECONDS
from pointsman.cli.demo.plan import Plan, read_plan, tell
from pointsman.client.agent import Agent
from pointsman.client.session import ApiError, Session, Unreachable
from pointsman.client.shapes import Offer, Ticket
from pointsman.core.instant import after
from pointsman.runtime.tasks import awaited

DECLINE_SHARE = 0.03
IGNORE_SHARE = 0.004
PEND_SHARE = 0.03
SNOOZE_SHARE = 0.03
SNOOZE_SECONDS = 4.0
TRANSFER_SHARE = 0.02
VANISH_SHARE = 0.12
VANISH_SECONDS = 9.0
VANISHING_LEASE_SECONDS = 6
RENEW_SECONDS = 3.0
LATE_FROM = 0.6
THINK_SECONDS = (0.4, 1.4)
POLL_SECONDS = 20
PROGRESS_SECONDS = 0.25

Failure = (ApiError, Unreachable)


class AgentsCounts:
    """What the agents did, counted, and when each ticket's first offer was seen."""

    def __init__(self) -> None:
        self.seen_at: dict[str, float] = {}
        self.counts = dict.fromkeys(
            ("offers", "accepted", "declined", "let_pass", "too_late", "transferred", "replied", "resolved"), 0
        )
        self.vanished: list[str] = []
        self.failures: list[str] = []


class App:
    """One agent's app."""

    def __init__(self, slug: str, plan: Plan, session: Session, floor: AgentsCounts) -> None:
        self.slug = slug
        self._plan = plan
        self._floor = floor
        self._chance = random.Random(f"{slug}-{plan.seed}")
        self._vanishes = slug not in LATE_AGENTS and self._chance.random() < VANISH_SHARE
        # Who will vanish has a short lease, so that the desk notices within the demo's time.
        self._lease_seconds = VANISHING_LEASE_SECONDS if self._vanishes else LEASE_SECONDS
        self._agent = Agent(session, app_session=f"app-{slug}", lease_seconds=self._lease_seconds)
        self._known: set[str] = set()
        self._in_hand: set[str] = set()
        self._work: set[asyncio.Task[None]] = set()

    async def live(self, began: float) -> None:
        """The agent's day; ends when cancelled."""
        if self.slug in LATE_AGENTS:
            await asyncio.sleep(max(0.0, began + LATE_FROM * self._plan.seconds - time.monotonic()))
        try:
            if self._vanishes:
                at = began + self._chance.uniform(0.15, 0.5) * self._plan.seconds
                try:
                    async with asyncio.timeout(max(0.0, at - time.monotonic())):
                        await self._present()
                except TimeoutError:
                    self._drop_work()
                self._floor.vanished.append(self.slug)
                await asyncio.sleep(VANISH_SECONDS)
            await self._present()
        finally:
            self._drop_work()

    async def leave(self) -> None:
        """Says goodbye."""
        try:
            await self._agent.leave()
        except Failure as error:
            self._floor.failures.append(f"{self.slug} leaves: {error}")

    async def _present(self) -> None:
        """Available, with the lease renewed and offers polled."""
        await self._persist(self._agent.set_presence, "available")
        renewing = awaited(self._guarded(self._renew()))
        try:
            while True:
                try:
                    async for offer in self._agent.offers(wait_seconds=POLL_SECONDS):
                        if offer.id not in self._known:
                            self._known.add(offer.id)
                            self._floor.seen_at.setdefault(offer.ticket_id, time.monotonic())
                            self._floor.counts["offers"] += 1
                            self._begin(self._consider(offer))
                except Failure as error:
                    self._floor.failures.append(f"{self.slug} polls: {error}")
                    await asyncio.sleep(0.5)
        finally:
            renewing.cancel()

    async def _renew(self) -> None:
        """Renews the lease, comes back after an offer passed, and goes on with tickets that it did not know it holds: a
        customer who writes again comes straight to the holder."""
        while True:
            try:
                presence = await self._agent.set_presence()
                if presence.state == "away" and presence.set_by in ("expiry", "lapse"):
                    await self._agent.set_presence("available")
                for held in await self._agent.assignments():
                    if held.state == "assigned" and held.id not in self._in_hand:
                        self._begin(self._handle(held))
            except Failure as error:
                self._floor.failures.append(f"{self.slug} renews: {error}")
            await asyncio.sleep(RENEW_SECONDS)

    async def _persist(self, call: Any, *arguments: Any) -> Any:
        """A call that must succeed for the day to go on; repeated a few times."""
        for _ in range(5):
            try:
                return await call(*arguments)
            except Failure as error:
                self._floor.failures.append(f"{self.slug}: {error}")
                await asyncio.sleep(1.0)
        return None

    def _begin(self, work: Any) -> None:
        task = awaited(self._guarded(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _drop_work(self) -> None:
        for task in self._work:
            task.cancel()

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except ApiError as error:
            if error.status not in (403, 409):
                self._floor.failures.append(f"{self.slug}: {error}")
            self._floor.counts["too_late"] += 1
        except Unreachable as error:
            self._floor.failures.append(f"{self.slug}: {error}")
        except Exception as error:  # a fault of the demo's own: it must not end unseen
            self._floor.failures.append(f"{self.slug}: {error!r}")

    async def _consider(self, offer: Offer) -> None:
        chance = self._chance.random()
        await asyncio.sleep(self._chance.uniform(0.02, 0.15))
        if chance < DECLINE_SHARE:
            await self._agent.reject(offer.id, "not mine")
            self._floor.counts["declined"] += 1
            return
        if chance < DECLINE_SHARE + IGNORE_SHARE:
            self._floor.counts["let_pass"] += 1
            return
        self._in_hand.add(offer.ticket_id)
        try:
            await self._agent.accept(offer.id)
        except BaseException:
            self._in_hand.discard(offer.ticket_id)
            raise
        self._floor.counts["accepted"] += 1
        await self._handle(offer.ticket)

    async def _handle(self, ticket: Ticket) -> None:
        ticket_id = ticket.id
        self._in_hand.add(ticket_id)
        try:
            await asyncio.sleep(self._chance.uniform(*THINK_SECONDS))
            if self._chance.random() < TRANSFER_SHARE:
                await self._agent.transfer(ticket_id, "somebody else knows more", queue=ticket.queue)
                self._floor.counts["transferred"] += 1
                return
            text = corpus.reply(self._chance, ticket.language)
            await self._agent.reply(ticket_id, text)
            self._floor.counts["replied"] += 1
            if self._chance.random() < PEND_SHARE:
                await self._agent.pend(ticket_id, "customer")
                await asyncio.sleep(2.0)
            elif self._chance.random() < SNOOZE_SHARE:
                await self._agent.snooze(ticket_id, after(datetime.now(UTC), SNOOZE_SECONDS))
                await asyncio.sleep(SNOOZE_SECONDS + 1.0)
            await self._agent.resolve(ticket_id)
            self._floor.counts["resolved"] += 1
        finally:
            self._in_hand.discard(ticket_id)


async def _tell_progress(floor: AgentsCounts) -> None:
    while True:
        tell(floor.counts)
        await asyncio.sleep(PROGRESS_SECONDS)


async def _told_to_go() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.readline()


async def main(plan: Plan) -> None:
    """Everybody works until told to go; then the results are written."""
    floor = AgentsCounts()
    async with AsyncExitStack() as sessions:
        apps = [
            App(slug, plan, await sessions.enter_async_context(Session(plan.url, token, retry_seconds=30)), floor)
            for slug, token in plan.tokens.items()
        ]
        began = time.monotonic()
        days = [awaited(app.live(began)) for app in apps]
        telling = awaited(_tell_progress(floor))
        await _told_to_go()
        telling.cancel()
        for day in days:
            day.cancel()
        ended = await asyncio.gather(*days, return_exceptions=True)
        await asyncio.gather(*(app.leave() for app in apps))
    crashed = [repr(end) for end in ended if isinstance(end, Exception)]
    plan.results.write_bytes(
        orjson.dumps(
            {
                "seen_at": floor.seen_at,
                "counts": floor.counts,
                "vanished": floor.vanished,
                "failures": floor.failures + crashed,
            }
        )
    )
    tell({"done": True})


if __name__ == "__main__":
    uvloop.run(main(read_plan(sys.argv[1])))
