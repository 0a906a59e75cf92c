"""The agents' apps: presence, offers by long poll, replies and resolutions, each call through any API process.

Commands are repeated after a timeout or a 503, most with their Idempotency-Key and on another process, some without a
key; the ledger keeps what the answers allow to believe. Once `draining` is set every agent is diligent, until nothing
is open any more.
"""

import asyncio
import contextlib
import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pointsman.cli.chaos.calls import Apis, CallResult
from pointsman.cli.chaos.document import LEASE_SECONDS, agents
from pointsman.cli.chaos.ledger import Asked, Fate, Ledger
from pointsman.core.instant import after, rfc3339

RENEW_SECONDS = 3.0
LOOK_SECONDS = 1.5
POLL_SECONDS = 5
ATTEMPTS_MAX = 12
VANISH_SECONDS = 15.0


class AgentApp:
    """One agent's app. `run` goes on until it is cancelled."""

    def __init__(
        self, apis: Apis, ledger: Ledger, workspace: str, agent: str, token: str, seed: int, draining: asyncio.Event
    ) -> None:
        self._apis, self._ledger, self._workspace, self._agent, self._token = apis, ledger, workspace, agent, token
        self._random = random.Random(f"{seed}:{workspace}:{agent}")
        self._draining = draining
        self._session = f"app-{agent}"
        self._said = 0
        self._in_work: set[str] = set()
        self._answering: set[str] = set()
        self._vanished = False
        self._tasks = asyncio.TaskGroup()
        self._accepted = asyncio.Event()

    async def run(self) -> None:
        async with self._tasks as tasks:
            tasks.create_task(self._stay_present())
            tasks.create_task(self._take_offers())
            tasks.create_task(self._work_off())

    def _chance(self, share: float) -> bool:
        """Whether to misbehave now; never while draining."""
        return not self._draining.is_set() and self._random.random() < share

    async def _call(self, method: str, path: str, **more: Any) -> CallResult:
        return await self._apis.call(self._apis.any(), method, path, self._token, **more)

    # -- presence ------------------------------------------------------------------------------------------------------

    async def _stay_present(self) -> None:
        choose = True
        while True:
            body: dict[str, Any] = {"session": self._session, "lease_seconds": LEASE_SECONDS}
            if choose:
                body["state"] = "available"
            answer = await self._call("PUT", "/routing/v1/me/presence", json=body, seconds=3.0)
            # Whoever was away because of an expired offer chooses to be available again.
            choose = not answer.ok or answer.body["state"] != "available"
            if self._chance(0.02):
                self._vanished = True
                await asyncio.sleep(VANISH_SECONDS)
                self._vanished = False
            await asyncio.sleep(0.2 if choose else RENEW_SECONDS)

    # -- offers --------------------------------------------------------------------------------------------------------

    async def _take_offers(self) -> None:
        cursor: str | None = None
        while True:
            params = {"wait": POLL_SECONDS} | ({"after": cursor} if cursor else {})
            answer = await self._call("GET", "/routing/v1/me/offers", params=params, seconds=POLL_SECONDS + 3.0)
            if not answer.ok:
                cursor = None
                await asyncio.sleep(0.3)
                continue
            cursor = answer.body["cursor"]
            for offer in answer.body["items"]:
                if offer["state"] == "pending" and offer["id"] not in self._answering and not self._vanished:
                    self._answering.add(offer["id"])
                    self._tasks.create_task(self._answer_offer(offer))

    async def _answer_offer(self, offer: dict[str, Any]) -> None:
        if self._chance(0.04):
            return  # it expires
        await asyncio.sleep(self._random.uniform(0.0, 0.3))
        verb = "reject" if self._chance(0.06) else "accept"
        asked = Asked(self._workspace, self._agent, verb, offer["ticket"]["id"], offer["id"])
        path = f"/routing/v1/offers/{offer['id']}/{verb}"
        body = {"reason": "busy"} if verb == "reject" else None
        if verb == "accept" and self._chance(0.1):
            # Two impatient clicks, each with a key of its own, on two processes: only one may count.
            again = Asked(self._workspace, self._agent, verb, offer["ticket"]["id"], offer["id"])
            await asyncio.gather(self._ask(asked, path, body), self._ask(again, path, body))
        else:
            await self._ask(asked, path, body)
        self._answering.discard(offer["id"])
        self._accepted.set()

    # -- tickets in hand -----------------------------------------------------------------------------------------------

    async def _work_off(self) -> None:
        while True:
            answer = await self._call("GET", "/routing/v1/me/assignments", params={"limit": 100}, seconds=3.0)
            if answer.ok and not self._vanished:
                for ticket in answer.body["items"]:
                    if ticket["state"] == "assigned" and ticket["id"] not in self._in_work:
                        self._in_work.add(ticket["id"])
                        self._tasks.create_task(self._serve(ticket["id"]))
            self._accepted.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._accepted.wait()

    async def _serve(self, ticket: str) -> None:
        try:
            await self._answer_and_resolve(ticket)
        finally:
            self._in_work.discard(ticket)

    async def _answer_and_resolve(self, ticket: str) -> None:
        """Answers the customer, sooner or too late, and resolves; or sets the ticket aside for a moment, or hands it
        on."""
        await asyncio.sleep(self._random.uniform(3.0, 8.0) if self._chance(0.12) else self._random.uniform(0.05, 0.8))
        if self._chance(0.04):
            await self._finish(ticket, "spam")
            return
        if self._chance(0.06):
            await self._transfer(ticket)
            return
        if not await self._reply(ticket):
            return
        await asyncio.sleep(self._random.uniform(0.0, 0.4))
        if self._chance(0.1):
            await self._pend(ticket)
            return
        if self._chance(0.06):
            await self._snooze(ticket)
            return
        if self._chance(0.1):
            await asyncio.sleep(self._random.uniform(4.0, 12.0))
        await self._finish(ticket, "solved")

    async def _reply(self, ticket: str) -> bool:
        path = f"/routing/v1/tickets/{ticket}/messages"
        with_key = self._random.random() < 0.75
        public = not self._chance(0.05)
        while True:
            self._said += 1
            text = f"CallResult {self._agent} {self._said}"
            asked = Asked(self._workspace, self._agent, "reply" if public else "note", ticket, text)
            body = {"text": text, "public": public}
            await self._ask(asked, path, body, attempts_max=ATTEMPTS_MAX if with_key else 1)
            if with_key or asked.fate is not Fate.UNKNOWN:
                if asked.fate is Fate.REFUSED and not with_key and self._random.random() < 0.5:
                    continue  # refused or not applied: said again, in other words
                return asked.fate is Fate.ACKNOWLEDGED and public
            await asyncio.sleep(0.3)

    async def _pend(self, ticket: str) -> None:
        seconds = self._random.uniform(1.0, 4.0)
        asked = Asked(self._workspace, self._agent, "pend", ticket, ticket)
        until = rfc3339(after(datetime.now(UTC), seconds))
        body = {"waiting_on": "customer", "until": until, "then": self._random.choice(("return", "resolve"))}
        await self._ask(asked, f"/routing/v1/tickets/{ticket}/pend", body)

    async def _snooze(self, ticket: str) -> None:
        asked = Asked(self._workspace, self._agent, "snooze", ticket, ticket)
        until = rfc3339(after(datetime.now(UTC), self._random.uniform(1.0, 4.0)))
        await self._ask(asked, f"/routing/v1/tickets/{ticket}/snooze", {"until": until})

    async def _transfer(self, ticket: str) -> None:
        """To a queue, or to a colleague, who may be full or gone: then the ticket waits for them a moment."""
        asked = Asked(self._workspace, self._agent, "transfer", ticket, ticket)
        to: dict[str, Any] = {"queue": self._random.choice(("billing", "general"))}
        if self._random.random() < 0.5:
            to = {"agent": self._random.choice([agent for agent in agents() if agent != self._agent])}
        body = {"to": to, "reason": "somebody else knows more", "wait_seconds": 2}
        await self._ask(asked, f"/routing/v1/tickets/{ticket}/transfer", body)

    async def _finish(self, ticket: str, outcome: str) -> None:
        asked = Asked(self._workspace, self._agent, "resolve", ticket, ticket)
        await self._ask(asked, f"/routing/v1/tickets/{ticket}/resolve", {"outcome": outcome, "force": True})

    # -- commands ------------------------------------------------------------------------------------------------------

    async def _ask(self, asked: Asked, path: str, body: Any, *, attempts_max: int = ATTEMPTS_MAX) -> None:
        """Asks until an answer says what became of it, on one process after the other, under one key.

        With a single attempt there is no key, and 503 `not-applied` is believed; under a key it is asked again.
        """
        self._ledger.asked.append(asked)
        headers = {}
        if attempts_max > 1:
            headers["Idempotency-Key"] = str(UUID(int=self._random.getrandbits(128)))
        place = self._apis.any()
        while asked.attempts < attempts_max:
            asked.attempts += 1
            seconds = self._random.choice((0.5, 2.0, 6.0, 6.0))
            answer = await self._apis.call(
                place, "POST", path, self._token, json=body, headers=headers, seconds=seconds
            )
            asked.fate = answer.fate
            if answer.fate is Fate.ACKNOWLEDGED or (answer.fate is Fate.REFUSED and answer.status != 503):
                return
            place = self._apis.other(place)
            await asyncio.sleep(self._random.uniform(0.1, 0.5) if attempts_max > 1 else 0.0)
