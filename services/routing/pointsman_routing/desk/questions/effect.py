"""What a new version would do to the tickets and agents as they are now: applied, looked at, and taken back.

The same `configure.apply` and `settle` as in production say it, so that a dry run and the change cannot differ. Lists
show their first `SHOWN_MAX`; who becomes eligible for how many waiting tickets is compared by kinds of tickets and of
agents, the largest kinds first, at most `PAIRS_MAX` pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pointsman.contracts.commands import ConfigEffect
from pointsman.contracts.desk import OfferMade, OfferRescinded, TicketTransferred
from pointsman.core.decision import Decision
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import configure, settle
from pointsman_routing.desk.state.model import OPEN_STATES, WAITING_STATES, Ticket
from pointsman_routing.desk.state.policy import plain

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

SHOWN_MAX = 20
PAIRS_MAX = 200_000
"""Kinds of agents times kinds of tickets that are compared: about a tenth of a second of the lane's time."""


class _ChangeKind:
    """Waiting tickets that the same agents may take, before the change and after it. `example` is one of them."""

    __slots__ = ("count", "example", "ids")

    def __init__(self, example: Ticket) -> None:
        self.example, self.count = example, 0
        self.ids: list[str] = []


def effect(desk: Desk, command: ConfigEffect, cause: str, now: Instant) -> Decision:
    """The answer to `POST /config:check`: `refused` when the change would be refused, else what it would do. The caller
    takes back what was applied, as after every question."""
    policy = configure.admit(desk, command.document, command.moves)
    if isinstance(policy, Decision):
        assert policy.refusal is not None
        return Decision(answer={"refused": policy.refusal.problem()})
    waiting = [ticket for ticket in desk.tickets.values() if ticket.state in WAITING_STATES]
    kinds, compared = _kinds(desk, waiting)
    leaving = {
        ticket.id: ticket.queue
        for ticket in desk.tickets.values()
        if ticket.state in OPEN_STATES and ticket.queue not in policy.queues
    }
    holders = {
        ticket.id: agent.slug
        for agent in desk.agents.values()
        if agent.slug not in policy.profiles or not policy.profiles[agent.slug].takes_tickets
        for ticket in (desk.tickets[id] for id in agent.hand)
        if ticket.state == "assigned"
    }
    keys = {ticket.id: ticket.place[0] for ticket in waiting if ticket.place is not None}
    desk.begin(cause, "config", now, now)
    before = _reach(desk, kinds)
    configure.apply(desk, policy, configure.Moves(command.moves), command.actor)
    after = _reach(desk, kinds)
    alone = [kind for place, kind in enumerate(kinds) if not any(place in reach for reach in after.values())]
    were_alone = sum(
        kind.count for place, kind in enumerate(kinds) if not any(place in reach for reach in before.values())
    )
    reordered = sum(
        ticket.place is not None and ticket.place[0] != keys[ticket.id]
        for ticket in map(desk.tickets.__getitem__, keys)
    )
    settle.settle(desk)
    facts = [fact for saying in desk.draft.facts_of.values() for fact in saying.facts]
    return Decision(
        answer={
            "refused": None,
            "waiting": len(waiting),
            "compared": compared,
            "moved": _shown(
                {"ticket_id": id, "from": queue, "to": desk.tickets[id].queue} for id, queue in sorted(leaving.items())
            ),
            "requeued": _shown(
                {"ticket_id": fact.ticket_id, "agent": holders[fact.ticket_id]}
                for fact in facts
                if isinstance(fact, TicketTransferred) and fact.ticket_id in holders
            ),
            "rescinded": _shown(
                {"ticket_id": fact.ticket_id, "agent": fact.agent, "reason": fact.reason}
                for fact in facts
                if isinstance(fact, OfferRescinded)
            ),
            "offered": _shown(
                {"ticket_id": fact.ticket_id, "agent": fact.agent} for fact in facts if isinstance(fact, OfferMade)
            ),
            "reordered": reordered,
            "agents": _changes(kinds, before, after),
            "unserved": {
                **_shown(
                    {
                        "ticket_id": id,
                        "queue": desk.tickets[id].queue,
                        "requires": plain(desk.tickets[id].labels.requires),
                    }
                    for kind in alone
                    for id in kind.ids
                ),
                "count": sum(kind.count for kind in alone),
                "before": were_alone,
            },
        }
    )


def _kinds(desk: Desk, waiting: Iterable[Ticket]) -> tuple[list[_ChangeKind], int]:
    """The kinds of waiting tickets, the largest first, and how many tickets they are: so many as can be compared with
    all agents."""
    found: dict[tuple[Any, ...], _ChangeKind] = {}
    for ticket in waiting:
        key = (ticket.queue, ticket.stage, ticket.wide, ticket.labels.requires, ticket.labels.language)
        kind = found.get(key)
        if kind is None:
            kind = found[key] = _ChangeKind(ticket)
        kind.count += 1
        if len(kind.ids) < SHOWN_MAX:
            kind.ids.append(ticket.id)
    largest = sorted(found.values(), key=lambda kind: (-kind.count, kind.example.id))
    pools = max(1, len(desk.roster.pools)) if desk.configured else 1
    kept = largest[: max(1, PAIRS_MAX // pools)]
    return kept, sum(kind.count for kind in kept)


def _reach(desk: Desk, kinds: list[_ChangeKind]) -> dict[str, frozenset[int]]:
    """Agent → the places of the kinds that the agent may take, present or not. Agents alike are asked once."""
    of_pool: dict[int, frozenset[int]] = {}
    reach: dict[str, frozenset[int]] = {}
    for agent in desk.agents.values():
        if agent.pool is None:
            continue
        known = of_pool.get(id(agent.pool))
        if known is None:
            known = of_pool[id(agent.pool)] = frozenset(
                place for place, kind in enumerate(kinds) if desk.may_take(agent, kind.example)
            )
        reach[agent.slug] = known
    return reach


def _changes(
    kinds: list[_ChangeKind], before: Mapping[str, frozenset[int]], after: Mapping[str, frozenset[int]]
) -> dict[str, Any]:
    """Whose reach changes, by how many waiting tickets; those with most first."""
    nothing: frozenset[int] = frozenset()
    rows = []
    for slug in sorted({**before, **after}):
        was, is_now = before.get(slug, nothing), after.get(slug, nothing)
        gains = sum(kinds[place].count for place in is_now - was)
        loses = sum(kinds[place].count for place in was - is_now)
        if gains or loses:
            rows.append({"agent": slug, "gains": gains, "loses": loses})
    rows.sort(key=lambda row: (-row["gains"] - row["loses"], row["agent"]))  # type: ignore[operator]
    return _shown(rows)


def _shown(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """How many there are, and the first of them."""
    listed = list(items)
    return {"count": len(listed), "first": listed[:SHOWN_MAX]}
