"""The customers: connectors that post messages through every API process, and remember each 202.

A post that was not acknowledged is repeated with the same external id until it is. On purpose some are posted twice at
the same moment on two API processes, and some threads begin with two messages on two API processes at once.
"""

import asyncio
import contextlib
import random
from dataclasses import dataclass

from pointsman.cli.chaos.calls import Apis
from pointsman.cli.chaos.document import CONNECTORS
from pointsman.cli.chaos.ledger import AcceptedMessage, Ledger

THREADS_REMEMBERED = 40
PAUSE_SECONDS = 0.3
TEXTS = (
    "Hello, my order has not arrived yet. Can you tell me where it is?",
    "I would like a refund for the lamp, it came broken.",
    "How do I change the address of my account?",
    "The app shows an error since yesterday, please help.",
    "Is the refund on its way? I wrote to you last week.",
)


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """What a customer wants to say."""

    connector: str
    external_id: str
    thread: str
    text: str


class CustomerLoad:
    """The customers of one workspace. `run` posts until `stop` is set, then finishes what it had begun."""

    def __init__(
        self, apis: Apis, ledger: Ledger, workspace: str, tokens: dict[str, str], seed: int, per_second: float
    ) -> None:
        self._apis, self._ledger, self._workspace, self._tokens = apis, ledger, workspace, tokens
        self._random = random.Random(f"{seed}:{workspace}:customers")
        self._per_second = per_second
        self._count = 0
        self._threads: list[tuple[str, str]] = []

    async def run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as posting:
            while not stop.is_set():
                posting.create_task(self._say_something())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._random.expovariate(self._per_second)):
                        await stop.wait()

    async def _say_something(self) -> None:
        kind = self._random.random()
        if kind < 0.25 and self._threads:
            await self._post(self._message(*self._random.choice(self._threads)))
        elif kind < 0.35:
            await self._twice(self._message(*self._new_thread()))
        elif kind < 0.5:
            thread = self._new_thread()
            await self._first_two(self._message(*thread), self._message(*thread))
        else:
            await self._post(self._message(*self._new_thread()))

    async def _twice(self, message: CustomerMessage) -> None:
        """The same message on two API processes at once."""
        place = self._apis.any()
        await asyncio.gather(self._post(message, place), self._post(message, self._apis.other(place)))

    async def _first_two(self, one: CustomerMessage, two: CustomerMessage) -> None:
        """Two first messages of a thread on two API processes at once."""
        place = self._apis.any()
        posted = await asyncio.gather(self._post(one, place), self._post(two, self._apis.other(place)))
        self._ledger.first_pairs.append((posted[0], posted[1]))

    def _new_thread(self) -> tuple[str, str]:
        self._count += 1
        thread = (self._random.choice(list(CONNECTORS)), f"t{self._count}")
        self._threads = [*self._threads[1 - THREADS_REMEMBERED :], thread]
        return thread

    def _message(self, connector: str, thread: str) -> CustomerMessage:
        self._count += 1
        return CustomerMessage(connector, f"m{self._count}", thread, self._random.choice(TEXTS))

    async def _post(self, message: CustomerMessage, place: int | None = None) -> AcceptedMessage:
        """Posts until it is acknowledged; each repeat goes to another process."""
        place = self._apis.any() if place is None else place
        body = {
            "connector": message.connector,
            "external_id": message.external_id,
            "thread": message.thread,
            "customer": {"id": f"customer-of-{message.thread}", "name": "A customer"},
            "text": message.text,
        }
        while True:
            seconds = self._random.choice((1.0, 3.0, 5.0))
            self._ledger.posts += 1
            answer = await self._apis.call(
                place, "POST", "/intake/v1/messages", self._tokens[message.connector], json=body, seconds=seconds
            )
            if answer.status == 202:
                posted = AcceptedMessage(
                    self._workspace,
                    message.connector,
                    message.external_id,
                    message.thread,
                    answer.body["ticket_id"],
                    answer.body["message_id"],
                )
                self._ledger.note(posted)
                return posted
            if answer.status is not None and 400 <= answer.status < 500 and answer.status != 429:
                raise RuntimeError(f"a good message was refused: {answer.status} {answer.body}")
            place = self._apis.other(place)
            await asyncio.sleep(self._random.uniform(0.5, 1.5) * PAUSE_SECONDS)
