"""A ladder from the deadline to the agent: sla's timer fires, the desk widens the search, and everybody hears of it."""

from typing import Any

import pytest

from pointsman.testing.waiting import until
from tests.integration.workspace import Workspace

pytestmark = pytest.mark.stack

LADDER = [{"on": "breach", "metrics": ["first_response"], "do": [{"boost": 2}, {"relax": "all"}]}]
POLICY = {"name": "standard", "targets": {"first_response": {"default": 1}}, "warn": {}, "ladder": "help"}


async def test_a_breach_brings_a_ticket_to_an_agent_without_its_skill(workspace: Workspace) -> None:
    await workspace.open(
        skills=["law"],
        agents={"anna": {"capacity": 9}, "boris": {"skills": {"law": 3}}},
        classify={"language_skill": None, "otherwise": {"requires": {"law": 1}}},
        sla={"policies": [POLICY], "ladders": {"help": LADDER}},
    )
    ticket = await workspace.write("a")
    await workspace.hold(ticket)
    shown = await workspace.get(f"/tickets/{ticket}")
    assert (shown["agent"], shown["boost"], shown["priority"]) == ("anna", 2, "normal")
    assert shown["requires"] == {"law": 1}
    assert shown["escalated_at"] is not None
    events = (await workspace.get("/events?type=ticket.escalated&type=clock.escalated&limit=50", "supervisor"))["items"]
    told = {event["type"]: event["data"] for event in events}
    assert (told["clock.escalated"]["ladder"], told["clock.escalated"]["severity"]) == ("help", "breach")
    assert (told["ticket.escalated"]["ladder"], told["ticket.escalated"]["relax"]) == ("help", "all")
    explained = await workspace.get(f"/tickets/{ticket}/explain", "supervisor")
    assert (explained["boosted_by"], explained["relaxed_by"]) == (["help"], ["help"])
    assert explained["decided"]["why"]["boosted_by"] == ["help"]

    async def exported() -> Any:
        accepts = {"Accept": "application/x-ndjson"}
        answer = await workspace.call("GET", "/exports/tickets", "viewer", "metrics", headers=accepts)
        return [line for line in answer.text.splitlines() if '"escalated_at":"' in line.replace(" ", "")]

    assert len(await until(exported)) == 1
