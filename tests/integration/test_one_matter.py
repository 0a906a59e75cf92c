"""Two tickets become one, and one two, through every service: conversations, messages, clocks and figures."""

from typing import Any

import pytest

from tests.integration.runtime.tally import until
from tests.integration.town import Town

pytestmark = pytest.mark.stack

DOCUMENT: dict[str, Any] = {
    "workspace": "acme",
    "connectors": {"site-chat": {"channel": "chat", "kind": "json"}},
    "agents": {"anna": {"capacity": 9}},
    "sla": {"policies": [{"name": "standard", "targets": {"first_response": {"default": 3600}}}]},
}


class Shop:
    """One workspace in which anna works and customers write."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._written = 0

    async def call(self, method: str, path: str, role: str = "agent", service: str = "routing", **more: Any) -> Any:
        return await self._town.call(service, method, f"/v1{path}", role, "acme", **more)

    async def get(self, path: str, role: str = "agent", service: str = "routing") -> Any:
        return (await self.call("GET", path, role, service)).json()

    async def open(self) -> None:
        created = await self._town.call(
            "routing", "PUT", "/v1/config", "operator", "*", json=DOCUMENT, headers={"If-None-Match": "*"}
        )
        assert created.status_code == 200, created.text
        presence = {"session": "s1", "lease_seconds": 600, "state": "available"}
        assert (await self.call("PUT", "/me/presence", json=presence)).status_code == 200

        async def known() -> bool:
            versions = [await self.get("/config-version", service=name) for name in ("intake", "sla", "metrics")]
            return all(version["config_version"] for version in versions)

        await until(known)

    async def write(self, thread: str, text: str = "Hello") -> str:
        """A customer's message; the ticket that it is on."""
        self._written += 1
        message = {"connector": "site-chat", "external_id": f"m{self._written}", "thread": thread, "text": text}
        message |= {"customer": {"handle": "kim"}}  # type: ignore[dict-item]
        posted = await self.call("POST", "/messages", "connector", "intake", json=message)
        assert posted.status_code == 202, posted.text
        return str(posted.json()["ticket_id"])

    async def hold(self, ticket: str) -> None:
        """Anna accepts it."""

        async def offered() -> Any:
            offers = (await self.get("/me/offers"))["items"]
            return [offer for offer in offers if offer["ticket"]["id"] == ticket]

        (offer,) = await until(offered)
        assert (await self.call("POST", f"/offers/{offer['id']}/accept")).status_code == 200

    async def messages(self, ticket: str) -> list[tuple[str, str]]:
        """(the ticket, the text) of each message on the ticket's list."""
        items = (await self.get(f"/tickets/{ticket}/messages"))["items"]
        return [(item["ticket_id"], item["text"]) for item in items]

    async def running(self, ticket: str) -> list[dict[str, Any]]:
        """The response clocks that run."""
        clocks = (await self.get(f"/tickets/{ticket}/clocks", service="sla"))["items"]
        return [clock for clock in clocks if clock["metric"] == "first_response" and clock["state"] == "running"]


@pytest.fixture
async def shop(town: Town) -> Shop:
    shop = Shop(town)
    await shop.open()
    return shop


async def test_two_tickets_become_one(shop: Shop) -> None:
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
