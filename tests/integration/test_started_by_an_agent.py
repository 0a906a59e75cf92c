"""A ticket that an agent starts, through every service: the message leaves, the answer joins, clocks and figures."""

from typing import Any

import pytest

from pointsman.testing.waiting import until
from tests.integration.workspace import Workspace

pytestmark = pytest.mark.stack


async def test_the_customer_answers_what_an_agent_began(workspace: Workspace) -> None:
    await workspace.open()
    body = {
        "connector": "site-chat",
        "customer": {"email": "Ada@Example.com", "name": "Ada"},
        "subject": "Your order",
        "text": "It is late; shall we send another?",
        "public": True,
    }
    started = await workspace.call("POST", "/tickets", json=body)
    assert started.status_code == 201, started.text
    ticket = started.json()["id"]

    async def to_deliver() -> Any:
        return (await workspace.get("/replies?connector=site-chat", "connector", "intake"))["items"]

    (reply,) = await until(to_deliver)
    assert (reply["ticket_id"], reply["text"], reply["subject"]) == (ticket, body["text"], "Your order")
    assert (reply["recipient"]["email"], reply["recipient"]["name"]) == ("ada@example.com", "Ada")
    assert not await workspace.running(ticket), "nobody waits for an answer"

    report = {"external_id": "p-1", "thread": "room-7"}
    done = await workspace.call("POST", f"/replies/{reply['id']}/delivered", "connector", "intake", json=report)
    assert done.status_code == 200, done.text
    answer = {
        "connector": "site-chat",
        "external_id": "a-1",
        "thread": "room-7",
        "text": "Yes please",
        "customer": {"email": "ada@example.com"},
    }
    posted = await workspace.call("POST", "/messages", "connector", "intake", json=answer)
    assert posted.json()["ticket_id"] == ticket

    async def answered() -> bool:
        return [text for _, text in await workspace.messages(ticket)] == [body["text"], "Yes please"]

    await until(answered)
    shown = await workspace.get(f"/tickets/{ticket}")
    assert (shown["state"], shown["agent"]) == ("assigned", "anna")
    customer = await workspace.get(f"/customers/{shown['customer']['id']}", "agent", "intake")
    assert customer["emails"] == ["ada@example.com"]

    async def clock_runs() -> Any:
        return await workspace.running(ticket)

    assert len(await until(clock_runs)) == 1
