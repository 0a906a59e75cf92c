"""`pointsman agent` and the guides' examples, as subprocesses on a local installation of their own; and what the client
promises while the server is killed."""

import asyncio
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pointsman.cli.server import local_token
from pointsman.client import Agent, Connector, Offer, Session, Supervisor, event_pages
from pointsman.client.session import ApiError
from pointsman.local.folder import FOLDER_VARIABLE, StackFolder
from pointsman.testing.waiting import until, until_it

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

POINTSMAN = (sys.executable, "-m", "pointsman.cli.main")
DOCS = Path(__file__).parents[3] / "docs"
DOCUMENT = """
workspace: acme
connectors:
  site-chat: {channel: chat, kind: json}
  quiet: {channel: chat, kind: json, default: {queue: other}}
queues: {general: {offer: {timeout_seconds: 60}}, other: {offer: {timeout_seconds: 600}}}
classify: {language_skill: null}
agents:
  anna: {name: Anna, capacity: 8, queues: [general, other]}
  boris: {name: Boris, capacity: 8, queues: [general]}
wrap_up_seconds: {chat: 0}
"""


@pytest.fixture(scope="module", autouse=True)
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackFolder]:
    """A stack for this module with the workspace applied, found by the commands as the local one."""
    with pytest.MonkeyPatch.context() as patch:
        folder = StackFolder(tmp_path_factory.mktemp("stack") / ".pointsman")
        patch.setenv(FOLDER_VARIABLE, str(folder.root))
        for name in ("POINTSMAN_URL", "POINTSMAN_TOKEN", "POINTSMAN_WORKSPACE", "POINTSMAN_PROFILE"):
            patch.delenv(name, raising=False)
        document = folder.root.parent / "acme.yaml"
        document.write_text(DOCUMENT)
        subprocess.run([*POINTSMAN, "up", "--detach"], check=True, capture_output=True)
        try:
            subprocess.run([*POINTSMAN, "apply", str(document)], check=True, capture_output=True)
            yield folder
        finally:
            subprocess.run([*POINTSMAN, "down"], check=True, capture_output=True)


def token_of(stack: StackFolder, role: str, sub: str) -> str:
    status = stack.status()
    assert status.key_file is not None
    return local_token(Path(status.key_file), role, "acme", sub, 3600)


@asynccontextmanager
async def a_session(stack: StackFolder, role: str, sub: str) -> AsyncIterator[Session]:
    url = stack.status().url
    assert url is not None
    async with Session(url, token_of(stack, role, sub), retry_seconds=120) as session:
        yield session


class Program:
    """A subprocess that is spoken with by lines."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | environment,
        )  # fmt: skip
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def expect(self, pattern: str) -> re.Match[str]:
        """The next line in which the pattern is found."""
        while True:
            try:
                line = self._lines.get(timeout=60)
            except queue.Empty:
                raise AssertionError(f"no line with {pattern!r} in {self.said}") from None
            assert line is not None, f"it ended without {pattern!r}: {self.said}"
            self.said.append(line)
            found = re.search(pattern, line)
            if found:
                return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def ends(self) -> int:
        return self.process.wait(timeout=60)


@contextmanager
def running(command: Sequence[str], **environment: str) -> Iterator[Program]:
    program = Program(command, environment)
    try:
        yield program
    finally:
        program.close()


async def agent_state(stack: StackFolder, name: str) -> str:
    async with a_session(stack, "supervisor", "sue") as session:
        return str((await session.get(f"/routing/v1/agents/{name}"))["state"])


async def test_an_agent_works_in_the_terminal(stack: StackFolder) -> None:
    with running([*POINTSMAN, "agent", "--as", "anna"]) as terminal:
        terminal.expect("anna is available")
        terminal.expect("You hold nothing")
        async with a_session(stack, "connector", "site-chat") as session:
            connector = Connector(session, "site-chat")
            ada = {"id": "ada", "name": "Ada"}
            first = {"thread": "t1", "customer": ada, "subject": "Parcel"}
            posted = await connector.post(external_id="a1", text="Where is my parcel?", **first)
            terminal.expect(r"offer 1: normal chat in general “Parcel” from Ada, \d+ s to accept\. Anna can do it")
            terminal.type("frobnicate")
            terminal.expect("! frobnicate: no such command")
            terminal.type("answer 1 too early")
            terminal.expect("! nobody holds the ticket")
            terminal.type("accept 1")
            terminal.expect("1 is yours")
            terminal.expect("1 > Ada: Where is my parcel")
            terminal.type("note 1 called the warehouse")
            terminal.expect("1 < noted")
            terminal.type("answer 1 It is  on its way.")
            terminal.expect("1 < answered")
            await until_it(lambda: _has_reply(connector, posted.ticket_id, "It is  on its way."))
            await connector.post(external_id="a2", text="And when?", **first)
            terminal.expect("1 > Ada: And when")
            terminal.type("pend 1")
            terminal.expect("1 waits on the customer")
            await connector.post(external_id="a3", text="I am back.", **first)
            terminal.expect("1 > Ada: I am back")
            terminal.expect("1 is woken")
            terminal.type("list")
            terminal.expect("1 assigned: normal chat")
            terminal.type("label 1 priority=high +vip")
            terminal.expect(r"1 is high .*, tagged vip")
            terminal.type("snooze 1 tomorrow")
            terminal.expect("! until when")
            terminal.type("snooze 1 2h")
            terminal.expect(r"1 is set aside until \d{4}-")
            terminal.type("transfer 1 queue othr they know more")
            terminal.expect("! .*othr")
            terminal.type("transfer 1 queue other they know more")
            terminal.expect("1 is (queued|offered), in other")
            terminal.type("list")
            terminal.expect("offer 1: high chat in other")
            terminal.type("accept 1")
            terminal.expect("1 is yours")
            terminal.type("resolve 1")
            terminal.expect(r"1 is resolved \(solved\)")
            terminal.type("away lunch")
            terminal.expect(r"anna is away \(lunch\), set by agent; in hand: nothing")
        terminal.process.send_signal(signal.SIGINT)
        terminal.expect("anna leaves")
        assert terminal.ends() == 0
    assert await agent_state(stack, "anna") == "offline"


def test_the_terminal_says_that_the_server_is_away_and_back(stack: StackFolder) -> None:
    (edge,) = (process for process in stack.status().processes if process.name == "edge")
    assert edge.pid is not None
    with running([*POINTSMAN, "agent", "--as", "anna"]) as terminal:
        terminal.expect("You hold nothing")
        os.kill(edge.pid, signal.SIGKILL)
        terminal.expect("The server is away: http")
        terminal.expect("The server is back")
        terminal.type("me")
        terminal.expect("anna is available")
        terminal.type("quit")
        terminal.expect("anna leaves")
        assert terminal.ends() == 0


async def _has_reply(connector: Connector, ticket: str, text: str) -> bool:
    replies, _ = await connector.poll_replies(wait_seconds=0)
    return (ticket, text) in [(reply.ticket_id, reply.text) for reply in replies]


def typed(*arguments: str, text: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command whose input is a pipe."""
    return subprocess.run(
        [*POINTSMAN, *arguments],
        check=False,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )


async def test_the_end_of_the_input_leaves_too(stack: StackFolder) -> None:
    piped = await asyncio.to_thread(typed, "agent", "--as", "anna", text="me\n")
    assert (piped.returncode, piped.stderr) == (0, "")
    assert piped.stdout.splitlines()[-1] == "anna leaves."
    assert await agent_state(stack, "anna") == "offline"


def test_only_agents_work_and_nobody_under_another_name(stack: StackFolder) -> None:
    strange = typed("agent", "--as", "nobody")
    assert (strange.returncode, strange.stderr.count("\n")) == (2, 1)
    assert "no agent of this name" in strange.stderr
    url = stack.status().url or ""
    for role, sub, code in (("agent", "boris", 2), ("admin", "root", 0)):
        token = token_of(stack, role, sub)
        other = typed("agent", "--as", "anna", POINTSMAN_URL=url, POINTSMAN_TOKEN=token)
        assert other.returncode == code, other.stderr


def examples(page: str) -> list[str]:
    """The Python programs of a guide, in order."""
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


async def test_the_programs_of_the_guides_work_together(stack: StackFolder, tmp_path: Path) -> None:
    url = stack.status().url or ""
    with_client, plain = examples("agent-apps.md")
    (connector,) = examples("connectors.md")
    (listener,) = examples("events.md")
    for program in (with_client, connector):
        assert len([line for line in program.splitlines() if line.strip()]) <= 13, "ten lines and the imports"

    def run(program: str, role: str, sub: str) -> list[str]:
        return [sys.executable, "-c", program, role, sub]

    def environment(role: str, sub: str) -> dict[str, str]:
        return {"POINTSMAN_URL": url, "POINTSMAN_TOKEN": token_of(stack, role, sub)}

    with running(run(listener, "", ""), **environment("supervisor", "sue")) as events:
        for agent, number in ((with_client, 1), (plain, 2)):
            program = connector.replace('"42"', f'"example-{number}"').replace("visitor-7", f"visitor-{number}")
            with (
                running(run(agent, "", ""), **environment("agent", "boris")),
                running(run(program, "", ""), **environment("connector", "site-chat")) as site,
            ):
                site.expect(f"to visitor-{number}: Thank you, we look into it.")
                ticket = events.expect(r"ticket.opened (tkt_\S+)")[1]
                while events.expect(r"ticket.resolved (tkt_\S+)")[1] != ticket:
                    continue
            async with a_session(stack, "agent", "boris") as session:
                resolved = await Agent(session).ticket(ticket)
            assert (resolved.state, resolved.outcome) == ("resolved", "solved")


async def test_a_lease_is_renewed_in_the_background(stack: StackFolder) -> None:
    async with a_session(stack, "agent", "anna") as session:
        agent = Agent(session, lease_seconds=6)

        async def lives_until() -> str:
            sessions = (await session.get("/routing/v1/me"))["sessions"]
            return str(max((each["lease_until"] for each in sessions), default=""))

        async with agent.on_duty() as duty:
            first = await lives_until()

            async def renewed() -> bool:
                return await lives_until() > first

            await until_it(renewed, within_seconds=120)
            assert not duty.ended.is_set()
    assert await agent_state(stack, "anna") == "offline"


async def test_iterators_and_calls_outlive_a_server_that_is_killed(stack: StackFolder) -> None:
    async with (
        a_session(stack, "agent", "anna") as session,
        a_session(stack, "connector", "quiet") as posting,
        a_session(stack, "supervisor", "sue") as watching,
    ):
        agent, connector = Agent(session, lease_seconds=600), Connector(posting, "quiet")
        offers: list[Offer] = []
        notices: list[str] = []
        events: list[str] = []

        async def collect_offers() -> None:
            async for offer in agent.offers():
                offers.append(offer)

        async def collect_notices() -> None:
            async for notice in agent.stream():
                notices.append(notice.name)

        async def collect_events() -> None:
            async for page in event_pages(watching, types=["ticket.opened"]):
                events.extend(event.subject for event in page.events)

        collecting = [asyncio.create_task(work()) for work in (collect_offers, collect_notices, collect_events)]
        async with agent.on_duty() as duty:
            before = await connector.post(external_id="k1", thread="k1", customer={"name": "Kim"}, text="One")
            await until(lambda: before.ticket_id in [offer.ticket_id for offer in offers])
            await until(lambda: "offer.made" in notices)
            edge = stack.status().process("edge").pid
            assert edge is not None
            os.kill(edge, signal.SIGKILL)
            after = await connector.post(external_id="k2", thread="k2", customer={"name": "Kim"}, text="Two")
            await until(lambda: after.ticket_id in [offer.ticket_id for offer in offers], within_seconds=150)
            await until(lambda: notices.count("offer.made") >= 2, within_seconds=60)
            await until(lambda: after.ticket_id in events)
            assert len({offer.id for offer in offers}) == len(offers), "each offer once"
            assert len(set(events)) == len(events), "each event once"
            for offer in offers:
                taken = await agent.accept(offer.id)
                assert taken.state == "accepted"
                await agent.resolve(offer.ticket_id)
            with pytest.raises(ApiError) as late:
                await agent.accept(offers[0].id + "0")
            assert late.value.status in (404, 409)
            assert duty.presence.state == "available"
            (anna,) = [each for each in await Supervisor(watching).agents() if each["agent"] == "anna"]
            assert anna["state"] == "available"
        for task in collecting:
            task.cancel()
        await asyncio.gather(*collecting, return_exceptions=True)
    assert await agent_state(stack, "anna") == "offline"


def test_the_live_invariants_are_audited_by_the_command() -> None:
    audited = typed("audit", "-w", "acme", "--json")
    assert (audited.returncode, '"ok": true' in audited.stdout) == (0, True), audited.stdout
    shown = typed("audit", "-w", "acme")
    assert (shown.returncode, "Everything holds." in shown.stdout) == (0, True)


async def test_the_client_takes_what_the_calls_take(stack: StackFolder) -> None:
    """Threads of replies, files, html and cc, and a message that nobody has seen had no place in it."""
    async with a_session(stack, "connector", "quiet") as site, a_session(stack, "agent", "anna") as app:
        connector, agent = Connector(site, "quiet"), Agent(app)
        posted = await connector.post(external_id="c1", text="Here is my bill", customer={"id": "joe"})
        again = await connector.post(external_id="c1", text="Another text", customer={"id": "joe"})
        assert (again.message_id, again.duplicate, again.differs) == (posted.message_id, True, True)
        async with agent.on_duty():
            async for offer in agent.offers():
                if offer.ticket_id == posted.ticket_id:
                    await agent.accept(offer.id)
                    break
            file = await agent.attach("terms.txt", b"Thirty days.", "text/plain")
            replied = await agent.reply(
                posted.ticket_id,
                "See the file",
                html="<p>See the file</p>",
                cc=["kim@example.org"],
                attachment_ids=[file],
            )
            assert [attachment["attachment_id"] for attachment in replied.attachments] == [file]
            replies, _ = await connector.poll_replies(wait_seconds=30)
            (reply,) = [reply for reply in replies if reply.ticket_id == posted.ticket_id]
            got = await site.download(reply.attachments[0]["attachment_id"])
            assert (got.name, got.content_type, got.content) == ("terms.txt", "text/plain", b"Thirty days.")
            await connector.delivered(reply.id, "p1", thread="at-the-provider")
            more = await connector.post(external_id="c2", thread="at-the-provider", text="Thank you")
            assert more.ticket_id == posted.ticket_id
            await until_it(lambda: _has_message(agent, posted.ticket_id, "Thank you"))
            until_then = datetime.now(UTC) + timedelta(days=1)
            with pytest.raises(ApiError) as refused:
                await agent.snooze(posted.ticket_id, until_then, last_message_id=posted.message_id)
            assert refused.value.code == "unseen-message"
            assert (
                await agent.snooze(posted.ticket_id, until_then, last_message_id=more.message_id)
            ).state == "snoozed"
    async with a_session(stack, "supervisor", "sue") as session:
        async for page in event_pages(session, types=["alert.exhausted"], wait_seconds=0):
            assert (page.events, page.cursor != "") == ([], True)
            break


async def _has_message(agent: Agent, ticket: str, text: str) -> bool:
    return text in [message.text for message in await agent.messages(ticket)]
