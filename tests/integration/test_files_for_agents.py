"""Files through every service: what a customer's message names and what an agent attaches, as both sides see it."""

from typing import Any

import pytest

from pointsman.testing.waiting import until
from pointsman_intake.deliver import reporting
from pointsman_intake.fetching import FetchingLoop
from pointsman_intake.settings import IntakeSettings
from tests.integration.intake.fileserver import a_file_server
from tests.integration.services import Services
from tests.integration.workspace import Workspace

pytestmark = pytest.mark.stack


async def keep(workspace: Workspace, name: str, content: bytes) -> str:
    headers = {"content-type": "text/plain"}
    kept = await workspace.call(
        "POST", f"/attachments?name={name}", "agent", "intake", content=content, headers=headers
    )
    return str(kept.json()["attachment_id"])


async def test_an_agent_attaches_what_there_is(workspace: Workspace) -> None:
    """An attachment that nobody had ever stored was taken, and its reply went out without it."""
    await workspace.open()
    ticket = await workspace.write("t1")
    await workspace.hold(ticket)
    file = await keep(workspace, "terms.txt", b"Thirty days.")
    said = {"text": "See the file", "public": True, "attachment_ids": ["att_nope", file]}
    refused = await workspace.call("POST", f"/tickets/{ticket}/messages", json=said)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/attachment_ids/0")
    written = await workspace.call("POST", f"/tickets/{ticket}/messages", json=said | {"attachment_ids": [file]})
    assert written.status_code == 201, written.text
    shown = {"attachment_id": file, "name": "terms.txt", "content_type": "text/plain", "size": 12}
    assert written.json()["attachments"] == [shown]

    async def to_deliver() -> Any:
        return (await workspace.get("/replies?connector=site-chat", "connector", "intake"))["items"]

    (reply,) = await until(to_deliver)
    assert reply["attachments"] == [shown]
    got = await workspace.call("GET", f"/attachments/{file}", "connector", "intake")
    assert (got.content, got.headers["content-disposition"]) == (b"Thirty days.", 'attachment; filename="terms.txt"')
    began = {"connector": "site-chat", "customer": "joe", "text": "Hello", "public": True}
    refused = await workspace.call("POST", "/tickets", json=began | {"attachment_ids": ["att_nope"]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/attachment_ids/0")


async def test_an_agent_sees_what_became_of_a_file_that_a_message_named(
    workspace: Workspace, services: Services
) -> None:
    await workspace.open()
    settings = IntakeSettings(**services.settings.model_dump() | {"fetch_from_loopback": True})
    async with a_file_server() as files:
        attachments = [
            {"name": "a.txt", "url": files.put("/a", b"abc")},
            {"name": "b.txt", "url": files.put("/b", status="404 Not Found")},
        ]
        said = {"connector": "site-chat", "external_id": "f1", "text": "Two files", "attachments": attachments}
        posted = await workspace.call("POST", "/messages", "connector", "intake", json=said)
        ticket = posted.json()["ticket_id"]

        async def shown() -> Any:
            found = await workspace.call("GET", f"/tickets/{ticket}/messages")
            return found.status_code == 200 and found.json()["items"] and found.json()["items"][0]["attachments"]

        assert [file["state"] for file in await until(shown)] == ["fetching", "fetching"]
        link = services.apps["intake"].state.process.hub.link
        async with reporting(settings, link) as group, FetchingLoop(settings, group):

            async def settled() -> Any:
                found = await shown()
                return found if all(file["state"] != "fetching" for file in found) else None

            kept, failed = await until(settled)
    assert (kept["state"], kept["size"], kept["name"]) == ("kept", 3, "a.txt")
    assert (failed["state"], failed["reason"]) == ("failed", "the address answered 404")
    timeline = (await workspace.get(f"/tickets/{ticket}/timeline"))["items"]
    changed = [event["data"] for event in timeline if event["type"] == "message.changed"]
    assert [(one["message_id"], one["change"]) for one in changed] == [(posted.json()["message_id"], "attachments")] * 2
