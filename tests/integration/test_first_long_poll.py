"""A first long poll has no cursor yet. With `wait` it waits as any other while there is nothing."""

import asyncio
from typing import Any

import pytest

from tests.integration.workspace import Workspace

pytestmark = pytest.mark.stack


async def test_a_poll_without_a_cursor_waits_for_the_first_thing(workspace: Workspace) -> None:
    """It came back at once with nothing: who asked right after posting saw `[]` once in three times."""
    await workspace.open()
    events = "/events?wait=30&type=ticket.assigned"
    polls = [
        asyncio.create_task(workspace.get("/me/offers?wait=30")),
        asyncio.create_task(workspace.get("/replies?wait=30", "connector", "intake")),
        asyncio.create_task(workspace.get(events, "supervisor")),
    ]
    # Nothing is there: a poll that does not wait says so.
    assert (await workspace.get("/me/offers"))["items"] == []
    assert not any(poll.done() for poll in polls)
    ticket = await workspace.write("t1")
    assert [offer["ticket"]["id"] for offer in (await polls[0])["items"]] == [ticket]
    await workspace.hold(ticket)
    assert [event["subject"] for event in (await polls[2])["items"]] == [ticket]
    answer: dict[str, Any] = {"text": "Hello Kim", "public": True}
    assert (await workspace.call("POST", f"/tickets/{ticket}/messages", json=answer)).status_code == 201
    assert [reply["text"] for reply in (await polls[1])["items"]] == ["Hello Kim"]
