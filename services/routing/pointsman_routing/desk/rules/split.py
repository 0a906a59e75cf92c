"""Rule 14, split: messages that are a matter of their own become a new ticket of the same customer, classified as such.

It waits since its oldest unanswered message, as the first ticket does from now on since the oldest that stays. The
conversation stays the first ticket's: what the customer writes next joins that; replies of both go there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketSplit as SplitOff
from pointsman.contracts.desk import TicketSplit
from pointsman.contracts.requests import CustomerSeen, MessageReceived
from pointsman.contracts.shapes import Author
from pointsman_routing.desk.rules import opening, queueing
from pointsman_routing.desk.rules.opening import Opening
from pointsman_routing.desk.state import conversations, recent, ticket_messages
from pointsman_routing.desk.state.model import WAITING_STATES, Ticket, TicketMessage
from pointsman_routing.desk.state.result import Answer, Result, invalid, wrong_state
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

TEXT_CHARACTERS_MAX = 65_536
"""Of what is split off, as far as it is classified: no more than of a message."""


def split(desk: Desk, ticket: Ticket, command: SplitOff) -> Result:
    """The holder (or a supervisor) splits messages off; at least one of the customer's, and one stays."""
    if ticket.state == "closed":
        return wrong_state(ticket, "what is closed cannot be split")
    said = ticket_messages.on_ticket(desk, ticket)
    known = {each.id for each in said}
    for place, id in enumerate(command.message_ids):
        if id not in known:
            return invalid(f"the ticket has no message {id}", f"/message_ids/{place}")
    named = set(command.message_ids)
    moved, stays = [one for one in said if one.id in named], [one for one in said if one.id not in named]
    if not any(_by_customer(one) for one in moved):
        return invalid("none of them is the customer's", "/message_ids")
    if not any(_by_customer(one) for one in stays):
        return invalid("one of the customer's messages has to stay", "/message_ids")
    unanswered = _unanswered(ticket, said)
    desk.edit(ticket)
    message = _matter(desk, ticket, moved)
    desk.begin_part()

    def begin(found: Opening) -> Result:
        desk.edit(ticket)
        new = _open(desk, ticket, message, found, moved, [one for one in unanswered if one.id in named])
        _stay(desk, ticket, stays, unanswered, named)
        for id in command.message_ids:
            desk.journal.put(desk.changes.moved, id, new.id)
        fact = made(
            TicketSplit,
            ticket_id=ticket.id,
            into=new.id,
            message_ids=tuple(one.id for one in moved),
            unanswered_since=ticket.unanswered_since,
            reason=command.reason,
            by=command.actor,
        )
        desk.say(ticket, fact, ticket.offer.agent if ticket.offer else ticket.agent)
        queueing.enqueue(desk, new, "split", fresh=True)
        return Answer(lambda: ticket_shape(new), 201)

    return opening.total(desk, message, begin)


def _by_customer(one: TicketMessage) -> bool:
    return one.direction == "in"


def _unanswered(ticket: Ticket, said: list[TicketMessage]) -> list[TicketMessage]:
    """The customer's messages that wait for an answer, oldest first: the one since which the ticket waits, and what
    came after it."""
    since = ticket.unanswered_since
    if since is None:
        return []
    counting = [
        one
        for one in said
        if _by_customer(one) and one.automatic is None and one.kind in ticket_messages.COUNTING_KINDS
    ]
    first = max((place for place, one in enumerate(counting) if one.received_at <= since), default=0)
    return counting[first:]


def _matter(desk: Desk, source: Ticket, moved: list[TicketMessage]) -> MessageReceived:
    """What is split off, as one message of the customer, in the form that classifying reads."""
    asked = [one for one in moved if _by_customer(one)]
    return made(
        MessageReceived,
        message_id=asked[0].id,
        ticket_id=desk.new_id("tkt", source.id),
        thread_number=1,
        opens=True,
        connector=asked[-1].connector,
        channel=asked[-1].channel,
        external_id=asked[0].id,
        thread=asked[-1].thread,
        author=Author(kind="customer", id=source.customer_id, name=source.customer_name),
        customer=CustomerSeen(
            id=source.customer_id,
            name=source.customer_name,
            tier=source.customer_tier,
            organization=source.customer_organization,
        ),
        subject=asked[0].subject or source.subject,
        text="\n\n".join(one.reply_text or one.text for one in asked)[:TEXT_CHARACTERS_MAX],
        occurred_at=asked[0].received_at,
        received_at=asked[0].received_at,
    )


def _open(
    desk: Desk,
    source: Ticket,
    message: MessageReceived,
    found: Opening,
    moved: list[TicketMessage],
    unanswered: list[TicketMessage],
) -> Ticket:
    """The new ticket, said to be there but not queued yet."""
    holder = source.agent or source.last_agent
    affine = tuple(dict.fromkeys((*((holder,) if holder else ()), *source.affine)))
    new = opening.ticket_of(desk, message, found, source.at, affine=affine)
    new.unanswered_since = unanswered[0].received_at if unanswered else None
    recent.remember_all(new, [(one.id, _by_customer(one)) for one in moved if one.direction != "note"])
    opening.tell(desk, new, message, found, split_from=source.id, unanswered_since=new.unanswered_since)
    return new


def _stay(
    desk: Desk,
    ticket: Ticket,
    stays: list[TicketMessage],
    unanswered: list[TicketMessage],
    named: frozenset[str] | set[str],
) -> None:
    """The first ticket without what went: its last messages, and since when it waits (rule 5)."""
    recent.remember_all(ticket, [(one.id, _by_customer(one)) for one in stays if one.direction != "note"])
    conversations.speak_where(ticket, stays)
    if not unanswered or unanswered[0].id not in named:
        return
    left = [one for one in unanswered if one.id not in named]
    ticket.unanswered_since = left[0].received_at if left else None
    waits = ticket.queued_at if ticket.state in WAITING_STATES else None
    ticket.waiting_since = ticket.unanswered_since or waits
    queueing.reorder(desk, ticket)
