"""Two workspaces whose lane is the same: what one asks for is not what the other waits for."""

import asyncio
from functools import partial
from itertools import count
from typing import Any

import pytest

from pointsman.core.ids import lane_of
from pointsman.testing.waiting import until
from pointsman_routing.classify.rules import NOT_ASKED
from tests.integration.services import Services

pytestmark = pytest.mark.stack

RULES = 500
EXPENSIVE = r"(?:a{0,20}){20}b"
"""Four milliseconds of a text of 64,000 letters."""
TEXT = "a" * 64_000
MESSAGES = 30


def a_document(workspace: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "connectors": {"site-chat": {"channel": "chat", "kind": "json"}},
        "queues": {"general": {}},
        "agents": {"anna": {"name": "Anna", "capacity": 9}},
        "classify": {"rules": rules},
    }


async def configured(services: Services, workspace: str, rules: list[dict[str, Any]]) -> None:
    document = a_document(workspace, rules)
    asked = {"json": document, "headers": {"If-None-Match": "*"}}
    made = await services.call("routing", "PUT", "/v1/config", "operator", "*", **asked)
    assert made.status_code == 200, made.text

    async def known() -> bool:
        answer = await services.call("intake", "GET", "/v1/config-version", "agent", workspace)
        return answer.is_success and bool(answer.json()["config_version"])

    await until(known)


async def wrote(services: Services, workspace: str, number: int, text: str) -> str:
    message = {
        "connector": "site-chat",
        "external_id": f"m{number}",
        "thread": f"thread-{number}",
        "customer": {"handle": f"customer-{number}"},
        "text": text,
    }
    posted = await services.call("intake", "POST", "/v1/messages", "connector", workspace, json=message)
    assert posted.status_code == 202, posted.text
    return str(posted.json()["ticket_id"])


async def test_a_workspace_with_five_hundred_expensive_rules_holds_up_no_other_on_its_lane(services: Services) -> None:
    """Each of its messages would take two seconds: thirty of them, a minute."""
    partitions = services.settings.partitions
    greedy = "greedy"
    modest = next(name for n in count() if lane_of(name := f"modest-{n}", partitions) == lane_of(greedy, partitions))
    rules = [{"when": {"text": EXPENSIVE}, "set": {"tags": [f"t{n}"]}} for n in range(RULES)]
    await configured(services, greedy, rules)
    await configured(services, modest, [{"when": {"text": "refund"}, "set": {"category": "refund"}}])
    before = await asyncio.gather(*(wrote(services, greedy, number, TEXT) for number in range(MESSAGES)))
    ticket = await wrote(services, modest, 1, "I want a refund")

    async def read(workspace: str, id: str) -> Any:
        answer = await services.call("routing", "GET", f"/v1/tickets/{id}", "agent", workspace)
        return answer.json() if answer.is_success else None

    seen = await until(lambda: read(modest, ticket), within_seconds=20)
    assert seen["category"] == "refund", "who asks for little is answered whole"
    for id in (before[0], before[-1]):
        await until(partial(read, greedy, id), within_seconds=20)
    timeline = await services.call("routing", "GET", f"/v1/tickets/{before[-1]}/timeline", "agent", greedy)
    assert NOT_ASKED in timeline.text
