"""Rule 16, explain: why this agent, why not that agent, why it still waits and what it waits for.

Stored with each offer: the order key, the cause, the version, the few candidates that were compared and how many
others were out of the question (`rules.reasons`). The rest is computed when asked: of a waiting ticket from the state
as it is, of a decided one from the agent's state at that decision (`Past`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pointsman.contracts.commands import TicketExplain
from pointsman.core.decision import Decision, refuse
from pointsman.core.instant import Instant
from pointsman_routing.desk.questions import queues, unblocking
from pointsman_routing.desk.questions.survey import failing_now, survey
from pointsman_routing.desk.rules import moved_queues
from pointsman_routing.desk.rules.reasons import boosted_by, climbed, relaxed_by
from pointsman_routing.desk.state.eligibility import REFUSAL_WORDS
from pointsman_routing.desk.state.model import Agent, Ticket
from pointsman_routing.desk.state.order import (
    due_us,
    effective_priority,
    from_micros,
    is_overdue,
    micros,
    order_key,
    slack_us,
)
from pointsman_routing.desk.state.policy import WHOLE_SHARE, Needs, QueuePolicy, plain

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

EXAMPLES_MAX = 5


def explain(desk: Desk, ticket: Ticket, command: TicketExplain, cause: str, now: Instant) -> Decision:
    """The answer to `GET /tickets/{id}/explain[?agent=]`. The caller takes back what was begun, as after every
    question."""
    if command.agent is not None and command.agent not in desk.agents:
        return refuse(404, "not-found", f"there is no agent {command.agent}")
    desk.begin(cause, ticket.id, now, now)
    moved_queues.catch_up(desk, ticket)
    return Decision(answer=_answer(desk, ticket, command.agent))


def _answer(desk: Desk, ticket: Ticket, agent: str | None) -> dict[str, Any]:
    refused, examples, able, near = survey(desk, ticket, unblocking.NEAR_MAX)
    frees = unblocking.changes(desk, ticket, near)
    answer: dict[str, Any] = {
        "ticket_id": ticket.id,
        "state": ticket.state,
        "sentence": _situation(desk, ticket, refused, frees),
        "queue": ticket.queue,
        "requires": plain(ticket.labels.requires),
        "requires_now": plain(desk.search_of(ticket)[2]),
        **climbed(ticket),
        "prefers": plain(ticket.labels.prefers),
        "weight": ticket.labels.weight,
        "order": _order(desk, ticket),
        "able_now": able[:EXAMPLES_MAX],
        "refused": dict(refused),
        "examples": examples,
        "frees": frees,
        "declined": dict(sorted((ticket.declined or {}).items())),
        "decided": desk.stored_why.get(ticket.id),
        "config_version": desk.policy.version,
    }
    if agent is not None:
        answer["agent"] = _of_agent(desk, ticket, desk.agents[agent])
    return answer


def _situation(desk: Desk, ticket: Ticket, refused: Counter[str], frees: list[dict[str, Any]]) -> str:
    if ticket.offer is not None:
        return f"It is offered to {_name(desk, ticket.offer.agent)} until {ticket.offer.expires_at:%H:%M:%S} UTC."
    if ticket.held is not None:
        return queues.held_because(desk, ticket)
    if ticket.reserved_for is not None:
        until = f"{ticket.reserved_until:%Y-%m-%d %H:%M:%S} UTC"
        return f"It waits for {_name(desk, ticket.reserved_for)} alone until {until}, then in {ticket.queue}."
    if ticket.state == "queued":
        return _waiting_for(desk, ticket, refused, frees)
    if ticket.in_wrap_up and ticket.agent:
        return f"It is resolved; {_name(desk, ticket.agent)} has after-work until {ticket.wrap_up_until:%H:%M:%S} UTC."
    if ticket.pause is not None:
        ends = f" until {ticket.pause.ends_at:%Y-%m-%d %H:%M} UTC" if ticket.pause.ends_at else ""
        if ticket.pause.waiting_on is None:
            return f"It is snoozed{ends}."
        return f"It waits on the {ticket.pause.waiting_on.replace('_', ' ')}{ends}."
    if ticket.agent is not None:
        return f"{_name(desk, ticket.agent)} holds it."
    return f"It is {ticket.state}."


def _waiting_for(desk: Desk, ticket: Ticket, refused: Counter[str], frees: list[dict[str, Any]]) -> str:
    needed = _needs_in_words(desk.search_of(ticket)[2])
    counts = [f"{refused[code]} {words}" for code, words in REFUSAL_WORDS.items() if refused[code]]
    if not desk.agents:
        return "It waits because the workspace has no agents."
    said = f"It waits in {ticket.queue} for an agent{needed}: of {len(desk.agents)} agents {', '.join(counts)}."
    said += _side_in_words(desk, ticket) + _climbed_in_words(desk, ticket)
    return f"{said} {frees[0]['sentence'] if frees else 'No single change would free it.'}"


def _side_in_words(desk: Desk, ticket: Ticket) -> str:
    """Where a waiting ticket stands in a queue that shares its offers with the overdue, in a sentence."""
    queue = desk.queue_of(ticket)
    if queue.late_share is None:
        return ""
    due = f"{from_micros(due_us(ticket, queue)):%Y-%m-%d %H:%M:%S} UTC"
    if not is_overdue(ticket, queue, micros(desk.draft.now)):
        return f" It can be answered in time, until {due}, and goes before the overdue."
    share = f"{queue.late_share / WHOLE_SHARE:.2%}".replace(".00%", "%")
    return f" It is overdue since {due} and stands behind those in time; {share} of the offers go to the overdue."


def _climbed_in_words(desk: Desk, ticket: Ticket) -> str:
    """What ladders did to a waiting ticket, in sentences."""
    said = ""
    if ticket.boost:
        by = " and ".join(boosted_by(ticket))
        said += f" It is ordered as {effective_priority(ticket, desk.queue_of(ticket))}, boosted by ladder {by}."
    if ticket.relaxed is not None:
        skill = desk.policy.document.language_skill(ticket.labels.language)
        dropped = {need for need in ticket.labels.requires if ticket.relaxed == "all" or need[0] == skill}
        by = " and ".join(relaxed_by(ticket))
        if dropped:
            said += f" No longer asked for, by ladder {by}: {', '.join(sorted(name for name, _ in dropped))}."
    return said


def _of_agent(desk: Desk, ticket: Ticket, agent: Agent) -> dict[str, Any]:
    """Why not, or why, this agent: at the decision that gave the ticket to another, else as things are."""
    holder = ticket.offer.agent if ticket.offer else ticket.agent
    past = desk.past.get((ticket.id, agent.slug))
    looked_at = agent if past is None else past.agent
    refusals = failing_now(desk, ticket, agent) if past is None else past.failing
    answer: dict[str, Any] = {
        "agent": agent.slug,
        "load": looked_at.load,
        "capacity": looked_at.profile.capacity,
        "at": past.at if past is not None else desk.draft.now,
    }
    if holder == agent.slug:
        said, refusals = f"{agent.profile.name} has it.", []
    elif refusals:
        said = "; ".join(each.says for each in refusals)
        said = f"{said[0].upper()}{said[1:]}."
    elif holder is not None:
        said = f"{agent.profile.name} could take it, but {_name(desk, holder)} was chosen."
    else:
        said = f"Nothing keeps {agent.profile.name} from it."
    failing = [{"code": each.code, "sentence": each.says, **each.figures} for each in refusals]
    return {**answer, "failing": refusals[0].code if refusals else None, "refusals": failing, "sentence": said}


def _order(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    queue = desk.policy.queues.get(ticket.queue)
    if queue is None or ticket.state not in ("queued", "offered"):
        return {}
    priority = effective_priority(ticket, queue)
    return {
        "order": queue.order,
        "priority": priority,
        "boost": ticket.boost,
        "boosted_by": boosted_by(ticket),
        "key": order_key(ticket, queue),
        "slack_us": slack_us(ticket, queue),
        "head_start_minutes": queue.head_start_us[priority] // 60_000_000,
        "waiting_since": ticket.waiting_since,
        **_side(desk, ticket, queue),
    }


def _side(desk: Desk, ticket: Ticket, queue: QueuePolicy) -> dict[str, Any]:
    """On which side it stands in a queue that shares its offers with the overdue, and since or until when."""
    if queue.late_share is None:
        return {}
    return {
        "side": "overdue" if is_overdue(ticket, queue, micros(desk.draft.now)) else "in_time",
        "due_at": from_micros(due_us(ticket, queue)),
        "late_share": queue.late_share / WHOLE_SHARE,
    }


def _needs_in_words(requires: Needs) -> str:
    if not requires:
        return ""
    return " with " + " and ".join(f"{skill} at level {level} or more" for skill, level in sorted(requires))


def _name(desk: Desk, slug: str) -> str:
    agent = desk.agents.get(slug)
    return agent.profile.name if agent else slug
