"""The client: the programs of the guides, and what it promises while the server is killed."""

import asyncio
import os
import re
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pointsman.client import Agent, Connector, Offer, Supervisor, event_pages
from pointsman.client.session import ApiError
from pointsman.local.folder import StackFolder
from pointsman.testing.waiting import until
from tests.integration.cli.program import piped, running
from tests.integration.cli.sessions import a_session, agent_state, token_of

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300), pytest.mark.usefixtures("small_floor")]

DOCS = Path(__file__).parents[3] / "docs"


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

            await until(renewed, within_seconds=120)
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
    audited = piped("audit", "-w", "acme", "--json")
    assert (audited.returncode, '"ok": true' in audited.stdout) == (0, True), audited.stdout
    shown = piped("audit", "-w", "acme")
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
            await until(lambda: _has_message(agent, posted.ticket_id, "Thank you"))
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
