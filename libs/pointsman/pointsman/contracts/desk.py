"""Facts of routing about tickets and offers, topic `desk`.

The subject of each record is the ticket's id, and its time is the decision's `at`. A desk record is all that sla and
metrics hear of a ticket, so `ticket.opened` names everything that policies match on, and changes come as facts.
"""

from typing import Literal

from pointsman.contracts.base import Contract, Moment
from pointsman.contracts.shapes import (
    Actor,
    Attachment,
    Author,
    Automatic,
    Channel,
    Customer,
    Evidence,
    MessageKind,
    Metric,
    Outcome,
    Priority,
    Recipient,
    WaitingOn,
)

TOPIC = "desk"


class TicketOpened(Contract, topic=TOPIC, type="ticket.opened"):
    """A ticket began. `started_by` agent: no response clock until the customer writes.

    `recipient` is given when an agent began the conversation here: intake finds or makes that customer, keeps the
    `thread` for their answer, and knows where replies go. Until then `customer.id` is what a new customer would get.

    `split_from`: its messages were another ticket's; responses are due since `unanswered_since`, or (absent) nothing
    waits for one.
    """

    ticket_id: str
    channel: Channel
    connector: str
    thread: str
    subject: str | None = None
    customer: Customer
    opened_at: Moment
    started_by: Literal["customer", "agent"] = "customer"
    message_id: str
    automatic: Automatic | None = None
    follow_up_of: str | None = None
    recipient: Recipient | None = None
    split_from: str | None = None
    unanswered_since: Moment | None = None
    config_version: int


class InboundNoted(Contract, topic=TOPIC, type="message.received"):
    """A message of the customer (or one that an agent wrote in the provider's own app) was put on the ticket.

    `excerpt` is at most 500 characters. `counts` is false for automatic mail, reactions and bots: they start no clock.
    An author of kind `agent` answers like a reply, from `occurred_at`. `replaces`: the message, by our id, that an
    edit, a deletion or a reaction is about, where it is known.
    """

    ticket_id: str
    message_id: str
    author: Author
    excerpt: str = ""
    kind: MessageKind = "message"
    replaces: str | None = None
    automatic: Automatic | None = None
    counts: bool = True
    occurred_at: Moment
    received_at: Moment


class MessageChanged(Contract, topic=TOPIC, type="message.changed"):
    """A message that is on the ticket is shown otherwise from now on: its author edited or deleted it, or a file that
    it named by its address was fetched or could not be (`attachments`)."""

    ticket_id: str
    message_id: str
    change: Literal["attachments", "edited", "deleted"]


class DeliveryNoted(Contract, topic=TOPIC, type="message.delivered"):
    """The reply reached the provider or the customer."""

    ticket_id: str
    message_id: str
    state: Literal["sent", "delivered", "read"]


class DeliveryFailed(Contract, topic=TOPIC, type="message.failed"):
    """The reply could not be delivered."""

    ticket_id: str
    message_id: str
    reason: str
    permanent: bool


class TicketClassified(Contract, topic=TOPIC, type="ticket.classified"):
    """What the ticket is about, and why. `marked` says what was raised when it went to `otherwise` for that."""

    ticket_id: str
    language: str
    category: str
    priority: Priority
    tags: tuple[str, ...] = ()
    queue: str
    requires: dict[str, int] = {}
    prefers: dict[str, int] = {}
    weight: int = 1
    confidence: float = 1.0
    band: Literal["auto", "suggest", "human"] = "auto"
    evidence: tuple[Evidence, ...] = ()
    marked: str | None = None


class TicketLabelled(Contract, topic=TOPIC, type="ticket.labelled"):
    """Labels as they stand after a person changed some of them; `changed` names those. `queue` is the ticket's from now
    on, also when nothing else says so because somebody has it."""

    ticket_id: str
    language: str
    category: str
    priority: Priority
    tags: tuple[str, ...] = ()
    requires: dict[str, int] = {}
    prefers: dict[str, int] = {}
    changed: tuple[str, ...] = ()
    queue: str | None = None
    by: Actor


class TicketQueued(Contract, topic=TOPIC, type="ticket.queued"):
    """The ticket waits in a queue. `reason`: opened, rejected, expired, rescinded, requeued, reopened, transferred…;
    closed or full when that queue sent it here. `held`: it is offered to nobody until the queue opens, because it is
    outside its hours or closed by a supervisor."""

    ticket_id: str
    queue: str
    reason: str
    waiting_since: Moment
    held: Literal["hours", "closed"] | None = None


class OfferMade(Contract, topic=TOPIC, type="offer.made"):
    """The ticket is shown to one agent until `expires_at`; its weight is charged now. `reason` is one sentence.

    `offered_at` is given when it is later than the record's time: the desk had been behind.
    """

    ticket_id: str
    offer_id: str
    agent: str
    queue: str
    weight: int
    expires_at: Moment
    offered_at: Moment | None = None
    reason: str


class OfferAccepted(Contract, topic=TOPIC, type="offer.accepted"):
    """The agent took the offer."""

    ticket_id: str
    offer_id: str
    agent: str


class OfferRejected(Contract, topic=TOPIC, type="offer.rejected"):
    """The agent declined the offer."""

    ticket_id: str
    offer_id: str
    agent: str
    reason: str | None = None


class OfferExpired(Contract, topic=TOPIC, type="offer.expired"):
    """Nobody answered the offer in time; the agent is away now."""

    ticket_id: str
    offer_id: str
    agent: str


class OfferRescinded(Contract, topic=TOPIC, type="offer.rescinded"):
    """The offer was taken back: the agent went away or lapsed, the customer left, the ticket changed."""

    ticket_id: str
    offer_id: str
    agent: str
    reason: str


class TicketAssigned(Contract, topic=TOPIC, type="ticket.assigned"):
    """The agent holds the ticket. `override` when a supervisor put it above capacity, with the reason.

    `assigned_at` is given when it is later than the record's time: the desk had been behind.
    """

    ticket_id: str
    agent: str
    queue: str
    weight: int
    offer_id: str | None = None
    by: Actor
    reason: str | None = None
    override: bool = False
    assigned_at: Moment | None = None


class TicketReplied(Contract, topic=TOPIC, type="ticket.replied"):
    """A public reply. `deliver` is false when it was already written in the provider's own app.

    `connector` and `thread` tell intake where it goes.
    """

    ticket_id: str
    message_id: str
    author: Author
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    cc: tuple[str, ...] = ()
    reply_to_message: str | None = None
    connector: str
    channel: Channel
    thread: str
    subject: str | None = None
    customer: Customer
    occurred_at: Moment
    deliver: bool = True


class TicketNoted(Contract, topic=TOPIC, type="ticket.noted"):
    """A private note. It stops no clock and is never delivered."""

    ticket_id: str
    message_id: str
    author: Author
    text: str


class TicketPended(Contract, topic=TOPIC, type="ticket.pended"):
    """The ticket waits on somebody else. `frees` tells whether the charge was freed (`pending_holds` keeps it)."""

    ticket_id: str
    agent: str | None = None
    waiting_on: WaitingOn
    until: Moment | None = None
    reason: str | None = None
    then: Literal["return", "resolve"] = "resolve"
    frees: bool = True
    by: Actor


class TicketSnoozed(Contract, topic=TOPIC, type="ticket.snoozed"):
    """The agent set the ticket aside until an instant. `frees` tells whether the charge was freed."""

    ticket_id: str
    agent: str | None = None
    until: Moment
    frees: bool = True
    by: Actor


class TicketWoken(Contract, topic=TOPIC, type="ticket.woken"):
    """A pending or snoozed ticket goes on (a message came, the time was up): next it is assigned or queued."""

    ticket_id: str
    reason: str


class TicketTransferred(Contract, topic=TOPIC, type="ticket.transferred"):
    """The ticket was handed on; what follows says where it is, nothing when it stays pending or snoozed.

    `reserved_until`: it waits so long for `to_agent` alone. `requires` is given when the transfer changed it.
    """

    ticket_id: str
    from_agent: str | None = None
    to_queue: str | None = None
    to_agent: str | None = None
    reserved_until: Moment | None = None
    requires: dict[str, int] | None = None
    reason: str
    by: Actor


class TicketMoved(Contract, topic=TOPIC, type="ticket.moved"):
    """The ticket is in another queue, because its own was renamed or deleted; state, offer and holder stand. Of one
    that waits `ticket.queued` says it. A ticket that was resolved by then moves when it is next touched."""

    ticket_id: str
    from_queue: str
    queue: str
    reason: str


class TicketEscalated(Contract, topic=TOPIC, type="ticket.escalated"):
    """The ticket gets more attention. Without a `ladder` the queue's `offers_max` was reached: it stays queued,
    decliners are eligible again, and `notify` names the target that is told of it.

    With one, `step` of it was carried out on the desk for a clock (`clock.escalated`), once per clock and cycle:
    `boost` classes higher in the order until the ticket is resolved; `relax` what it still requires, and `overflow` to
    further queues' agents, until it is queued afresh. `reason` says it in words, `offers` are those made so far.
    """

    ticket_id: str
    reason: str
    offers: int
    notify: str | None = None
    clock_id: str | None = None
    metric: Metric | None = None
    cycle: int | None = None
    policy: str | None = None
    ladder: str | None = None
    step: int | None = None
    boost: int = 0
    relax: Literal["all", "language"] | None = None
    overflow: tuple[str, ...] = ()


class TicketResolved(Contract, topic=TOPIC, type="ticket.resolved"):
    """The matter is done. Until `wrap_up_until` the agent keeps the charge."""

    ticket_id: str
    outcome: Outcome
    agent: str | None = None
    category: str | None = None
    wrap_up_until: Moment | None = None
    by: Actor
    reason: str | None = None


class WrapUpFinished(Contract, topic=TOPIC, type="ticket.wrap_up_finished"):
    """The agent's after-work is over and the charge free. `by` time or the agent."""

    ticket_id: str
    agent: str
    by: Actor


class TicketReopened(Contract, topic=TOPIC, type="ticket.reopened"):
    """A resolved ticket is open again. What follows says where: assigned or queued."""

    ticket_id: str
    reason: str
    by: Actor


class TicketClosed(Contract, topic=TOPIC, type="ticket.closed"):
    """The ticket is history: intake lets its thread go, the next message begins a new ticket."""

    ticket_id: str
    reason: str = "close_after_seconds"
    merged_into: str | None = None


class TicketMerged(Contract, topic=TOPIC, type="ticket.merged"):
    """Two tickets became one. Said of both: of the one that ends with `into` (it closes next), of the one that goes on
    with `source`. `unanswered_since` is the oldest customer message of the source that nobody has answered: response
    clocks of the target start no later than that."""

    ticket_id: str
    into: str | None = None
    source: str | None = None
    unanswered_since: Moment | None = None
    reason: str
    by: Actor


class TicketSplit(Contract, topic=TOPIC, type="ticket.split"):
    """Messages of this ticket are from now on those of the new ticket `into`. `unanswered_since` is the oldest customer
    message that stays here and that nobody has answered, absent when nothing waits for an answer any more."""

    ticket_id: str
    into: str
    message_ids: tuple[str, ...]
    unanswered_since: Moment | None = None
    reason: str
    by: Actor


class TicketCustomerLeft(Contract, topic=TOPIC, type="ticket.customer_left"):
    """The customer left (or, with `returned`, came back); the holder is told."""

    ticket_id: str
    returned: bool = False
    at: Moment
