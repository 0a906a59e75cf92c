"""`pointsman demo`: starts what is needed, conducts the day, and judges it."""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import orjson
import typer
from rich.console import Console

from pointsman.cli.config import put_document
from pointsman.cli.demo import checks, evidence
from pointsman.cli.demo.document import CONNECTORS, ON_CALL_SECRET, make_document
from pointsman.cli.demo.on_call import OnCall
from pointsman.cli.demo.plan import Plan
from pointsman.cli.demo.screen import Scene, Screen
from pointsman.cli.demo.summary import print_summary, summarise
from pointsman.cli.errors import CommandFailed
from pointsman.cli.output import print_json
from pointsman.cli.server import JsonOption, local_token, open_session, remember_workspace, run
from pointsman.cli.stack import down, start_detached
from pointsman.client.live import live_figures
from pointsman.client.session import ApiError, Session
from pointsman.core.instant import EPOCH, after, rfc3339
from pointsman.local.folder import StackFolder
from pointsman.runtime.tasks import awaited

SECONDS = 30.0
RATE = 85.0
SEED = 7
AGENTS = 48
POSTING_SHARE = 0.8
KILL_SHARE = 0.35
KILLED = "routing"
DRAW_SECONDS = 0.2
DRAIN_SECONDS_MAX = 20.0
END_SECONDS_MAX = 90.0
SETTLE_SECONDS_MAX = 30.0


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: pointsman demo --seconds 20 --rate 80")(demo)


def demo(
    seconds: Annotated[float, typer.Option(min=5, max=3600, help="How long the day lasts.")] = SECONDS,
    rate: Annotated[float, typer.Option(min=1, max=2000, help="Messages a second, on average.")] = RATE,
    seed: Annotated[int, typer.Option(help="The same seed gives the same people and messages.")] = SEED,
    json: JsonOption = False,
) -> None:
    """Plays a support day against the local stack, shows it live, and proves that nothing was lost."""
    folder = StackFolder.here()
    console = Console(stderr=True)
    started = not folder.is_owned()
    if started:
        console.print("Starting the local stack: PostgreSQL, the broker, the workers, the HTTP APIs.")
        start_detached(folder)
    try:
        summary = run(Day(folder, seconds, rate, seed, console).play())
    finally:
        if started:
            down()
    if json:
        print_json(summary)
    else:
        print_summary(summary, Console())
    if not summary["ok"]:
        raise CommandFailed("the demo's checks do not hold")


@dataclass(slots=True)
class Player:
    """A playing process: told by its plan, heard by lines, remembered by its results."""

    process: asyncio.subprocess.Process
    results: Path
    told: dict[str, Any]
    news: asyncio.Event
    ended: bool = False

    async def listen(self) -> None:
        """Takes the lines of progress until the process closes its output."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.told.update(orjson.loads(line))
            self.news.set()
        self.ended = True
        self.news.set()

    async def end(self) -> dict[str, Any]:
        """Its results. Raises `CommandFailed` when it failed."""
        async with asyncio.timeout(END_SECONDS_MAX):
            code = await self.process.wait()
        if code != 0 or not self.results.exists():
            raise CommandFailed(f"a playing process of the demo ended with {code}: its messages are above")
        results: dict[str, Any] = orjson.loads(self.results.read_bytes())
        return results

    def tell_to_go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"go home\n")


class Day:
    """One support day in a workspace of its own."""

    def __init__(self, folder: StackFolder, seconds: float, rate: float, seed: int, console: Console) -> None:
        status = folder.status()
        if status.url is None or status.key_file is None:
            raise CommandFailed("the local stack is not up")
        self._folder = folder
        self._url = status.url
        self._key_file = Path(status.key_file)
        self._seconds, self._rate, self._seed = seconds, rate, seed
        self._console = console
        self.workspace = f"demo-{secrets.token_hex(3)}"
        self._document = make_document(self.workspace, AGENTS, seed)
        self._scene = Scene(status.url, seconds)
        self._screen = Screen(self._scene)
        self._on_call = OnCall()

    async def play(self) -> dict[str, Any]:
        """The summary of the day."""
        async with self._on_call, open_session(workspace=self.workspace) as session:
            secret = {"value": self._on_call.address}
            await session.call("PUT", f"/sla/v1/secrets/{ON_CALL_SECRET}", json=secret)
            await put_document(session, orjson.dumps(self._document), "application/json")
            remember_workspace(self.workspace)
            self._console.print(
                f"Workspace {self.workspace}: {len(self._document['agents'])} agents, "
                f"{self._rate:.0f} messages a second, wallboard {self._url}",
                highlight=False,
            )
            began = time.time()
            with tempfile.TemporaryDirectory(prefix="pointsman-demo-") as folder, self._screen:
                supervisor = Session(self._url, self._token("supervisor", "demo"), client=session.client)
                log = evidence.EventLog(supervisor)
                customers, floor = await self._conduct(Path(folder), session, log)
            return await self._judge(session, supervisor, log, customers, floor, began)

    async def _conduct(
        self, folder: Path, session: Session, log: evidence.EventLog
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        posting_seconds = self._seconds * POSTING_SHARE
        agents = {slug: self._token("agent", slug) for slug in self._document["agents"]}
        connectors = {connector.slug: self._token("connector", connector.slug) for connector in CONNECTORS}
        async with (
            self._player(folder, "pointsman.cli.demo.agents", agents) as floor,
            self._player(folder, "pointsman.cli.demo.customers", connectors, seconds=posting_seconds) as customers,
        ):
            beside = [
                awaited(work)
                for work in (floor.listen(), customers.listen(), self._watch(session), self._kill(posting_seconds))
            ]
            drawing = awaited(self._draw(customers, floor))
            try:
                posted = await customers.end()
                self._screen.happens(f"all customers have written: {self._scene.accepted:,} messages accepted")
                await self._drained(posted["ledger"], log)
            finally:
                drawing.cancel()
                for task in beside[2:]:
                    task.cancel()
            floor.tell_to_go()
            worked = await floor.end()
            await asyncio.gather(*beside, drawing, return_exceptions=True)
        return posted, worked

    @asynccontextmanager
    async def _player(
        self, folder: Path, module: str, tokens: dict[str, str], seconds: float | None = None
    ) -> AsyncIterator[Player]:
        results = folder / f"{module}.json"
        plan = Plan(
            url=self._url,
            seed=self._seed,
            seconds=seconds or self._seconds,
            rate=self._rate,
            tokens=tokens,
            results=results,
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            str(plan.write(folder / f"{module}-plan.json")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield Player(process, results, {}, asyncio.Event())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _token(self, role: str, sub: str) -> str:
        return local_token(self._key_file, role, self.workspace, sub, self._seconds + 600)

    async def _draw(self, customers: Player, floor: Player) -> None:
        began = time.monotonic()
        while True:
            self._scene.elapsed = time.monotonic() - began
            self._scene.posted = customers.told.get("posted", 0)
            self._scene.accepted = customers.told.get("accepted", 0)
            self._scene.counts = floor.told
            self._screen.draw()
            await asyncio.sleep(DRAW_SECONDS)

    async def _watch(self, session: Session) -> None:
        """Keeps the scene's figures those of the wallboard's stream."""
        breached = False
        while True:
            try:
                async for figures in live_figures(session):
                    self._scene.figures = figures
                    self._scene.updates += 1
                    if figures["breached"] and not breached:
                        breached = True
                        self._screen.happens("a clock is breached: an alert is out")
            except (httpx.HTTPError, ApiError) as error:
                self._screen.happens(f"the wallboard's stream broke off ({type(error).__name__}), again")
            await asyncio.sleep(0.5)

    async def _kill(self, posting_seconds: float) -> None:
        """Ends a worker with SIGKILL in the middle of the day; the supervisor starts another."""
        await asyncio.sleep(posting_seconds * KILL_SHARE)
        pid = self._folder.status().process(KILLED).pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self._screen.happens(f"the worker of {KILLED} was killed (SIGKILL to {pid})")

    async def _drained(self, ledger: list[dict[str, Any]], log: evidence.EventLog) -> None:
        """Waits until the desk has every message, and then until nothing waits and nobody holds a ticket, or long
        enough.

        A wallboard that shows nothing open says so too while a killed worker is not back yet, and before metrics has
        read the day: it is believed once there is a row of every ticket that was promised.
        """
        accepted = {entry["message_id"] for entry in ledger}
        await log.read_until(lambda events: accepted <= checks.messages_in(events), SETTLE_SECONDS_MAX)
        tickets = {entry["ticket_id"] for entry in ledger}
        deadline = time.monotonic() + DRAIN_SECONDS_MAX
        while time.monotonic() < deadline:
            if _nothing_open(self._scene.figures) and not checks.open_tickets(
                tickets, await evidence.read_rows(log.session)
            ):
                self._screen.happens("every ticket is resolved")
                return
            await asyncio.sleep(0.2)
        self._screen.happens("some tickets are still open; the day ends all the same")

    async def _judge(
        self,
        session: Session,
        supervisor: Session,
        log: evidence.EventLog,
        posted: dict[str, Any],
        worked: dict[str, Any],
        began: float,
    ) -> dict[str, Any]:
        """Reads what Pointsman says happened, and compares."""
        self._console.print("Reading every event again and comparing it with the demo's own ledger.")
        accepted = {entry["message_id"] for entry in posted["ledger"]}
        await log.read_until(lambda events: accepted <= checks.messages_in(events), SETTLE_SECONDS_MAX)
        events = log.events
        rows = await self._rows_of(supervisor, events)
        until = after(EPOCH, time.time())
        surely, perhaps = checks.due_breaches(checks.promises_of(events), self._document["sla"]["policies"], until)
        breaches, announced = await self._announced(session, surely, perhaps, rows)
        told = await evidence.read_notifications(supervisor, within_seconds=SETTLE_SECONDS_MAX)
        dead_letters = await evidence.read_dead_letters(session)
        quarantined = await evidence.read_quarantined(supervisor)
        agents = self._document["agents"]
        verdicts = [
            checks.verdict("every POST was answered", (str(failure) for failure in posted["failures"])),
            checks.every_message_once(posted["ledger"], events),
            checks.no_double_owner(events),
            checks.capacity_kept(events, agents),
            checks.every_due_breach_announced(surely, perhaps, announced),
            checks.who_is_on_call_was_told(breaches, told, self._on_call.heard),
            checks.figures_agree(events, rows),
            checks.verdict(
                "nothing was set aside but the poison",
                ()
                if (dead_letters, quarantined) == (0, posted["quarantined"])
                else (
                    f"{dead_letters} dead letters, {quarantined} in quarantine, {posted['quarantined']} expected there",
                ),
            ),
        ]
        for failure in worked["failures"][:3]:
            self._console.print(f"[dim]an agent's app: {failure}[/dim]", highlight=False)
        return summarise(
            url=self._url,
            ledger=posted["ledger"],
            floor=worked,
            events=events,
            agents=agents,
            attainment=await evidence.read_attainment(
                supervisor, rfc3339(after(EPOCH, began - 1)), rfc3339(after(EPOCH, time.time() + 86_400))
            ),
            breaches=breaches,
            heard=self._on_call.heard,
            acknowledged=self._on_call.acknowledged,
            dead_letters=dead_letters,
            quarantined=quarantined,
            checks=verdicts,
        )

    async def _rows_of(self, session: Session, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Metrics' rows, once they agree with the events (or as they are after a while)."""
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        while True:
            rows = await evidence.read_rows(session)
            if checks.figures_agree(events, rows).ok or time.monotonic() > deadline:
                return rows
            await asyncio.sleep(0.2)

    async def _announced(
        self, session: Session, surely: set[str], perhaps: set[str], rows: list[dict[str, Any]]
    ) -> tuple[list[evidence.Breach], dict[str, int]]:
        """What sla announced, and of it the first responses that stand, by ticket; once all due ones are there (or as
        it is after a while)."""
        suspects = surely | perhaps | {row["ticket_id"] for row in rows if row["clocks_breached"]}
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        while True:
            breaches = await evidence.read_breaches(session, suspects)
            announced: dict[str, int] = {}
            for breach in breaches:
                if (breach.metric, breach.cycle, breach.withdrawn) == ("first_response", 1, False):
                    announced[breach.ticket_id] = announced.get(breach.ticket_id, 0) + 1
            if surely <= announced.keys() or time.monotonic() > deadline:
                return breaches, announced
            await asyncio.sleep(0.5)


def _nothing_open(figures: dict[str, Any] | None) -> bool:
    """Whether the wallboard says that nothing waits and nobody holds a ticket."""
    if figures is None:
        return False
    return figures["agents"]["in_hand"] == 0 and not any(queue["waiting"] for queue in figures["queues"].values())
