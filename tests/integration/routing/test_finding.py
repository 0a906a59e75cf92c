"""What an agent finds: tickets by words and by priority, and whom and what may be named."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from pointsman.contracts.document.reading import read_document
from pointsman.contracts.shapes import PRIORITIES
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_routing.api import directory
from pointsman_routing.api.tickets import conditions
from tests.integration.routing.service import DOCUMENT, RoutingService, a_routing_service
from tests.integration.stack.test_plans import MESSAGES, TICKETS, fill

pytestmark = pytest.mark.stack


async def test_a_word_of_a_message_finds_its_ticket(routing: RoutingService) -> None:
    """Only subjects and names were looked at."""
    sue = await routing.as_("agent", "boris")
    await routing.customer_writes("t1", "The zeppelin never arrived", subject="Hello")
    await routing.customer_writes("t2", "zep" * 50_000)
    await routing.customer_writes("t2", "Another matter: ÄRGER mit 100% Rabatt")

    async def found(words: str) -> list[str]:
        answer = await sue.get("/v1/tickets", params={"q": words})
        assert answer.status_code == 200, answer.text
        return [ticket["id"] for ticket in answer.json()["items"]]

    async def said() -> Any:
        answer = await sue.get("/v1/tickets/t2/messages")
        return answer.is_success and len(answer.json()["items"]) == 2

    await until(said)
    assert await found("zeppelin") == ["t1"]
    assert await found("arrived ZEPPELIN") == ["t1"], "all words, in any order and case"
    assert await found("ärger rabatt") == ["t2"]
    assert await found("zeppelin ärger") == []
    assert await found("hell") == ["t1"], "a part of the subject as before"
    other = await routing.as_("agent", "eve", "elsewhere")
    assert (await other.get("/v1/tickets", params={"q": "zeppelin"})).json()["items"] == []


async def test_words_are_looked_for_once_and_not_for_each_ticket(installation: Installation) -> None:
    db = await installation.connect("routing")
    try:
        for table, given in (TICKETS | MESSAGES).items():
            await fill(db, table, given, 1, 500)
        where, values = conditions("acme", {"q": "nowhere"})
        (row,) = await db.fetch(
            f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT t.id FROM ticket t WHERE {' AND '.join(where)}", *values
        )
        nodes = list(_nodes(orjson.loads(row[0])[0]["Plan"]))
        assert [node["Actual Loops"] for node in nodes if node.get("Alias") == "m"] == [1]
        assert nodes[0]["Actual Rows"] == 0
    finally:
        await db.close()


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


async def test_lists_are_sorted_by_priority_page_by_page(installation: Installation, tmp_path: Any) -> None:
    rules = [{"when": {"text": rf"\b{each}\b"}, "set": {"priority": each}} for each in PRIORITIES]
    async with a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace(DOCUMENT | {"classify": {"rules": rules}})
        app = await routing.as_("agent", "anna")
        for number in range(12):
            await routing.customer_writes(f"t{number:02}", f"this is {PRIORITIES[number % 4]}")

        async def listed(sort: str) -> list[tuple[str, str]]:
            found: list[tuple[str, str]] = []
            cursor = None
            while True:
                params: dict[str, Any] = {"sort": sort, "limit": 5} | ({"cursor": cursor} if cursor else {})
                page = (await app.get("/v1/tickets", params=params)).json()
                found += [(ticket["priority"], ticket["id"]) for ticket in page["items"]]
                cursor = page["next_cursor"]
                if cursor is None:
                    return found

        async def all_there() -> Any:
            return len(await listed("-priority")) == 12

        await until(all_there)
        most_urgent_first = await listed("-priority")
        assert [priority for priority, _ in most_urgent_first] == [each for each in PRIORITIES for _ in range(3)]
        assert await listed("priority") == most_urgent_first[::-1]
        wrong = await app.get("/v1/tickets", params={"sort": "opened_at", "cursor": (await _cursor(app))})
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "?cursor")


async def _cursor(app: Any) -> str:
    return str((await app.get("/v1/tickets", params={"sort": "-priority", "limit": 1})).json()["next_cursor"])


async def test_the_directory_names_colleagues_queues_and_words(
    installation: Installation, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = DOCUMENT | {
        "skills": ["billing", "lang-de"],
        "queues": {"general": {}, "vip": {"pull": True}},
        "classify": {"categories": {"refund": {"queue": "vip"}}},
        "teams": {"front": {"name": "Front office", "queues": ["general"]}},
        "presence": {"reasons": ["lunch"]},
        "agents": {
            "anna": {"name": "Anna", "capacity": 8, "skills": {"billing": 3}, "team": "front"},
            "boris": {"name": "Boris", "capacity": 8, "queues": ["vip"]},
            "helper": {"kind": "bot"},
        },
    }
    reads: list[object] = []

    def reading(plain: Any) -> Any:
        reads.append(plain)
        return read_document(plain)

    monkeypatch.setattr(directory, "read_document", reading)
    async with a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace(document)
        anna = await routing.sign_in("anna")
        answers = await asyncio.gather(*(anna.get("/v1/directory") for _ in range(20)))
        assert ({answer.status_code for answer in answers}, len(reads)) == ({200}, 1), "read once for all who ask"
        found = (await anna.get("/v1/directory")).json()
        colleagues = {each["agent"]: each for each in found["agents"]}
        assert set(colleagues) == {"anna", "boris", "helper"}
        assert (colleagues["anna"]["state"], colleagues["boris"]["state"]) == ("available", "offline")
        assert (colleagues["anna"]["queues"], colleagues["boris"]["queues"]) == (["general"], ["vip"])
        assert (colleagues["helper"]["kind"], colleagues["helper"]["queues"]) == ("bot", ["general", "vip"])
        assert (colleagues["anna"]["skills"], colleagues["anna"]["team"]) == ({"billing": 3}, "front")
        assert found["queues"] == [
            {"queue": "general", "pull": False, "agents_available": 1},
            {"queue": "vip", "pull": True, "agents_available": 0},
        ]
        assert (found["reasons"], found["categories"], found["skills"]) == (
            ["lunch"],
            ["refund"],
            ["billing", "lang-de"],
        )
        assert found["teams"] == {"front": "Front office"}
        stranger = await routing.as_("agent", "eve", "elsewhere")
        assert (await stranger.get("/v1/directory")).status_code == 404
        connector = await routing.as_("connector", "site-chat")
        assert (await connector.get("/v1/directory")).status_code == 403
