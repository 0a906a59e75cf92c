"""Invariants 2 and 3: the desk's fact log, replayed in the order of its numbers by a reader that knows no desk.

It keeps who is shown or holds what, charges and frees as the facts say, and compares the end with the desk's tables.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.cli.chaos.evidence import Fact, Snapshot
from pointsman.cli.chaos.findings import Findings


@dataclass(slots=True)
class ReplayedTicket:
    """A ticket as the facts tell: `offer` the live one, `agent` who is shown or holds it, `charged` the units that it
    takes from the agent."""

    offer: str | None = None
    agent: str | None = None
    accepted: str | None = None
    charged: int = 0
    state: str = "queued"


@dataclass
class ReplayedDesk:
    """One workspace."""

    tickets: dict[str, ReplayedTicket] = field(default_factory=dict)
    load: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    capacity: dict[str, int] = field(default_factory=dict)
    presence: dict[str, str] = field(default_factory=dict)


def verify_desk(evidence: Snapshot, findings: Findings) -> None:
    """Replays the log and compares the end with the desk's tables."""
    desks: dict[str, ReplayedDesk] = defaultdict(ReplayedDesk)
    for fact in evidence.desk:
        rule = RULES.get(fact.type)
        if rule is not None:
            rule(desks[fact.workspace], fact, findings)
    for row in evidence.routing_tickets:
        replayed = desks[row["workspace"]].tickets.get(row["id"])
        expected = None if replayed is None else replayed.state
        if row["state"] != expected or (
            replayed is not None and row["agent"] != replayed.agent and row["state"] == "assigned"
        ):
            findings.add("desk_inconsistent", {"ticket": row["id"], "row": dict(row), "facts": str(replayed)})
    for row in evidence.routing_agents:
        load = desks[row["workspace"]].load[row["agent"]]
        if row["load"] != load:
            findings.add("desk_inconsistent", {"agent": row["agent"], "row": dict(row), "load_by_facts": load})


def _example(fact: Fact, replayed: ReplayedTicket, **more: Any) -> dict[str, Any]:
    return {"ticket": fact.subject, "number": fact.number, "fact": dict(fact.body), "before": str(replayed), **more}


def _charge(
    desk: ReplayedDesk, replayed: ReplayedTicket, agent: str, weight: int, fact: Fact, findings: Findings
) -> None:
    replayed.charged = weight
    desk.load[agent] += weight
    if desk.load[agent] > desk.capacity.get(agent, 0) and not fact.body.get("override"):
        findings.add("over_capacity", _example(fact, replayed, load=desk.load[agent]))


def _free(desk: ReplayedDesk, replayed: ReplayedTicket) -> None:
    if replayed.agent is not None:
        desk.load[replayed.agent] -= replayed.charged
    replayed.charged = 0


def _configured(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    agents = fact.body["document"]["agents"]
    desk.capacity = {slug: agent["capacity"] for slug, agent in agents.items()}


def _presence(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    desk.presence[fact.body["agent"]] = fact.body["state"]


def _opened(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    ticket = fact.body["ticket_id"]
    if ticket in desk.tickets:
        findings.add("opened_twice", _example(fact, desk.tickets[ticket]))
    desk.tickets[ticket] = ReplayedTicket()


def _of(desk: ReplayedDesk, fact: Fact) -> ReplayedTicket:
    return desk.tickets.setdefault(fact.body["ticket_id"], ReplayedTicket())


def _offered(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    replayed, agent = _of(desk, fact), fact.body["agent"]
    if replayed.offer is not None or replayed.agent is not None:
        findings.add("double_owned", _example(fact, replayed))
    if desk.presence.get(agent) != "available":
        findings.add("presence_ignored", _example(fact, replayed, presence=desk.presence.get(agent)))
    replayed.offer, replayed.agent, replayed.state = fact.body["offer_id"], agent, "offered"
    _charge(desk, replayed, agent, fact.body["weight"], fact, findings)


def _offer_ended(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    replayed = _of(desk, fact)
    if replayed.offer != fact.body["offer_id"] or replayed.agent != fact.body["agent"]:
        findings.add("double_owned", _example(fact, replayed))
        return
    replayed.offer = None
    if fact.type == "offer.accepted":
        replayed.accepted = fact.body["offer_id"]
    else:
        _free(desk, replayed)
        replayed.agent, replayed.state = None, "queued"


def _assigned(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    replayed, agent, offer = _of(desk, fact), fact.body["agent"], fact.body.get("offer_id")
    if (
        replayed.offer is not None
        or replayed.agent not in (None, agent)
        or (offer is not None and replayed.accepted != offer)
    ):
        findings.add("double_owned", _example(fact, replayed))
    replayed.agent, replayed.state, replayed.accepted = agent, "assigned", None
    if not replayed.charged:
        _charge(desk, replayed, agent, fact.body["weight"], fact, findings)


def _queued(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    replayed = _of(desk, fact)
    if replayed.offer is not None:
        findings.add("double_owned", _example(fact, replayed))
    _free(desk, replayed)
    replayed.agent, replayed.state = None, "queued"


def _pended(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    replayed = _of(desk, fact)
    replayed.state = "pending"
    if fact.body.get("frees", True):
        _free(desk, replayed)


def _transferred(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    replayed = _of(desk, fact)
    _free(desk, replayed)
    replayed.agent = None


def _resolved(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    replayed = _of(desk, fact)
    if replayed.offer is not None:
        findings.add("double_owned", _example(fact, replayed))
    replayed.state = "resolved"
    if fact.body.get("wrap_up_until") is None:
        _free(desk, replayed)
        replayed.agent = None


def _wrapped_up(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    replayed = _of(desk, fact)
    _free(desk, replayed)
    replayed.agent = None


def _closed(desk: ReplayedDesk, fact: Fact, findings: Findings) -> None:
    replayed = _of(desk, fact)
    if replayed.offer is not None or replayed.agent is not None:
        findings.add("double_owned", _example(fact, replayed))
    replayed.state = "closed"


RULES: Mapping[str, Callable[[ReplayedDesk, Fact, Findings], None]] = {
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
