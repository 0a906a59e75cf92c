"""Automatic replies: a text of the workspace's `replies`, in the ticket's language, written by a bot.

They answer a person only: somebody's message that waits for an answer, never automatic mail, nor what came through a
list, a form or a forwarder. They are delivered like any public reply, and end no waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.shapes import Author
from pointsman_routing.desk.rules import replies
from pointsman_routing.desk.state.model import Ticket

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

BOT = Author(kind="bot", id="pointsman")


def send(desk: Desk, ticket: Ticket, reply: str | None) -> bool:
    """Sends the reply of that name, if a customer's message waits for an answer; whether it did."""
    if reply is None or ticket.unanswered_since is None or ticket.unanswerable:
        return False
    text = desk.policy.document.reply_text(reply, ticket.labels.language)
    if text is None:
        return False
    desk.edit(ticket)
    message_id = desk.new_id("msg", ticket.id, reply)
    replies.write(desk, ticket, message_id, BOT, text)
    if desk.draft.greeted is ticket:
        desk.draft.greeted = None
    return True


def greet(desk: Desk) -> None:
    """The connector's `auto_reply` to a ticket that opened, unless another automatic reply has answered it."""
    ticket, desk.draft.greeted = desk.draft.greeted, None
    if ticket is not None and ticket.marked is None:
        connector = desk.policy.document.connectors.get(ticket.connector)
        send(desk, ticket, connector.auto_reply if connector is not None else None)
