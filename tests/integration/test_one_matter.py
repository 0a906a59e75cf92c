"""Two tickets become one, and one two, through every service: conversations, messages, clocks and figures."""

from typing import Any

import pytest

from pointsman.testing.waiting import until
from tests.integration.workspace import Workspace

pytestmark = pytest.mark.stack


async def test_two_tickets_become_one(workspace: Workspace) -> None:
    await workspace.open()
    first, second = await workspace.write("a", "One"), await workspace.write("b", "Two")
    await workspace.hold(first)
    await workspace.hold(second)
    since = (await workspace.get(f"/tickets/{first}"))["waiting_since"]
    refused = await workspace.call("POST", f"/tickets/{first}/merge", json={"into": first, "reason": "the same"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/into")
    merged = await workspace.call("POST", f"/tickets/{first}/merge", json={"into": second, "reason": "the same"})
    assert (merged.status_code, merged.json()["state"], merged.json()["merged_into"]) == (200, "closed", second)
    assert (await workspace.get(f"/tickets/{second}"))["waiting_since"] == since
    assert await workspace.messages(second) == [(first, "One"), (second, "Two")]
    assert [item["id"] for item in (await workspace.get("/me/assignments"))["items"]] == [second]

    async def led() -> bool:
        return await workspace.write("a", "Three") == second

    await until(led)

    async def told() -> bool:
        return (second, "Three") in await workspace.messages(second)

    await until(told)

    async def counts_from_the_first() -> bool:
        started = [clock["started_at"] for clock in await workspace.running(second)]
        return started == [since] and await workspace.running(first) == []

    await until(counts_from_the_first)
    again = await workspace.call("POST", f"/tickets/{first}/messages", json={"text": "Hi", "public": True})
    assert (again.status_code, again.json()["type"]) == (403, "/problems/not-holder")
    late = await workspace.call("POST", f"/tickets/{first}/label", json={"priority": "low"})
    assert (late.status_code, late.json()["merged_into"]) == (409, second)


async def test_one_ticket_becomes_two(workspace: Workspace) -> None:
    await workspace.open()
    first = await workspace.write("a", "My bill is wrong.")
    await workspace.hold(first)
    assert await workspace.write("a", "And my bike is broken.") == first

    async def both_there() -> Any:
        items = (await workspace.get(f"/tickets/{first}/messages"))["items"]
        return items if len(items) == 2 else None

    bill, bike = await until(both_there)
    body = {"message_ids": [bike["id"]], "reason": "another matter"}
    all_of_them = body | {"message_ids": [bill["id"], bike["id"]]}
    refused = await workspace.call("POST", f"/tickets/{first}/split", json=all_of_them)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/message_ids")
    split = await workspace.call("POST", f"/tickets/{first}/split", json=body)
    assert (split.status_code, split.json()["state"]) == (201, "offered"), split.text
    second = split.json()["id"]
    assert await workspace.messages(first) == [(first, "My bill is wrong.")]
    assert await workspace.messages(second) == [(second, "And my bike is broken.")]
    await workspace.hold(second)
    answer = await workspace.call("POST", f"/tickets/{second}/messages", json={"text": "Bring it.", "public": True})
    assert answer.status_code == 201, answer.text
    assert await workspace.write("a", "Thanks") == first

    async def clocks_stand_for_each() -> bool:
        clocks = (await workspace.get(f"/tickets/{second}/clocks", service="sla"))["items"]
        met = [clock for clock in clocks if (clock["metric"], clock["state"]) == ("first_response", "met")]
        return (
            len(met) == 1 and met[0]["started_at"] == bike["received_at"] and len(await workspace.running(first)) == 1
        )

    await until(clocks_stand_for_each)

    async def reply_waits_for_the_connector() -> bool:
        found = (await workspace.get("/replies?connector=site-chat", "connector", "intake"))["items"]
        return [(reply["ticket_id"], reply["thread"]) for reply in found] == [(second, "a")]

    await until(reply_waits_for_the_connector)
