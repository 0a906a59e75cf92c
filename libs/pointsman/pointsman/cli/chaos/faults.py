"""The faults of a run: drawn from a seed, then made on the processes of the stack."""

import asyncio
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

import asyncpg
import structlog

from pointsman.cli.chaos.document import LEASE_SECONDS
from pointsman.cli.chaos.stack import ChaosStack, StackProcess
from pointsman.runtime.tasks import awaited

log = structlog.get_logger(__name__)

SERVICES = ("routing", "sla", "intake", "metrics")
TAKEOVER_LOOK_SECONDS = 0.02
TAKEOVER_SECONDS_MAX = 20.0

DECK: tuple[tuple[str, str], ...] = (
    ("kill", "routing"),
    ("stop", "routing"),
    ("kill", "broker"),
    ("kill", "postgres"),
    ("kill", "edge"),
    ("stop", "sla"),
    ("kill", "sla"),
    ("stop", "edge"),
    ("quit", "postgres"),
    ("twice", "routing"),
    ("stop", "broker"),
    ("kill", "intake"),
    ("kill", "metrics"),
    ("all", "routing"),
    ("twice", "sla"),
    ("end", "routing"),
    ("all", "sla"),
    ("end", "edge"),
    ("stop", "intake"),
    ("several", "several"),
)
"""What and on what. Every deck of rounds makes each once, in the seed's order. `end` is SIGTERM, `quit` PostgreSQL's
immediate shutdown, `all` stops every worker of the service for longer than the agents' leases."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One act. `target` is a service, `postgres` or `broker`; `place` chooses among a service's processes; `seconds`
    is how long it stands still, or is down before it is started again; `after_seconds` counts from the round's start.
    """

    kind: str
    target: str
    place: int
    seconds: float
    after_seconds: float


@dataclass(frozen=True, slots=True)
class Round:
    """Faults that overlap, and the seconds of load before the next round."""

    faults: tuple[Fault, ...]
    quiet_seconds: float


@dataclass
class Done:
    """What was made: `killed` counts SIGKILL and SIGQUIT per target, `stopped` SIGSTOP, `ended` SIGTERM.

    `takeovers` are seconds from the act until no lane was the process's any more, where a second worker was there.
    """

    killed: Counter[str] = field(default_factory=Counter)
    stopped: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    twins: int = 0
    takeovers: dict[str, list[float]] = field(default_factory=dict)


def plan(rounds: int, seed: int) -> list[Round]:
    """The rounds of a seed; a longer run of the same seed begins alike."""
    source = random.Random(f"{seed}:faults")
    deck: list[tuple[str, str]] = []
    planned = []
    for _ in range(rounds):
        if not deck:
            deck = list(DECK)
            source.shuffle(deck)
        kind, target = deck.pop()
        if kind == "several":
            chosen = source.sample([card for card in DECK if card[0] in ("kill", "stop", "end")], 3)
            faults = tuple(_draw(source, *card) for card in chosen)
        else:
            faults = (_draw(source, kind, target),)
        planned.append(Round(faults, source.uniform(1.0, 3.0)))
    return planned


def _draw(source: random.Random, kind: str, target: str) -> Fault:
    place = source.randrange(2)
    after_seconds = source.uniform(0.2, 2.0)
    if kind == "all":
        seconds = LEASE_SECONDS + source.uniform(1.0, 3.0)
    elif kind == "stop" and target == "broker":
        seconds = source.uniform(3.0, 6.0)
    elif kind == "stop":
        seconds = 15.0 if source.random() < 0.15 else source.uniform(3.0, 6.0)
    elif kind == "twice":
        seconds = source.uniform(3.0, 5.0)
    else:
        seconds = source.uniform(0.1, 1.5)
    return Fault(kind, target, place, seconds, after_seconds)


async def make(stack: ChaosStack, fault: Fault, done: Done, *, alone: bool) -> None:
    """Makes one fault and undoes it: killed processes are started again, stopped ones go on."""
    await asyncio.sleep(fault.after_seconds)
    log.info("fault", kind=fault.kind, target=fault.target, seconds=round(fault.seconds, 1))
    if fault.target == "postgres":
        done.killed["postgres"] += 1
        await stack.end_postgres(signal.SIGKILL if fault.kind == "kill" else signal.SIGQUIT, fault.seconds)
    elif fault.target == "broker":
        await _on_broker(stack, fault, done)
    elif fault.kind == "all":
        programs = stack.of_service(fault.target)
        await asyncio.gather(*(_stop(program, fault.seconds, done) for program in programs))
    elif fault.kind == "twice":
        done.twins += 1
        programs = stack.of_service(fault.target)
        twin = await stack.twin(programs[fault.place % len(programs)].name)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            twin.process.signal(signal.SIGKILL if fault.place else signal.SIGTERM)
            await stack.drop(twin)
    else:
        programs = stack.of_service(fault.target)
        program = programs[fault.place % len(programs)]
        watched = alone and fault.target in ("routing", "sla") and len(programs) > 1
        watch = await _watch_takeover(stack, program, fault.kind, done) if watched else None
        if fault.kind == "stop":
            await _stop(program, fault.seconds, done)
        else:
            number = signal.SIGKILL if fault.kind == "kill" else signal.SIGTERM
            (done.killed if fault.kind == "kill" else done.ended)[fault.target] += 1
            await stack.kill(program, number, fault.seconds)
        if watch is not None:
            await watch


async def _on_broker(stack: ChaosStack, fault: Fault, done: Done) -> None:
    if fault.kind == "kill":
        done.killed["broker"] += 1
        await stack.end_broker(signal.SIGKILL, fault.seconds)
        return
    done.stopped["broker"] += 1
    process = stack.broker.process
    process.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        process.signal(signal.SIGCONT)


async def _stop(program: StackProcess, seconds: float, done: Done) -> None:
    done.stopped[program.service] += 1
    program.process.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        program.process.signal(signal.SIGCONT)


async def _watch_takeover(
    stack: ChaosStack, program: StackProcess, kind: str, done: Done
) -> "asyncio.Task[None] | None":
    """Begins to watch, right before the act, when all lanes will be another's; None when the process has none."""
    owner = f"%:{program.process.pid}:%"
    db = await asyncpg.connect(stack.dsn, timeout=10)
    if not await db.fetchval(f'SELECT count(*) FROM "{program.service}".lane_lease WHERE owner LIKE $1', owner):
        await db.close()
        return None
    left = f'SELECT count(*) FROM "{program.service}".lane_lease WHERE owner LIKE $1 OR owner IS NULL'
    began = time.monotonic()

    async def watch() -> None:
        try:
            while time.monotonic() - began < TAKEOVER_SECONDS_MAX:
                await asyncio.sleep(TAKEOVER_LOOK_SECONDS)
                if not await db.fetchval(left, owner):
                    done.takeovers.setdefault(kind, []).append(round(time.monotonic() - began, 3))
                    return
        finally:
            await db.close()

    return awaited(watch())
