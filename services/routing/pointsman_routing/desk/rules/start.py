"""A ticket that an agent starts: theirs at once, charged, and classified by what they write like any other.

With `public` what they write is the conversation's first message and is delivered; no response clock runs until the
customer answers. Who the customer is intake finds or decides when it hears of the ticket (`recipient`); until it tells,
with the first delivery or the customer's first message, the ticket shows the id that a new customer gets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketReply, TicketStart
from pointsman.contracts.requests import CustomerSeen, MessageReceived
from pointsman.contracts.shapes import Author
from pointsman.core.decision import refuse
from pointsman.core.ids import derived_id
from pointsman_routing.desk.rules import absence, offers, opening, replies
from pointsman_routing.desk.rules.opening import Opening
from pointsman_routing.desk.state.capacity import lack_of_room, room_for
from pointsman_routing.desk.state.model import Agent
from pointsman_routing.desk.state.result import Answer, Result, invalid
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

CUSTOMER_ID = "cus_"
"""What the ids of our own customers begin with."""


def start(desk: Desk, command: TicketStart) -> Result:
    """Opens, assigns and writes in one decision. Refused without room, or for an unknown connector or customer."""
    agent = desk.agents.get(command.actor.id)
    if agent is None or not agent.profile.takes_tickets:
        return refuse(403, "not-eligible", f"{command.actor.id} is no agent who takes tickets")
    if command.connector not in desk.policy.document.connectors:
        return invalid(f"there is no connector {command.connector}", "/connector")
    if not command.customer.identities(command.connector):
        return invalid("name the customer by id, email, phone or handle", "/customer")
    written = _written(desk, agent, command)
    return opening.total(desk, written, lambda found: _begin(desk, agent, command, written, found))


def _begin(desk: Desk, agent: Agent, command: TicketStart, written: MessageReceived, found: Opening) -> Result:
    ticket = opening.ticket_of(desk, written, found, written.occurred_at, started_by="agent")
    if room_for(agent, ticket.channel) < ticket.labels.weight:
        return refuse(409, "no-room", lack_of_room(agent, ticket), agent=agent.slug)
    opening.tell(desk, ticket, written, found, recipient=command.customer)
    offers.assign(desk, ticket, agent, command.actor, "the agent began the conversation")
    absence.mind_absence(desk, ticket, agent)
    reply = TicketReply(
        actor=command.actor,
        ticket_id=ticket.id,
        text=command.text,
        html=command.html,
        public=command.public,
        attachment_ids=command.attachment_ids,
        attachments=command.attachments,
        cc=command.cc,
    )
    replies.reply(desk, ticket, reply, written.message_id)
    return Answer(lambda: ticket_shape(ticket), 201)


def _written(desk: Desk, agent: Agent, command: TicketStart) -> MessageReceived:
    """What the agent writes, in the form that classifying reads."""
    at, to = desk.draft.at, command.customer
    identity = to.identities(command.connector)[0]
    _, kind, value = identity
    known = kind == "id" and value.startswith(CUSTOMER_ID)
    id = desk.new_id("tkt")
    return made(
        MessageReceived,
        message_id=desk.new_id("msg"),
        ticket_id=id,
        thread_number=0,
        opens=True,
        connector=command.connector,
        channel=desk.policy.document.connectors[command.connector].channel,
        external_id=id,
        thread=id,
        author=Author(kind="agent", id=agent.slug, name=agent.profile.name),
        customer=CustomerSeen(
            id=value if known else derived_id("cus", at, desk.workspace, *identity),
            name=to.name,
            email=to.email,
            handle=to.handle,
        ),
        subject=command.subject,
        text=command.text,
        occurred_at=at,
        received_at=at,
    )
