"""`bench overload`: what one process does when it is asked for ten times what it serves.

One real API process of intake with its default limits, durable writes; callers in a process of their own, with many
tokens, each call at its appointed time. First a few calls a second (at rest), then as fast as answers come (what it
serves), then ten times that, or as much of it as a thousand connections can ask whose refusals are held back
(`offered_per_second`). Nothing but 2xx, 429 and 503 may come; what is admitted stays about as fast as at rest.

The many callers stand for other machines: their process leaves the processors to the server and PostgreSQL when these
want them. How long an admitted call takes is told by a few who call beside them, at the pace of the measurement at
rest, in a process that does not yield.

`python -m pointsman_intake.overload '{"port": …, …}'` is the callers' process; it prints one JSON object (`Heard`).
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import count

import orjson
import uvloop
from pydantic import BaseModel

from pointsman.cli.bench.servers import Bench, bare_installation
from pointsman.cli.bench.wire import Connection
from pointsman.core.ids import random_id
from pointsman.core.instant import EPOCH
from pointsman.runtime.auth import sign_token
from pointsman.runtime.issuer_keys import IssuerKeys
from pointsman.runtime.settings import RuntimeSettings
from pointsman_intake.bench import CONNECTOR, WORKSPACE, api_process, configure

TOKENS = 50
CONNECTIONS = 1_000
REST_PER_SECOND = 50.0
REST_SECONDS = 20.0
SERVED_SECONDS = 5.0
SECONDS = 60.0
TIMES = 10
NICENESS = 15
GOOD = ("429", "503")
FIGURES = (
    *("rest_p99_ms", "served_per_second", "offered_per_second", "admitted_per_second", "admitted_p50_ms"),
    *("admitted_p99_ms", "p99_ratio", "refused_429", "refused_503", "other_answers"),
)


class Callers(BaseModel):
    """What the callers do: `per_second` calls at appointed times, or as fast as answers come when it is 0."""

    port: int
    tokens: list[str]
    prefix: str
    seconds: float
    per_second: float = 0.0
    connections: int = CONNECTIONS
    niceness: int = 0


class Heard(BaseModel):
    """Answers by status (`broken`: the connection ended before one came); milliseconds of those that were 2xx."""

    statuses: dict[str, int]
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def admitted(self) -> int:
        return sum(number for status, number in self.statuses.items() if status.startswith("2"))

    @property
    def others(self) -> int:
        """What must not come: neither 2xx nor one of `GOOD`."""
        return sum(self.statuses.values()) - self.admitted - sum(self.statuses.get(status, 0) for status in GOOD)


async def measure(bench: Bench) -> dict[str, list[float]]:
    """The entry point of `pointsman bench overload`: on servers of its own."""
    async with bare_installation(bench) as settings:
        # The limits are what is measured: those that an installation has.
        given = {name: RuntimeSettings.model_fields[name].default for name in ("calls_per_second_max",)}
        given["calls_per_token_max"] = RuntimeSettings.model_fields["calls_per_token_max"].default
        return await figures(settings.model_copy(update=given), runs=bench.runs)


async def figures(
    settings: RuntimeSettings,
    *,
    runs: int = 1,
    seconds: float = SECONDS,
    rest_seconds: float = REST_SECONDS,
    served_seconds: float = SERVED_SECONDS,
) -> dict[str, list[float]]:
    """Measures on a running database. `settings` need a key file."""
    await configure(settings)
    samples: dict[str, list[float]] = {name: [] for name in FIGURES}
    tokens = _tokens(settings)
    async with api_process(settings) as port:
        for _ in range(runs):
            rest = await _heard(port, tokens, rest_seconds, REST_PER_SECOND, connections=10)
            served = await _heard(port, tokens, served_seconds, connections=32)
            offered = TIMES * served.admitted / served.seconds
            many, few = await asyncio.gather(
                _heard(port, tokens, seconds, offered, niceness=NICENESS),
                _heard(port, tokens, seconds, REST_PER_SECOND, connections=10),
            )
            values = {
                "rest_p99_ms": rest.p99_ms,
                "served_per_second": served.admitted / served.seconds,
                "offered_per_second": sum(many.statuses.values()) / many.seconds,
                "admitted_per_second": many.admitted / many.seconds + few.admitted / few.seconds,
                "admitted_p50_ms": few.p50_ms,
                "admitted_p99_ms": few.p99_ms,
                "p99_ratio": few.p99_ms / max(rest.p99_ms, 0.001),
                "refused_429": many.statuses.get("429", 0) + few.statuses.get("429", 0),
                "refused_503": many.statuses.get("503", 0) + few.statuses.get("503", 0),
                "other_answers": rest.others + served.others + many.others + few.others,
            }
            for name, value in values.items():
                samples[name].append(float(value))
    return samples


def _tokens(settings: RuntimeSettings) -> list[str]:
    assert settings.key_file is not None
    key = IssuerKeys.read(settings.key_file)
    return [sign_token(key, "connector", WORKSPACE, CONNECTOR, 3600, random_id("tok", EPOCH)) for _ in range(TOKENS)]


async def _heard(
    port: int,
    tokens: list[str],
    seconds: float,
    per_second: float = 0.0,
    *,
    connections: int = CONNECTIONS,
    niceness: int = 0,
) -> Heard:
    plan = Callers(
        port=port,
        tokens=tokens,
        prefix=random_id("run", EPOCH),
        seconds=seconds,
        per_second=per_second,
        connections=connections,
        niceness=niceness,
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pointsman_intake.overload", plan.model_dump_json(), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    return Heard.model_validate_json(printed)


# -- the callers' process ----------------------------------------------------------------------------------------------


class _Calling:
    """The callers: each connection has one call at a time, and takes the next appointment that is free."""

    def __init__(self, plan: Callers) -> None:
        self._plan = plan
        self._numbers = count()
        self._statuses: Counter[str] = Counter()
        self._took: list[float] = []
        self._began = 0.0

    async def run(self) -> Heard:
        loop = asyncio.get_running_loop()
        os.nice(self._plan.niceness)
        self._began = loop.time()
        await asyncio.gather(*(self._play(number) for number in range(self._plan.connections)))
        seconds = loop.time() - self._began
        took = sorted(self._took)
        return Heard(
            statuses=dict(self._statuses),
            seconds=seconds,
            p50_ms=1000 * took[len(took) // 2] if took else 0.0,
            p99_ms=1000 * took[min(len(took) - 1, int(len(took) * 0.99))] if took else 0.0,
        )

    async def _play(self, number: int) -> None:
        loop, plan = asyncio.get_running_loop(), self._plan
        end = self._began + plan.seconds
        requests = _requests(plan, plan.tokens[number % len(plan.tokens)], self._numbers)
        connection: Connection | None = None
        for appointed in self._appointments(number / plan.connections):
            if (wait := appointed - loop.time()) > 0:
                await asyncio.sleep(wait)
            if loop.time() >= end:
                break
            try:
                if connection is None or connection.closed:
                    connection = await Connection.to("127.0.0.1", plan.port)
                sent = loop.time()
                status, _ = await connection.ask(next(requests))
            except OSError:
                self._statuses["broken"] += 1
                connection = None
                continue
            self._statuses[str(status)] += 1
            if 200 <= status < 300:
                self._took.append(loop.time() - sent)
        if connection is not None:
            connection.close()

    def _appointments(self, place: float) -> Iterator[float]:
        """When this connection calls next: what is overdue at once, though never more than it can."""
        loop = asyncio.get_running_loop()
        if not self._plan.per_second:
            while True:
                yield loop.time()
        every = self._plan.connections / self._plan.per_second
        appointed = self._began + every * place
        while True:
            yield appointed
            appointed = max(appointed + every, loop.time() - 0.1)


def _requests(plan: Callers, token: str, numbers: Iterator[int]) -> Iterator[bytes]:
    """Messages, each another: its number has a place of fixed length in bytes that are made once."""
    body = orjson.dumps(
        {
            "connector": CONNECTOR,
            "external_id": f"{plan.prefix}-##########",
            "customer": {"handle": "##########"},
            "text": "Where is my order? It should have come on Monday, and nobody answers the telephone.",
        }
    )
    head = (
        f"POST /intake/v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    first, second, last = body.split(b"##########")
    for number in numbers:
        digits = b"%010d" % number
        yield b"".join((head, first, digits, second, b"%010d" % (number % 5_000), last))


if __name__ == "__main__":
    sys.stdout.write(uvloop.run(_Calling(Callers.model_validate_json(sys.argv[1])).run()).model_dump_json())
