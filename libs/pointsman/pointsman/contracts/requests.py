"""Facts of intake, topic `requests`: what customers and connectors said, already on its ticket."""

from typing import Any, Literal

from pointsman.contracts.base import Contract, Moment, Value
from pointsman.contracts.shapes import Attachment, Author, Automatic, Channel, Hints, MessageKind

TOPIC = "requests"


class CustomerSeen(Value):
    """A customer as intake knows it at this message. (A value; carried inside `message.received`.) `owner` is the agent
    who looks after the customer, by slug."""

    id: str
    name: str | None = None
    email: str | None = None
    handle: str | None = None
    language: str | None = None
    tier: str | None = None
    organization: str | None = None
    owner: str | None = None


class MessageReceived(Contract, topic=TOPIC, type="message.received"):
    """A message arrived and joined its ticket. Self-sufficient: routing asks nobody.

    `thread_number` counts the messages of the thread from 1, given under the thread's row lock; `opens` tells that
    intake began a new ticket with it. `text` is at most 64 KiB (`truncated`); `reply_text` is the part that is new.
    `replaces` is the provider's id of the message that an edit, a deletion or a reaction is about, `replaces_id` ours,
    where that message is known.
    `headers` are those that rules may read, lower-case names. `automatic` marks mail that no person wrote:
    it neither opens nor wakes. `unanswerable`: no automatic reply answers it, as it came through a list, a form or the
    like; a person may have written it.
    """

    message_id: str
    ticket_id: str
    thread_number: int
    opens: bool
    follow_up_of: str | None = None
    connector: str
    channel: Channel
    external_id: str
    thread: str
    kind: MessageKind = "message"
    replaces: str | None = None
    replaces_id: str | None = None
    author: Author
    customer: CustomerSeen
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str | None = None
    text: str = ""
    reply_text: str | None = None
    html: str | None = None
    truncated: bool = False
    attachments: tuple[Attachment, ...] = ()
    headers: dict[str, str] = {}
    automatic: Automatic | None = None
    unanswerable: bool = False
    hints: Hints | None = None
    metadata: dict[str, Any] = {}
    occurred_at: Moment
    received_at: Moment


class MessageDelivered(Contract, topic=TOPIC, type="message.delivered"):
    """A public reply reached the provider (`sent`) or the customer (`delivered`, `read`).

    `customer` is told in conversations that an agent began: who it turned out to be.
    """

    message_id: str
    ticket_id: str
    connector: str
    state: Literal["sent", "delivered", "read"] = "delivered"
    external_id: str | None = None
    customer: CustomerSeen | None = None


class MessageFailed(Contract, topic=TOPIC, type="message.failed"):
    """A public reply could not be delivered; `permanent` when no further attempt follows."""

    message_id: str
    ticket_id: str
    connector: str
    reason: str
    permanent: bool
    attempts: int = 1


class AttachmentSettled(Contract, topic=TOPIC, type="attachment.settled"):
    """A file that a message named by its address was fetched (`kept`), or could not be (`failed`, with the reason).

    It may overtake the message's own record.
    """

    message_id: str
    ticket_id: str
    attachment_id: str
    state: Literal["kept", "failed"]
    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    reason: str | None = None


class CustomerLeft(Contract, topic=TOPIC, type="customer.left"):
    """The customer left the conversation (closed the chat window)."""

    ticket_id: str
    connector: str
    thread: str
    occurred_at: Moment


class CustomerReturned(Contract, topic=TOPIC, type="customer.returned"):
    """The customer is back in the conversation."""

    ticket_id: str
    connector: str
    thread: str
    occurred_at: Moment


class CustomerTyping(Contract, topic=TOPIC, type="customer.typing"):
    """The customer is typing. Shown to the holder, never stored."""

    ticket_id: str
    connector: str
    thread: str
    occurred_at: Moment


class ConversationEnded(Contract, topic=TOPIC, type="conversation.ended"):
    """The provider ended the conversation."""

    ticket_id: str
    connector: str
    thread: str
    occurred_at: Moment
