"""A load generator for benchmarks, in a process of its own: keep-alive connections, bytes made beforehand.

`python -m pointsman_intake.load '{"port": …, …}'` prints one JSON object (`Measured`). Requests are pipelined nowhere:
each connection has one in flight. With `rate`, requests have their appointed times, and a latency counts from there.
"""

import asyncio
import random
import sys
from collections.abc import Sequence

import orjson
import uvloop
from pydantic import BaseModel

from pointsman.cli.bench.wire import Connection


class Load(BaseModel):
    """What to do: `rate` per second (0: as fast as answers come), `batch` messages a call (0: single posts)."""

    port: int
    token: str
    connector: str
    path: str = "/intake/v1/messages"
    connections: int = 64
    seconds: float = 5.0
    warmup_seconds: float = 1.0
    rate: float = 0.0
    batch: int = 0
    seed: int = 7
    prefix: str = "run"


class Measured(BaseModel):
    """`answered` counts messages accepted after the warm-up, `failed` every answer that was not 202."""

    answered: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float


WORDS = ("order", "refund", "invoice", "broken", "login", "password", "delivery", "late", "thanks", "urgent", "account")


def requests_of(load: Load, worker: int, count: int) -> list[bytes]:
    """The requests of one connection, ready to be written."""
    chance = random.Random(load.seed * 1_000 + worker)
    head = (
        f"POST {load.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {load.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    made = []
    for number in range(count):
        name = f"{load.prefix}-{worker}-{number}"
        one = [_message(load, chance, f"{name}-{item}") for item in range(load.batch or 1)]
        body = orjson.dumps(one if load.batch else one[0])
        made.append(head + str(len(body)).encode() + b"\r\n\r\n" + body)
    return made


def _message(load: Load, chance: random.Random, id: str) -> dict[str, object]:
    return {
        "connector": load.connector,
        "external_id": id,
        "customer": {"email": f"customer-{chance.randrange(5_000)}@example.com", "name": "A Customer"},
        "subject": "A question",
        "text": " ".join(chance.choices(WORDS, k=30)),
    }


async def run(load: Load) -> Measured:
    """Connects, warms up, measures."""
    loop = asyncio.get_running_loop()
    total = load.seconds + load.warmup_seconds
    each = _count_of(load, total)
    prepared = [requests_of(load, worker, each) for worker in range(load.connections)]
    connections = [await Connection.to("127.0.0.1", load.port) for _ in range(load.connections)]
    begin = loop.time() + 0.05
    latencies: list[tuple[float, float]] = []
    failures: list[int] = []
    drivers = [
        _drive(load, connection, requests, begin, worker, latencies, failures)
        for worker, (connection, requests) in enumerate(zip(connections, prepared, strict=True))
    ]
    await asyncio.gather(*drivers)
    after = begin + load.warmup_seconds
    counted = [(at, took) for at, took in latencies if after <= at < begin + total]
    return _measured(load, counted, len(failures), after)


def _count_of(load: Load, total: float) -> int:
    if load.rate:
        return int(load.rate * total / load.connections) + 1
    return int((40 if load.batch else 12_000) * total / load.connections) + 1


async def _drive(
    load: Load,
    connection: Connection,
    requests: Sequence[bytes],
    begin: float,
    worker: int,
    latencies: list[tuple[float, float]],
    failures: list[int],
) -> None:
    loop = asyncio.get_running_loop()
    end = begin + load.warmup_seconds + load.seconds
    for number, request in enumerate(requests):
        appointed = begin + (number * load.connections + worker) / load.rate if load.rate else loop.time()
        if (wait := max(appointed, begin) - loop.time()) > 0:
            await asyncio.sleep(wait)
        if loop.time() >= end:
            return
        status, _ = await connection.ask(request)
        latencies.append((loop.time(), loop.time() - appointed))
        if status != 202:
            failures.append(status)


def _measured(load: Load, counted: list[tuple[float, float]], failed: int, after: float) -> Measured:
    took = sorted(latency for _, latency in counted)
    last = max((at for at, _ in counted), default=after + load.seconds)
    return Measured(
        answered=len(took) * (load.batch or 1),
        failed=failed,
        seconds=max(last - after, 0.001),
        p50_ms=1000 * took[len(took) // 2] if took else 0.0,
        p99_ms=1000 * took[min(len(took) - 1, int(len(took) * 0.99))] if took else 0.0,
    )


if __name__ == "__main__":
    sys.stdout.write(uvloop.run(run(Load.model_validate_json(sys.argv[1]))).model_dump_json())
