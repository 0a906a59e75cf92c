"""The desk's door: one cause in, one decision out. `decide(desk, cause, now)` is the same function in production, in
property tests, in simulation and in what-if replays.

What a refusal or a raise leaves behind is for the caller to undo (the journal's mark before the call).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pointsman.contracts import commands as asked
from pointsman.contracts import requests as heard
from pointsman.core.cause import Cause, RecordCause, TimerCause
from pointsman.core.decision import NOTHING, Decision, refuse
from pointsman.core.instant import Instant
from pointsman_routing.desk.questions import effect, explain, queues
from pointsman_routing.desk.rules import (
    absence,
    arrivals,
    assign,
    attachments,
    bulk,
    clock_facts,
    close,
    configure,
    customer_left,
    declining,
    expiry,
    merge,
    messages,
    moved_queues,
    offers,
    pending,
    presence,
    queue_hours,
    relabel,
    relaxation,
    replies,
    requeue,
    reserved,
    resolve,
    settle,
    snooze,
    split,
    start,
    take,
    tokens,
    transfer,
    wrap_up,
)
from pointsman_routing.desk.state import recent, ticket_messages
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.desk import Desk
from pointsman_routing.desk.state.model import SUPERVISING, Agent, Offer, Ticket
from pointsman_routing.desk.state.result import Answer, Result, invalid

_OF_TIMERS: dict[str, Callable[[Desk, TimerCause], Result]] = {
    kinds.OFFER: expiry.expire,
    kinds.LEASE: presence.lapse,
    kinds.GRACE: absence.requeue,
    kinds.ABANDON: customer_left.abandon,
    kinds.PENDING: pending.end,
    kinds.WRAP_UP: wrap_up.end,
    kinds.CLOSE: close.close,
    kinds.RETRY: declining.retry,
    kinds.HOLD: presence.release_hold,
    kinds.OPENING: queue_hours.opening,
    kinds.RIPEN: relaxation.ripen,
    kinds.RESERVE: reserved.lapse,
    kinds.JOB: bulk.step,
}

_OF_TICKETS: dict[type[asked.Command], Callable[[Desk, Ticket, Any], Result]] = {
    asked.TicketPend: pending.pend,
    asked.TicketSnooze: snooze.snooze,
    asked.TicketResolve: resolve.resolve,
    asked.WrapUpFinish: wrap_up.finish,
    asked.TicketReopen: resolve.reopen,
    asked.TicketMerge: merge.merge,
    asked.TicketSplit: split.split,
    asked.TicketLabel: relabel.label,
    asked.TicketTransfer: transfer.transfer,
    asked.TicketAssign: assign.assign,
    asked.TicketTake: take.take,
}

_OF_AGENTS: dict[type[asked.Command], Callable[[Desk, Agent, Any], Result]] = {
    asked.PresenceSet: presence.choose,
    asked.PresenceEnd: presence.end,
    asked.PresenceHold: presence.hold,
    asked.AgentHandover: requeue.handover,
    asked.AgentRequeue: requeue.requeue,
}

_OF_OFFERS: dict[type[asked.Command], Callable[[Desk, Ticket, Offer, Any], Result]] = {
    asked.OfferAccept: offers.accept,
    asked.OfferReject: offers.reject,
}

_OF_QUEUES: dict[type[asked.Command], Callable[[Desk, Any], Result]] = {
    asked.QueueClose: queue_hours.close,
    asked.QueueOpen: queue_hours.open_again,
}

_BEFORE_CONFIGURED = frozenset({asked.ConfigPut, asked.PresenceRenew})
_HOLDERS_ONLY = frozenset(
    {
        asked.TicketPend,
        asked.TicketSnooze,
        asked.TicketResolve,
        asked.WrapUpFinish,
        asked.TicketTransfer,
        asked.TicketSplit,
    }
)
HAVING_READ = (asked.TicketPend, asked.TicketSnooze, asked.TicketResolve)
"""Commands that say which message their caller has seen last."""

_TAKEN: tuple[type[asked.Command], ...] = (
    *_OF_TICKETS,
    *_OF_AGENTS,
    *_OF_OFFERS,
    asked.PresenceRenew,
    asked.TicketReply,
    asked.TicketExplain,
    asked.QueueDepths,
    asked.ConfigEffect,
    *_OF_QUEUES,
    asked.TicketStart,
    asked.TicketsBulk,
    asked.ConfigPut,
    asked.TokenIssue,
    asked.TokenRevoke,
)

TAKES: frozenset[str] = frozenset(kind.type for kind in _TAKEN)
"""The types of the commands that the desk takes."""


def decide(desk: Desk, cause: Cause, now: Instant) -> Decision:
    """What the cause leads to. Every decision ends with all possible offers made (rule 1)."""
    if isinstance(cause, TimerCause):
        # An agent's lapse rescinds the offer that was to expire in the same batch.
        if not desk.timers.stands(cause):
            return NOTHING
        offer = desk.offers.get(cause.subject) if cause.kind == kinds.OFFER else None
        desk.begin(cause.id, offer.ticket_id if offer else cause.subject, cause.due, now)
        return _settled(desk, _OF_TIMERS[cause.kind](desk, cause))
    if cause.is_command:
        return _of_command(desk, cause, cause.bodies[0], now)
    if not desk.configured:
        raise LookupError(f"workspace {desk.workspace!r} has no configuration yet")
    desk.begin(cause.id, cause.subject, cause.at, now)
    for body in cause.bodies:
        if cause.topic == "requests":
            _of_request(desk, body)
        else:
            _of_clock(desk, body)
    return _settled(desk, None)


def subject_of(desk: Desk, cause: RecordCause) -> str:
    """What a command is about, by the desk's own reading: the ticket of an offer, else the subject it came with."""
    command = cause.bodies[0]
    if type(command) in _OF_OFFERS:
        offer = desk.offers.get(command.offer_id)
        return offer.ticket_id if offer else desk.ended.get(command.offer_id, cause.subject)
    return getattr(command, "ticket_id", cause.subject)


def _settled(desk: Desk, result: Result) -> Decision:
    if isinstance(result, Decision):
        return result
    settle.settle(desk)
    return desk.decision() if result is None else desk.decision(result.body(), result.status)


def _of_request(desk: Desk, fact: Any) -> None:
    ticket = ticket_messages.survivor(desk, fact.ticket_id)
    if ticket is not None:
        desk.draft.subject = ticket.id
    if isinstance(fact, heard.MessageReceived):
        if ticket is None:
            arrivals.open_ticket(desk, fact)
        else:
            messages.receive(desk, ticket, fact)
    elif isinstance(fact, heard.CustomerTyping):
        return
    elif isinstance(fact, (heard.MessageDelivered, heard.MessageFailed)):
        messages.delivered(desk, ticket, fact)
    elif isinstance(fact, heard.AttachmentSettled):
        attachments.settled(desk, ticket, fact)
    elif ticket is not None:
        if isinstance(fact, heard.CustomerReturned):
            customer_left.returned(desk, ticket)
        else:
            customer_left.left(desk, ticket)


def _of_clock(desk: Desk, fact: Any) -> None:
    ticket_id = clock_facts.ticket_of(fact)
    ticket = None if ticket_id is None else desk.tickets.get(ticket_id)
    clock_facts.note(desk, ticket, ticket_id, fact, desk.draft.at)


def _of_command(desk: Desk, cause: RecordCause, command: Any, now: Instant) -> Decision:
    kind = type(command)
    if not desk.configured and kind not in _BEFORE_CONFIGURED:
        return refuse(404, "not-found", f"there is no workspace {desk.workspace}")
    if kind is asked.ConfigEffect:
        return effect.effect(desk, command, cause.id, now)
    if kind is asked.QueueDepths:
        return queues.depths(desk, command, now)
    if kind is asked.TicketExplain:
        ticket = desk.tickets.get(command.ticket_id)
        return (
            _no_ticket(command.ticket_id) if ticket is None else explain.explain(desk, ticket, command, cause.id, now)
        )
    if kind is asked.PresenceRenew and not desk.configured:
        return NOTHING
    desk.begin(cause.id, subject_of(desk, cause), cause.at, now)
    return _settled(desk, _result_of(desk, command))


def _result_of(desk: Desk, command: Any) -> Result:
    kind = type(command)
    if kind in _OF_OFFERS:
        return _answer_offer(desk, command)
    if kind in _OF_AGENTS:
        agent = desk.agents.get(command.agent)
        if agent is None:
            return refuse(404, "not-found", f"there is no agent {command.agent}")
        return _OF_AGENTS[kind](desk, agent, command)
    if kind in _OF_QUEUES:
        return _OF_QUEUES[kind](desk, command)
    if kind is asked.TicketsBulk:
        return bulk.bulk(desk, command)
    if kind is asked.TicketStart:
        return start.start(desk, command)
    if kind is asked.PresenceRenew:
        return presence.renew_many(desk, command)
    if kind is asked.ConfigPut:
        return configure.put(desk, command)
    if kind is asked.TokenIssue:
        return tokens.issue(desk, command)
    if kind is asked.TokenRevoke:
        return tokens.revoke(desk, command)
    return _of_ticket(desk, command)


def _answer_offer(desk: Desk, command: asked.OfferAccept | asked.OfferReject) -> Result:
    """Answers an offer while it stands: its own agent's (or a supervisor's) first word counts."""
    offer = desk.offers.get(command.offer_id)
    if offer is None or desk.draft.at > offer.expires_at:
        return Decision(refusal=offers.refuse_ended(desk, command.offer_id))
    if command.actor.kind not in SUPERVISING and command.actor.id != offer.agent:
        return refuse(403, "not-offered-to-you", f"the offer is {offer.agent}'s")
    ticket = desk.tickets[offer.ticket_id]
    return _unmatched(ticket, command) or _OF_OFFERS[type(command)](desk, ticket, offer, command)


def _of_ticket(desk: Desk, command: Any) -> Result:
    ticket = desk.tickets.get(command.ticket_id)
    if ticket is None:
        return _no_ticket(command.ticket_id)
    refusal = _unmatched(ticket, command) or _not_holder(ticket, command) or _unseen(desk, ticket, command)
    if refusal is not None:
        return refusal
    if ticket.merged_into is not None:
        said = f"the ticket was merged into {ticket.merged_into}"
        return refuse(409, "wrong-state", said, state=ticket.state, merged_into=ticket.merged_into)
    moved_queues.catch_up(desk, ticket)
    if type(command) is asked.TicketReply:
        if ticket.state == "closed":
            return refuse(409, "wrong-state", "the ticket is closed; a new message begins a new one")
        return replies.reply(desk, ticket, command, desk.new_id("msg"))
    return _OF_TICKETS[type(command)](desk, ticket, command)


def _unmatched(ticket: Ticket, command: asked.Command) -> Decision | None:
    """412 when the caller saw another version (rule 15)."""
    if command.if_match is None or command.if_match == ticket.version:
        return None
    return refuse(412, "version-mismatch", f"the ticket's version is {ticket.version}", version=ticket.version)


def _not_holder(ticket: Ticket, command: Any) -> Decision | None:
    """403: only the holder replies publicly, sets aside, transfers, splits and resolves; supervisors do everything. Who
    merges is `merge`'s to say."""
    kind = type(command)
    if kind not in _HOLDERS_ONLY and not (kind is asked.TicketReply and command.public):
        return None
    actor = command.actor
    if actor.kind in SUPERVISING or (ticket.agent is not None and actor.id == ticket.agent):
        return None
    return refuse(403, "not-holder", f"{ticket.agent or 'nobody'} holds the ticket", holder=ticket.agent)


def _unseen(desk: Desk, ticket: Ticket, command: Any) -> Decision | None:
    """409 when the customer wrote something that the caller has not seen, unless forced; 422 when what they have seen
    last is not the ticket's."""
    if type(command) not in HAVING_READ or command.force:
        return None
    newer = recent.unseen(desk, ticket, command.last_message_id)
    if newer is None:
        return invalid(f"the ticket has no message {command.last_message_id}", "/last_message_id")
    if not newer:
        return None
    return refuse(409, "unseen-message", "the customer has written since", newer=newer)


def _no_ticket(ticket_id: str) -> Decision:
    return refuse(404, "not-found", f"there is no ticket {ticket_id}")


__all__ = ["HAVING_READ", "TAKES", "Answer", "decide"]
