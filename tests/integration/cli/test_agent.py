"""`pointsman agent`: an agent at work in a terminal, whose server may be away."""

import asyncio
import os
import signal

import pytest

from pointsman.client import Connector
from pointsman.local.folder import StackFolder
from pointsman.testing.waiting import until
from tests.integration.cli.program import POINTSMAN, piped, running
from tests.integration.cli.sessions import a_session, agent_state, has_reply, token_of

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300), pytest.mark.usefixtures("small_floor")]


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
            await until(lambda: has_reply(connector, posted.ticket_id, "It is  on its way."))
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


async def test_the_end_of_the_input_leaves_too(stack: StackFolder) -> None:
    done = await asyncio.to_thread(piped, "agent", "--as", "anna", text="me\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "anna leaves."
    assert await agent_state(stack, "anna") == "offline"


def test_only_agents_work_and_nobody_under_another_name(stack: StackFolder) -> None:
    strange = piped("agent", "--as", "nobody")
    assert (strange.returncode, strange.stderr.count("\n")) == (2, 1)
    assert "no agent of this name" in strange.stderr
    url = stack.status().url or ""
    for role, sub, code in (("agent", "boris", 2), ("admin", "root", 0)):
        token = token_of(stack, role, sub)
        other = piped("agent", "--as", "anna", POINTSMAN_URL=url, POINTSMAN_TOKEN=token)
        assert other.returncode == code, other.stderr
