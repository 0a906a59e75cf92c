"""Invariants 2 and 3: the desk's fact log, replayed in the order of its numbers by a reader that knows no desk.

It keeps who is shown or holds what, charges and frees as the facts say, and compares the end with the desk's tables.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.cli.chaos.evidence import Evidence, Fact
from pointsman.cli.chaos.findings import Findings


@dataclass(slots=True)
class Held:
    """A ticket as the facts tell: `offer` the live one, `agent` who is shown or holds it, `charged` the units that it
    takes from the agent."""

    offer: str | None = None
    agent: str | None = None
    accepted: str | None = None
    charged: int = 0
    state: str = "queued"


@dataclass
class Floor:
    """One workspace."""

    tickets: dict[str, Held] = field(default_factory=dict)
    load: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    capacity: dict[str, int] = field(default_factory=dict)
    presence: dict[str, str] = field(default_factory=dict)


def verify_desk(evidence: Evidence, findings: Findings) -> None:
    """Replays the log and compares the end with the desk's tables."""
    floors: dict[str, Floor] = defaultdict(Floor)
    for fact in evidence.desk:
        rule = RULES.get(fact.type)
        if rule is not None:
            rule(floors[fact.workspace], fact, findings)
    for row in evidence.routing_tickets:
        held = floors[row["workspace"]].tickets.get(row["id"])
        expected = None if held is None else held.state
        if row["state"] != expected or (held is not None and row["agent"] != held.agent and row["state"] == "assigned"):
            findings.add("desk_inconsistent", {"ticket": row["id"], "row": dict(row), "facts": str(held)})
    for row in evidence.routing_agents:
        load = floors[row["workspace"]].load[row["agent"]]
        if row["load"] != load:
            findings.add("desk_inconsistent", {"agent": row["agent"], "row": dict(row), "load_by_facts": load})


def _example(fact: Fact, held: Held, **more: Any) -> dict[str, Any]:
    return {"ticket": fact.subject, "number": fact.number, "fact": dict(fact.body), "before": str(held), **more}


def _charge(floor: Floor, held: Held, agent: str, weight: int, fact: Fact, findings: Findings) -> None:
    held.charged = weight
    floor.load[agent] += weight
    if floor.load[agent] > floor.capacity.get(agent, 0) and not fact.body.get("override"):
        findings.add("over_capacity", _example(fact, held, load=floor.load[agent]))


def _free(floor: Floor, held: Held) -> None:
    if held.agent is not None:
        floor.load[held.agent] -= held.charged
    held.charged = 0


def _configured(floor: Floor, fact: Fact, findings: Findings) -> None:
    agents = fact.body["document"]["agents"]
    floor.capacity = {slug: agent["capacity"] for slug, agent in agents.items()}


def _presence(floor: Floor, fact: Fact, findings: Findings) -> None:
    floor.presence[fact.body["agent"]] = fact.body["state"]


def _opened(floor: Floor, fact: Fact, findings: Findings) -> None:
    ticket = fact.body["ticket_id"]
    if ticket in floor.tickets:
        findings.add("opened_twice", _example(fact, floor.tickets[ticket]))
    floor.tickets[ticket] = Held()


def _of(floor: Floor, fact: Fact) -> Held:
    return floor.tickets.setdefault(fact.body["ticket_id"], Held())


def _offered(floor: Floor, fact: Fact, findings: Findings) -> None:
    held, agent = _of(floor, fact), fact.body["agent"]
    if held.offer is not None or held.agent is not None:
        findings.add("double_owned", _example(fact, held))
    if floor.presence.get(agent) != "available":
        findings.add("presence_ignored", _example(fact, held, presence=floor.presence.get(agent)))
    held.offer, held.agent, held.state = fact.body["offer_id"], agent, "offered"
    _charge(floor, held, agent, fact.body["weight"], fact, findings)


def _offer_ended(floor: Floor, fact: Fact, findings: Findings) -> None:
    held = _of(floor, fact)
    if held.offer != fact.body["offer_id"] or held.agent != fact.body["agent"]:
        findings.add("double_owned", _example(fact, held))
        return
    held.offer = None
    if fact.type == "offer.accepted":
        held.accepted = fact.body["offer_id"]
    else:
        _free(floor, held)
        held.agent, held.state = None, "queued"


def _assigned(floor: Floor, fact: Fact, findings: Findings) -> None:
    held, agent, offer = _of(floor, fact), fact.body["agent"], fact.body.get("offer_id")
    if held.offer is not None or held.agent not in (None, agent) or (offer is not None and held.accepted != offer):
        findings.add("double_owned", _example(fact, held))
    held.agent, held.state, held.accepted = agent, "assigned", None
    if not held.charged:
        _charge(floor, held, agent, fact.body["weight"], fact, findings)


def _queued(floor: Floor, fact: Fact, findings: Findings) -> None:
    held = _of(floor, fact)
    if held.offer is not None:
        findings.add("double_owned", _example(fact, held))
    _free(floor, held)
    held.agent, held.state = None, "queued"


def _pended(floor: Floor, fact: Fact, findings: Findings) -> None:
    held = _of(floor, fact)
    held.state = "pending"
    if fact.body.get("frees", True):
        _free(floor, held)


def _transferred(floor: Floor, fact: Fact, findings: Findings) -> None:
    held = _of(floor, fact)
    _free(floor, held)
    held.agent = None


def _resolved(floor: Floor, fact: Fact, findings: Findings) -> None:
    held = _of(floor, fact)
    if held.offer is not None:
        findings.add("double_owned", _example(fact, held))
    held.state = "resolved"
    if fact.body.get("wrap_up_until") is None:
        _free(floor, held)
        held.agent = None


def _wrapped_up(floor: Floor, fact: Fact, findings: Findings) -> None:
    held = _of(floor, fact)
    _free(floor, held)
    held.agent = None


def _closed(floor: Floor, fact: Fact, findings: Findings) -> None:
    held = _of(floor, fact)
    if held.offer is not None or held.agent is not None:
        findings.add("double_owned", _example(fact, held))
    held.state = "closed"


RULES: Mapping[str, Callable[[Floor, Fact, Findings], None]] = {
    "config.applied": _configured,
    "agent.presence_changed": _presence,
    "ticket.opened": _opened,
    "offer.made": _offered,
    "offer.accepted": _offer_ended,
    "offer.rejected": _offer_ended,
    "offer.expired": _offer_ended,
    "offer.rescinded": _offer_ended,
    "ticket.assigned": _assigned,
    "ticket.queued": _queued,
    "ticket.pended": _pended,
    "ticket.snoozed": _pended,
    "ticket.transferred": _transferred,
    "ticket.resolved": _resolved,
    "ticket.wrap_up_finished": _wrapped_up,
    "ticket.closed": _closed,
}
