"""Edits, deletions and reactions through every service: what agents see in the end does not depend on the order."""

import random
from typing import Any

import pytest

from pointsman.testing.waiting import until
from tests.integration.workspace import Workspace

pytestmark = pytest.mark.stack

AT = "2026-03-01T09:{:02}:00Z"


FILE = {"name": "a.txt", "content_type": "text/plain", "content_base64": "aGk="}


def _said(thread: str, id: str, minute: int, **said: Any) -> dict[str, Any]:
    about = {"replaces": f"{thread}/{said.pop('replaces')}"} if "replaces" in said else {}
    message = {"connector": "site-chat", "external_id": f"{thread}/{id}", "thread": thread}
    return message | {"occurred_at": AT.format(minute), "customer": {"handle": "kim"}} | said | about


def _story(thread: str, *, deleted: bool) -> list[dict[str, Any]]:
    story = [
        _said(thread, "m", 1, text="My PIN is 1234", html="<p>My PIN is 1234</p>"),
        _said(thread, "e1", 2, kind="edit", replaces="m", text="My PIN is secret", attachments=[FILE]),
        _said(thread, "e10", 3, kind="edit", replaces="m", text="Help", html="<p>Help</p>"),
        _said(thread, "e9", 3, kind="edit", replaces="m", text="Hel"),
        _said(thread, "r", 4, kind="reaction", replaces="m", text=":wave:"),
        _said(thread, "other", 5, text="Another matter"),
    ]
    return [*story, _said(thread, "d", 6, kind="delete", replaces="m")] if deleted else story


async def _post(workspace: Workspace, message: dict[str, Any]) -> dict[str, str]:
    """Posts it as any connector does: again after a 503."""

    async def taken() -> Any:
        answer = await workspace.call("POST", "/messages", "connector", "intake", json=message)
        return None if answer.status_code == 503 else answer

    posted = await until(taken)
    assert posted.status_code == 202, posted.text
    accepted: dict[str, str] = posted.json()
    return accepted


async def _end(workspace: Workspace, ticket: str, count: int) -> list[dict[str, Any]]:
    """All messages of a conversation once they are there, by their words and marks."""

    async def there() -> Any:
        answer = await workspace.call("GET", f"/tickets/{ticket}/messages")
        items = answer.json()["items"] if answer.status_code == 200 else []
        return items if len(items) == count else None

    items = await until(there, within_seconds=60.0)
    ids = {item["id"]: item["occurred_at"] for item in items}
    shown = ("kind", "text", "html", "attachments", "automatic", "edited_at", "deleted_at", "occurred_at")
    ends = [{name: item[name] for name in shown} | {"about": ids.get(item["replaces"])} for item in items]
    for end in ends:
        end["files"] = [file["name"] for file in end["attachments"] if "name" in file]
    return sorted(ends, key=lambda end: (end["occurred_at"], end["kind"], end["text"]))


@pytest.mark.parametrize("deleted", [False, True])
async def test_any_order_of_a_message_and_what_changes_it_ends_the_same(workspace: Workspace, deleted: bool) -> None:
    await workspace.open()
    chance = random.Random(5)
    ends = []
    for number in range(10):
        story = _story(f"t{number}", deleted=deleted)
        order = [*story, *chance.sample(story, 3)] if number else story
        if number:
            chance.shuffle(order)
        tickets = set()
        for message in order:
            tickets.add((await _post(workspace, message))["ticket_id"])
        (ticket,) = tickets
        ends.append(await _end(workspace, ticket, len(story)))
    for end in ends:
        for one in end:
            del one["attachments"]  # each has ids of its own
    assert all(end == ends[0] for end in ends)
    (original,) = [one for one in ends[0] if one["kind"] == "message" and one["occurred_at"] == AT.format(1)]
    assert {one["about"] for one in ends[0] if one["kind"] not in ("message",)} == {AT.format(1)}
    if deleted:
        assert (original["text"], original["html"], original["deleted_at"]) == ("", None, AT.format(6))
        assert [one["text"] for one in ends[0] if one["kind"] == "edit"] == ["", "", ""]
    else:
        assert (original["text"], original["html"], original["edited_at"]) == ("Help", "<p>Help</p>", AT.format(3))
        assert (original["deleted_at"], original["files"]) == (None, ["a.txt"])


async def test_nothing_of_a_deleted_message_is_left_but_that_it_was(workspace: Workspace) -> None:
    await workspace.open()
    headers = {"content-type": "text/plain"}
    kept = await workspace.call("POST", "/attachments", "connector", "intake", content=b"1234", headers=headers)
    files = [
        {"attachment_id": kept.json()["attachment_id"]},
        {"name": "pin.txt", "content_type": "text/plain", "content_base64": "MTIzNA=="},
    ]
    message = _said("t", "m", 1, text="The PIN is swordfish", attachments=files)
    posted = await _post(workspace, message)
    ticket = posted["ticket_id"]
    (first,) = await _end(workspace, ticket, 1)
    ids = [file["attachment_id"] for file in first["attachments"]]
    for id in ids:
        assert (await workspace.call("GET", f"/attachments/{id}", "agent", "intake")).content == b"1234"
    edit = _said("elsewhere", "e", 2, kind="edit", text="The PIN is swordfish, sorry")
    for change in (edit | {"replaces": "t/m"}, _said("t", "d", 3, kind="delete", replaces="m")):
        assert (await _post(workspace, change))["ticket_id"] == ticket, "it joins the conversation of what it is about"
    end = await _end(workspace, ticket, 3)
    assert [(one["kind"], one["text"], one["attachments"]) for one in end] == [
        ("message", "", []), ("edit", "", []), ("delete", "", []),
    ]  # fmt: skip
    for id in ids:
        gone = await workspace.call("GET", f"/attachments/{id}", "agent", "intake")
        assert (gone.status_code, gone.json()["type"]) == (410, "/problems/attachment-deleted")
    timeline = await workspace.call("GET", f"/tickets/{ticket}/timeline")
    assert "swordfish" not in timeline.text
    told = [event["data"] for event in timeline.json()["items"] if event["type"] == "message.received"]
    assert [one["kind"] for one in told] == ["message", "edit", "delete"]
    assert [one.get("replaces") for one in told] == [None, posted["message_id"], posted["message_id"]]
    changed = [event["data"]["change"] for event in timeline.json()["items"] if event["type"] == "message.changed"]
    assert changed == ["edited", "deleted"]
    assert (await workspace.get("/tickets?q=swordfish"))["items"] == []
    shown = await workspace.get(f"/tickets/{ticket}")
    assert shown["state"] in ("queued", "offered")


async def test_an_edit_does_not_open_what_was_closed(workspace: Workspace) -> None:
    await workspace.open()
    ticket = await workspace.write("t")
    await workspace.hold(ticket)
    resolved = {"outcome": "spam"}
    assert (await workspace.call("POST", f"/tickets/{ticket}/resolve", json=resolved)).status_code == 200
    edit = _said("t", "e", 1, kind="edit", text="Goodbye") | {"replaces": "m1"}
    assert (await _post(workspace, edit))["ticket_id"] == ticket
    end = await _end(workspace, ticket, 2)
    assert [one["text"] for one in end] == ["Goodbye", "Goodbye"]
    assert (await workspace.get(f"/tickets/{ticket}"))["state"] == "resolved"
