"""The files of messages: those that an agent attaches, and what became of those that were fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketReply
from pointsman.contracts.desk import MessageChanged
from pointsman.contracts.requests import AttachmentSettled
from pointsman.contracts.shapes import Attachment

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk
    from pointsman_routing.desk.state.model import Ticket


def named(command: TicketReply) -> tuple[Attachment, ...]:
    """What the reply attaches, in the order of its ids: with names, types and sizes where the API was told them."""
    known = {each.attachment_id: each for each in command.attachments}
    return tuple(known.get(id) or Attachment(attachment_id=id) for id in command.attachment_ids)


def settled(desk: Desk, ticket: Ticket | None, fact: AttachmentSettled) -> None:
    """A file of a message was fetched, or could not be: shown with the message, and told to the holder."""
    said = fact.model_dump(exclude_none=True, exclude={"message_id", "ticket_id", "attachment_id"})
    row = {"message_id": fact.message_id, "attachment_id": fact.attachment_id, "ticket_id": fact.ticket_id}
    desk.append(desk.changes.files, {**row, "said": said})
    if ticket is None:
        return
    desk.edit(ticket)
    changed = made(MessageChanged, ticket_id=ticket.id, message_id=fact.message_id, change="attachments")
    desk.say(ticket, changed, ticket.agent)
