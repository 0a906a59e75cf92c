"""Two tickets become one, and one two, through every service: conversations, messages, clocks and figures."""

from typing import Any

import pytest

from tests.integration.runtime.tally import until
from tests.integration.shop import Shop

pytestmark = pytest.mark.stack


async def test_two_tickets_become_one(shop: Shop) -> None:
    await shop.open()
    first, second = await shop.write("a", "One"), await shop.write("b", "Two")
    await shop.hold(first)
    await shop.hold(second)
    since = (await shop.get(f"/tickets/{first}"))["waiting_since"]
    refused = await shop.call("POST", f"/tickets/{first}/merge", json={"into": first, "reason": "the same"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/into")
    merged = await shop.call("POST", f"/tickets/{first}/merge", json={"into": second, "reason": "the same"})
    assert (merged.status_code, merged.json()["state"], merged.json()["merged_into"]) == (200, "closed", second)
    assert (await shop.get(f"/tickets/{second}"))["waiting_since"] == since
    assert await shop.messages(second) == [(first, "One"), (second, "Two")]
    assert [item["id"] for item in (await shop.get("/me/assignments"))["items"]] == [second]

    async def led() -> bool:
        return await shop.write("a", "Three") == second

    await until(led)

    async def told() -> bool:
        return (second, "Three") in await shop.messages(second)

    await until(told)

    async def counts_from_the_first() -> bool:
        started = [clock["started_at"] for clock in await shop.running(second)]
        return started == [since] and await shop.running(first) == []

    await until(counts_from_the_first)
    again = await shop.call("POST", f"/tickets/{first}/messages", json={"text": "Hi", "public": True})
    assert (again.status_code, again.json()["type"]) == (403, "/problems/not-holder")
    late = await shop.call("POST", f"/tickets/{first}/label", json={"priority": "low"})
    assert (late.status_code, late.json()["merged_into"]) == (409, second)


async def test_one_ticket_becomes_two(shop: Shop) -> None:
    await shop.open()
    first = await shop.write("a", "My bill is wrong.")
    await shop.hold(first)
    assert await shop.write("a", "And my bike is broken.") == first

    async def both_there() -> Any:
        items = (await shop.get(f"/tickets/{first}/messages"))["items"]
        return items if len(items) == 2 else None

    bill, bike = await until(both_there)
    body = {"message_ids": [bike["id"]], "reason": "another matter"}
    all_of_them = body | {"message_ids": [bill["id"], bike["id"]]}
    refused = await shop.call("POST", f"/tickets/{first}/split", json=all_of_them)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/message_ids")
    split = await shop.call("POST", f"/tickets/{first}/split", json=body)
    assert (split.status_code, split.json()["state"]) == (201, "offered"), split.text
    second = split.json()["id"]
    assert await shop.messages(first) == [(first, "My bill is wrong.")]
    assert await shop.messages(second) == [(second, "And my bike is broken.")]
    await shop.hold(second)
    answer = await shop.call("POST", f"/tickets/{second}/messages", json={"text": "Bring it.", "public": True})
    assert answer.status_code == 201, answer.text
    assert await shop.write("a", "Thanks") == first

    async def clocks_stand_for_each() -> bool:
        clocks = (await shop.get(f"/tickets/{second}/clocks", service="sla"))["items"]
        met = [clock for clock in clocks if (clock["metric"], clock["state"]) == ("first_response", "met")]
        return len(met) == 1 and met[0]["started_at"] == bike["received_at"] and len(await shop.running(first)) == 1

    await until(clocks_stand_for_each)

    async def reply_waits_for_the_connector() -> bool:
        found = (await shop.get("/replies?connector=site-chat", "connector", "intake"))["items"]
        return [(reply["ticket_id"], reply["thread"]) for reply in found] == [(second, "a")]

    await until(reply_waits_for_the_connector)
