"""A shut queue's reply reaches the customer through their connector, and answers nobody: clocks and figures go on."""

from typing import Any

import pytest

from pointsman.testing.waiting import until
from tests.integration.workspace import Workspace

pytestmark = pytest.mark.stack

NEVER = {"tz": "UTC", "days": {"2001-01-01": [["09:00", "10:00"]]}}


async def test_outside_hours_the_customer_hears_so_and_the_ticket_waits_for_the_opening(workspace: Workspace) -> None:
    queues = {"general": {"hours": "never", "closed": {"reply": "closed", "then": "hold"}}}
    await workspace.open(queues=queues, calendars={"never": NEVER}, replies={"closed": {"en": "We are closed."}})
    ticket = await workspace.write("a", "Hello, my order did not arrive, can you help me?")

    async def replies() -> Any:
        return (await workspace.get("/replies?connector=site-chat", "connector", "intake"))["items"]

    (reply,) = await until(replies)
    assert (reply["text"], reply["author"]["kind"], reply["thread"]) == ("We are closed.", "bot", "a")
    assert (await workspace.get(f"/tickets/{ticket}"))["held"] == "hours"
    delivered = await workspace.call("POST", f"/replies/{reply['id']}/delivered", "connector", "intake")
    assert delivered.is_success

    async def shown_as_delivered() -> bool:
        messages = (await workspace.get(f"/tickets/{ticket}/messages"))["items"]
        return [message["delivery"] for message in messages] == [None, "delivered"]

    await until(shown_as_delivered)

    async def clock_runs() -> bool:
        return len(await workspace.running(ticket)) == 1

    await until(clock_runs)

    async def exported() -> Any:
        answer = await workspace.call(
            "GET", "/exports/tickets", "viewer", "metrics", headers={"Accept": "application/x-ndjson"}
        )
        return [line for line in answer.text.splitlines() if line] if answer.is_success else None

    (line,) = await until(exported)
    assert '"first_response_seconds":null' in line.replace(" ", ""), line
    opened = await workspace.call("POST", "/queues/general/open", "supervisor", json={"reason": "overtime"})
    assert (opened.status_code, opened.json()["state"], opened.json()["held"]) == (200, "open", 0), opened.text
    await workspace.hold(ticket)
