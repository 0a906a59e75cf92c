"""`bench pipeline`: the services together, as `pointsman up` starts them.

- `routing_tickets_per_second`: tickets posted while routing, sla and metrics stand still; then routing alone goes on:
  consume, classify, decide, transact, publish. The rate is that of its facts' numbers between the first and the last.
- `post_to_offer_*_ms`: single posts at 200 a second, agents with room; from the POST to the app's long poll.
- `release_to_offer_*_ms`: a queue that never empties, agents of one unit; from the call that resolves one ticket to the
  offer of the next.
- `lifecycles_per_second`: posted in batches, assigned by the queue (`auto_accept`), answered and resolved by commands
  put on the topic in bulk; from the first POST until metrics counts every ticket resolved and its clocks ended.
- `cpu_us_per_lifecycle`, `cpu_us_per_post`: processor time of the whole stack for one of those, in microseconds, and by
  part (`…_routing`, `…_postgres_routing`, `…_broker`; `…_bench`: the load itself). Steadier than any rate.
- `worker_rss_mb`: the largest resident worker at the end.
"""

import asyncio
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import psutil
from aiokafka import AIOKafkaProducer

from pointsman.cli.bench.apps import AppsPlan
from pointsman.cli.bench.processor import spent_by_part
from pointsman.cli.bench.servers import Bench, whole_stack
from pointsman.cli.bench.wire import TokenCalls
from pointsman.cli.config import put_document
from pointsman.cli.demo import corpus
from pointsman.cli.demo.document import CATEGORY_NEEDS, LANGUAGES, RULES
from pointsman.cli.demo.summary import percentile
from pointsman.cli.errors import CommandFailed
from pointsman.cli.output import say
from pointsman.cli.server import local_token
from pointsman.client.connector import Connector
from pointsman.client.session import Session
from pointsman.contracts.codec import encode_command
from pointsman.contracts.commands import Command, TicketReply, TicketResolve
from pointsman.contracts.shapes import Actor
from pointsman.contracts.topics import COMMANDS
from pointsman.core.ids import lane_of, random_id
from pointsman.core.instant import EPOCH, after
from pointsman.local.folder import StackFolder
from pointsman.local.postgres import DATABASE, SUPERUSER
from pointsman.local.supervisor import PARTITIONS

TICKETS = 20_000
BATCH = 1_000
POSTS_PER_SECOND = 200
POST_SECONDS = 8.0
RELEASING_AGENTS = 8
RELEASE_SECONDS = 5.0
LIFECYCLES = 5_000
WITHIN_SECONDS = 180.0
COUNTED_EVERY_SECONDS = 0.1
"""Counting thousands of rows costs what is measured."""
WARM_UP = 2_000
WORKERS = ("routing", "sla", "metrics", "intake")
CONNECTOR = "bench"
SUPERVISOR = Actor(kind="supervisor", id="bench")


async def figures(bench: Bench) -> dict[str, list[float]]:
    """The samples of every figure."""
    samples: dict[str, list[float]] = {}
    async with whole_stack(bench) as folder:
        for number in range(bench.runs):
            lab = Lab(bench, folder, number)
            for figure in (lab.routing_rate, lab.post_to_offer, lab.release_to_offer, lab.lifecycles):
                say(f"run {number + 1} of {bench.runs}: {figure.__name__.replace('_', ' ')}")
                await figure(samples)
            lab.memory(samples)
    return samples


class Lab:
    """One run on the stack: each figure has a workspace of its own."""

    def __init__(self, bench: Bench, folder: StackFolder, number: int) -> None:
        status = folder.status()
        if status.url is None or status.key_file is None:
            raise CommandFailed("the bench's stack is not up")
        self._bench, self._folder, self._number = bench, folder, number
        self._url, self._key_file = status.url, Path(status.key_file)
        self._chance = random.Random(f"{bench.seed}-{number}")

    async def routing_rate(self, samples: dict[str, list[float]]) -> None:
        async with self._workspace("routing", agents=0) as (workspace, session):
            await self._post(session, WARM_UP)
            async with self._database() as db:
                await self._until_numbered(db, workspace, await self._facts(db, workspace), quiet=True)
                self._signal(signal.SIGSTOP, ("routing", "sla", "metrics"))
                await self._post(session, TICKETS)
                self._signal(signal.SIGCONT, ("routing",))
                first = await self._facts(db, workspace)
                reached = await self._until_numbered(db, workspace, first)
                began, low = time.monotonic(), reached
                last = await self._until_numbered(db, workspace, first + TICKETS - 1)
                took = time.monotonic() - began
                self._signal(signal.SIGCONT, ("sla", "metrics"))
                samples.setdefault("routing_tickets_per_second", []).append((last - low) / took)
                total = WARM_UP + TICKETS
                await self._until(db, "SELECT count(*) FROM metrics.ticket WHERE workspace = $1", workspace, total)
                # The clocks' facts come last; what is measured next begins on a quiet stack.
                await self._until(db, "SELECT count(*) FROM metrics.clock WHERE workspace = $1", workspace, 2 * total)
                await self._until_numbered(db, workspace, 0, quiet=True)

    async def post_to_offer(self, samples: dict[str, list[float]]) -> None:
        async with (
            self._workspace("offers", agents=50, capacity=1_000) as (workspace, _),
            self._apps(workspace, 50, "watch") as results,
        ):
            caller = TokenCalls(self._url, self._connector_token(workspace))
            posted: dict[str, float] = {}
            with self._processor(samples, "post", int(POSTS_PER_SECOND * POST_SECONDS)):
                began = time.monotonic()
                async with asyncio.TaskGroup() as calls:
                    for number in range(int(POSTS_PER_SECOND * POST_SECONDS)):
                        appointed = began + number / POSTS_PER_SECOND
                        await asyncio.sleep(max(0.0, appointed - time.monotonic()))
                        calls.create_task(self._post_noted(caller, number, posted))
                await asyncio.sleep(2)
            caller.close()
        seen_at = results["seen_at"]
        warm = [ticket for ticket, at in posted.items() if at > began + 1 and ticket in seen_at]
        waits = [(seen_at[ticket] - posted[ticket]) * 1000 for ticket in warm]
        percentiles(samples, "post_to_offer", waits)

    async def _post_noted(self, caller: TokenCalls, number: int, posted: dict[str, float]) -> None:
        request = caller.post("/intake/v1/messages", {"connector": CONNECTOR, **self._message(f"single-{number}")})
        at = time.monotonic()
        status, body = await caller.answer(request)
        if status != 202:
            raise CommandFailed(f"a message was refused: {body!r}")
        posted[orjson.loads(body)["ticket_id"]] = at

    async def release_to_offer(self, samples: dict[str, list[float]]) -> None:
        async with self._workspace("releases", agents=RELEASING_AGENTS, capacity=1) as (workspace, session):
            await self._post(session, WARM_UP)
            async with self._apps(workspace, RELEASING_AGENTS, "serve") as results:
                await asyncio.sleep(RELEASE_SECONDS)
        percentiles(samples, "release_to_offer", results["releases_ms"])

    async def lifecycles(self, samples: dict[str, list[float]]) -> None:
        async with (
            self._workspace("lives", agents=20, capacity=10_000, auto_accept=True) as (workspace, session),
            self._apps(workspace, 20, "watch"),
            self._database() as db,
            self._producer() as producer,
        ):
            with self._processor(samples, "lifecycle", LIFECYCLES):
                await self._live(samples, session, workspace, db, producer)

    async def _live(
        self, samples: dict[str, list[float]], session: Session, workspace: str, db: Any, producer: AIOKafkaProducer
    ) -> None:
        began = time.monotonic()
        done = 0
        while done < LIFECYCLES:
            tickets = await self._post(session, BATCH)
            done += BATCH
            opened = "SELECT count(*) FROM routing.ticket WHERE workspace = $1"
            await self._until(db, opened, workspace, done)
            await self._resolve(producer, workspace, tickets)
        resolved = "SELECT count(*) FROM metrics.ticket WHERE workspace = $1 AND state = 'resolved'"
        await self._until(db, resolved, workspace, LIFECYCLES)
        ended = "SELECT count(*) FROM metrics.clock WHERE workspace = $1 AND state IN ('met', 'cancelled')"
        await self._until(db, ended, workspace, 2 * LIFECYCLES)
        samples.setdefault("lifecycles_per_second", []).append(LIFECYCLES / (time.monotonic() - began))

    @contextmanager
    def _processor(self, samples: dict[str, list[float]], what: str, count: int) -> Iterator[None]:
        """Notes what the stack and the bench itself spend meanwhile for each of so many."""
        before, own_before = spent_by_part(self._folder), time.process_time()
        yield
        own = time.process_time() - own_before
        after_it = spent_by_part(self._folder)
        parts = {part: seconds - before.get(part, 0.0) for part, seconds in after_it.items() if part != "supervisor"}
        for part, seconds in parts.items():
            samples.setdefault(f"cpu_us_per_{what}_{part}", []).append(seconds / count * 1e6)
        samples.setdefault(f"cpu_us_per_{what}_bench", []).append(own / count * 1e6)
        samples.setdefault(f"cpu_us_per_{what}", []).append(sum(parts.values()) / count * 1e6)

    def memory(self, samples: dict[str, list[float]]) -> None:
        status = self._folder.status()
        resident = [psutil.Process(status.process(name).pid).memory_info().rss for name in WORKERS]
        samples.setdefault("worker_rss_mb", []).append(max(resident) / 1_048_576)

    # -- what the figures need ---------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _workspace(
        self, part: str, *, agents: int, capacity: int = 1, auto_accept: bool = False
    ) -> AsyncIterator[tuple[str, Session]]:
        """A fresh workspace, and a session of its connector."""
        workspace = f"bench-{part}-{self._number}"
        document = _document(workspace, agents, capacity, auto_accept)
        operator = local_token(self._key_file, "operator", "*", "bench", 3_600)
        async with Session(self._url, operator, workspace=workspace) as session:
            await put_document(session, orjson.dumps(document), "application/json")
        async with Session(self._url, self._connector_token(workspace), retry_seconds=60) as session:
            yield workspace, session

    def _connector_token(self, workspace: str) -> str:
        return local_token(self._key_file, "connector", workspace, CONNECTOR, 3_600)

    @asynccontextmanager
    async def _apps(
        self, workspace: str, count: int, mode: Any, work_seconds: float = 0.0
    ) -> AsyncIterator[dict[str, Any]]:
        """Agents' apps in their process; their results are there when the block has ended."""
        tokens = {
            f"agent-{number}": local_token(self._key_file, "agent", workspace, f"agent-{number}", 3_600)
            for number in range(count)
        }
        found: dict[str, Any] = {}
        results = self._bench.folder / f"{workspace}.json"
        plan = AppsPlan(url=self._url, mode=mode, work_seconds=work_seconds, tokens=tokens, results=results)
        path = self._bench.folder / f"{workspace}-plan.json"
        path.write_text(plan.model_dump_json())
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pointsman.cli.bench.apps",
            str(path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if await process.stdout.readline() != b"ready\n":
                raise CommandFailed("the agents' apps of the bench did not start")
            yield found
            process.stdin.write(b"go home\n")
            if await process.wait() != 0:
                raise CommandFailed("the agents' apps of the bench failed")
            found.update(orjson.loads(plan.results.read_bytes()))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[Any]:
        password = (self._folder.root / "postgres" / "password").read_text().strip()
        port = self._folder.status().process("postgres").port
        db = await asyncpg.connect(f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/{DATABASE}")
        try:
            yield db
        finally:
            await db.close()

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        address = self._folder.broker_address_file.read_text().strip()
        producer = AIOKafkaProducer(bootstrap_servers=address, linger_ms=2)
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def _post(self, session: Session, count: int) -> list[str]:
        """Posts that many conversations in batches; their tickets."""
        tickets = []
        prefix = random_id("run", after(EPOCH, time.time()))
        for start in range(0, count, BATCH):
            size = min(BATCH, count - start)
            batch = [self._message(f"{prefix}-{start + place}") for place in range(size)]
            for item in await Connector(session, CONNECTOR).post_batch(batch):
                if item["status"] != 202:
                    raise CommandFailed(f"a message was refused: {item}")
                tickets.append(item["ticket_id"])
        return tickets

    def _message(self, key: str) -> dict[str, Any]:
        chance = self._chance
        language = chance.choice(LANGUAGES)
        category = chance.choice(corpus.CATEGORIES)
        written = corpus.write(chance, language, category, "Ada L.")
        customer = {"id": f"c{chance.randrange(5_000)}", "name": "Ada L."}
        return {"external_id": key, "thread": key, "customer": customer, "text": written.text}

    async def _resolve(self, producer: AIOKafkaProducer, workspace: str, tickets: Sequence[str]) -> None:
        """A reply and a resolution for each ticket, as an API would put them on the topic."""
        topic = COMMANDS.full_name()
        now = after(EPOCH, time.time())
        pending = []
        for ticket in tickets:
            commands: tuple[Command, ...] = (
                TicketReply(actor=SUPERVISOR, ticket_id=ticket, text="Done.", public=True),
                TicketResolve(actor=SUPERVISOR, ticket_id=ticket, outcome="solved"),
            )
            for command in commands:
                key, value, headers = encode_command(
                    command, id=random_id("cmd", now), workspace=workspace, subject=ticket, at=now, source="bench"
                )
                partition = lane_of(workspace, PARTITIONS)
                pending.append(await producer.send(topic, value, key=key, headers=headers, partition=partition))
        await asyncio.gather(*pending)

    def _signal(self, number: signal.Signals, names: Sequence[str]) -> None:
        status = self._folder.status()
        for name in names:
            psutil.Process(status.process(name).pid).send_signal(number)

    async def _facts(self, db: Any, workspace: str) -> int:
        """How many records routing has numbered in the workspace's lane."""
        found = await db.fetchval(
            "SELECT max(number) FROM routing.counter WHERE partition = $1", lane_of(workspace, PARTITIONS)
        )
        return int(found or 0)

    async def _until_numbered(self, db: Any, workspace: str, beyond: int, *, quiet: bool = False) -> int:
        """Waits until more records than `beyond` are numbered (`quiet`: until no more come); their number."""
        deadline = time.monotonic() + WITHIN_SECONDS
        last, changed = -1, time.monotonic()
        while time.monotonic() < deadline:
            number = await self._facts(db, workspace)
            if number != last:
                last, changed = number, time.monotonic()
            if quiet and time.monotonic() - changed > 1.0:
                return number
            if not quiet and number > beyond:
                return number
            await asyncio.sleep(0.01)
        raise CommandFailed(f"routing did not get through: {last - beyond} records beyond {beyond}")

    async def _until(self, db: Any, statement: str, workspace: str, count: int) -> None:
        deadline = time.monotonic() + WITHIN_SECONDS
        found = 0
        while time.monotonic() < deadline:
            found = await db.fetchval(statement, workspace)
            if found >= count:
                return
            await asyncio.sleep(COUNTED_EVERY_SECONDS)
        raise CommandFailed(f"the pipeline did not get through: {found} of {count}")


def percentiles(samples: dict[str, list[float]], name: str, values: Sequence[float]) -> None:
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        found = percentile(values, share)
        if found is not None:
            samples.setdefault(f"{name}_{label}_ms", []).append(found)


def _document(workspace: str, agents: int, capacity: int, auto_accept: bool) -> dict[str, Any]:
    """A workspace whose rules and needs are the demo's, with agents who can do everything."""
    skills = {"billing": 10, "returns": 10, "technical": 10, "privacy": 10}
    skills |= {f"lang-{language}": 10 for language in LANGUAGES}
    offer = {"timeout_seconds": 600, "auto_accept": auto_accept}
    return {
        "workspace": workspace,
        "languages": list(LANGUAGES),
        "connectors": {CONNECTOR: {"channel": "social", "kind": "json"}},
        "skills": list(skills),
        "classify": {
            "rules": [
                {"id": category, "when": {"text": text}, "set": {"category": category, "priority": priority}}
                for category, priority, text, _ in RULES
            ],
            "categories": {name: {**needs, "weight": 1} for name, needs in CATEGORY_NEEDS.items()},
            "otherwise": {"queue": "general"},
        },
        "queues": {queue: {"offer": offer} for queue in ("general", "billing", "returns", "technical", "legal")},
        "agents": {f"agent-{number}": {"capacity": capacity, "skills": skills} for number in range(agents)},
        "calendars": {"always": {"tz": "UTC", "always": True}},
        "sla": {
            "policies": [
                {
                    "name": "standard",
                    "calendar": "always",
                    "targets": {"first_response": {"default": 3_600}, "resolution": {"default": 86_400}},
                }
            ]
        },
    }
