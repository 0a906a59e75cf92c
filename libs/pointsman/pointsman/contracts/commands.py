"""Commands, topic `commands`: what APIs ask of the workers. One command a record; unknown fields are errors here.

The record's subject is the ticket, offer, agent or alert that it is about; `actor` is who asks, with the role that
the token gave. `not_after` is the instant after which the worker refuses it.
"""

from typing import Any, Literal

from pydantic import ConfigDict

from pointsman.contracts.base import Contract, Moment, Value
from pointsman.contracts.shapes import (
    Actor,
    Attachment,
    Channel,
    Elsewhere,
    Outcome,
    PresenceState,
    Priority,
    Recipient,
    WaitingOn,
)

TOPIC = "commands"


class Command(Contract):
    """What all commands carry. `for_service` is who takes it; a worker skips the others' by header.

    `if_match` is the ticket version the caller saw, or None. `question` marks a read-only question (no row is kept).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    actor: Actor
    not_after: Moment | None = None
    if_match: int | None = None
    body_hash: str | None = None
    reply_to: str | None = None
    question: bool = False


class PresenceSet(Command, topic=TOPIC, type="presence.set"):
    """`PUT /me/presence`: renews a session's lease; with `state` when a person chose it."""

    agent: str
    session: str
    lease_seconds: int
    state: PresenceState | None = None
    reason: str | None = None
    channels: tuple[str, ...] | None = None


class SessionRenewal(Value):
    """One lease renewed by a bare heartbeat: it now lives until `until`."""

    agent: str
    session: str
    until: Moment


class PresenceRenew(Command, topic=TOPIC, type="presence.renew"):
    """Renewals that change nothing, bundled per workspace, second and API process. No outcome."""

    agents: tuple[SessionRenewal, ...]


class PresenceEnd(Command, topic=TOPIC, type="presence.end"):
    """`DELETE /me/sessions/{session}`: the session is over; the last one makes the agent offline."""

    agent: str
    session: str


class PresenceHold(Command, topic=TOPIC, type="presence.hold"):
    """`PUT /agents/{a}/presence`: a supervisor sets an agent's state, and may hold it."""

    agent: str
    state: PresenceState
    reason: str | None = None
    until: Moment | None = None
    hold: bool = False


class OfferAccept(Command, topic=TOPIC, type="offer.accept"):
    """`POST /offers/{id}/accept`."""

    offer_id: str


class OfferReject(Command, topic=TOPIC, type="offer.reject"):
    """`POST /offers/{id}/reject`."""

    offer_id: str
    reason: str | None = None


class TicketReply(Command, topic=TOPIC, type="ticket.reply"):
    """`POST /tickets/{id}/messages`: a public reply, or a note when `public` is false. `attachments` say of the
    `attachment_ids` what they are."""

    ticket_id: str
    text: str
    html: str | None = None
    public: bool
    attachment_ids: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    cc: tuple[str, ...] = ()
    reply_to_message: str | None = None


class TicketPend(Command, topic=TOPIC, type="ticket.pend"):
    """`POST /tickets/{id}/pend`."""

    ticket_id: str
    waiting_on: WaitingOn
    until: Moment | None = None
    reason: str | None = None
    then: Literal["return", "resolve"] = "resolve"
    last_message_id: str | None = None
    force: bool = False


class TicketSnooze(Command, topic=TOPIC, type="ticket.snooze"):
    """`POST /tickets/{id}/snooze`."""

    ticket_id: str
    until: Moment
    last_message_id: str | None = None
    force: bool = False


class TicketResolve(Command, topic=TOPIC, type="ticket.resolve"):
    """`POST /tickets/{id}/resolve`."""

    ticket_id: str
    outcome: Outcome
    category: str | None = None
    wrap_up_seconds: int | None = None
    last_message_id: str | None = None
    force: bool = False


class WrapUpFinish(Command, topic=TOPIC, type="ticket.finish_wrap_up"):
    """`POST /tickets/{id}/wrap-up/finish`."""

    ticket_id: str


class TicketReopen(Command, topic=TOPIC, type="ticket.reopen"):
    """`POST /tickets/{id}/reopen`."""

    ticket_id: str
    reason: str | None = None


class TicketLabel(Command, topic=TOPIC, type="ticket.label"):
    """`POST /tickets/{id}/label`."""

    ticket_id: str
    category: str | None = None
    priority: Priority | None = None
    language: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    reroute: bool = False


class TicketTransfer(Command, topic=TOPIC, type="ticket.transfer"):
    """`POST /tickets/{id}/transfer`: exactly one of the three targets. With `wait_seconds` an absent or full agent is
    waited for so long."""

    ticket_id: str
    to_queue: str | None = None
    to_agent: str | None = None
    to_skills: dict[str, int] | None = None
    reason: str
    wait_seconds: int | None = None


class TicketAssign(Command, topic=TOPIC, type="ticket.assign"):
    """`POST /tickets/{id}/assign`: a supervisor's decision; above capacity only with `override`."""

    ticket_id: str
    agent: str
    override: bool = False
    reason: str


class TicketTake(Command, topic=TOPIC, type="ticket.take"):
    """`POST /tickets/{id}/take`: the actor takes a waiting ticket of a queue with `pull`."""

    ticket_id: str


class AgentHandover(Command, topic=TOPIC, type="agent.handover"):
    """`POST /me/handover`: the agent gives tickets back to their queues; all without `ticket_ids`."""

    agent: str
    ticket_ids: tuple[str, ...] | None = None
    reason: str


class AgentRequeue(Command, topic=TOPIC, type="agent.requeue"):
    """`POST /agents/{a}/requeue`: a supervisor gives an agent's tickets back to their queues, or all to one."""

    agent: str
    ticket_ids: tuple[str, ...] | None = None
    channels: tuple[Channel, ...] | None = None
    to_queue: str | None = None
    reason: str


class TicketMerge(Command, topic=TOPIC, type="ticket.merge"):
    """`POST /tickets/{id}/merge`: the ticket's matter goes on in the ticket `into`."""

    ticket_id: str
    into: str
    reason: str
    different_customers: bool = False


class TicketStart(Command, topic=TOPIC, type="ticket.start"):
    """`POST /tickets`: the actor, an agent, begins a conversation with a customer; with `public` false, by a note."""

    connector: str
    customer: Recipient
    subject: str | None = None
    text: str
    html: str | None = None
    public: bool
    attachment_ids: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    cc: tuple[str, ...] = ()


class TicketSplit(Command, topic=TOPIC, type="ticket.split"):
    """`POST /tickets/{id}/split`: these messages are a matter of their own."""

    ticket_id: str
    message_ids: tuple[str, ...]
    reason: str


class AssignTo(Value):
    """As `TicketAssign`, of many tickets."""

    agent: str
    override: bool = False
    reason: str


class TransferTo(Value):
    """As `TicketTransfer`, of many tickets."""

    to_queue: str | None = None
    to_agent: str | None = None
    to_skills: dict[str, int] | None = None
    reason: str
    wait_seconds: int | None = None


class RequeueTo(Value):
    """Back to the tickets' queues, or all to one."""

    to_queue: str | None = None
    reason: str


class LabelAs(Value):
    """As `TicketLabel`, of many tickets."""

    category: str | None = None
    priority: Priority | None = None
    language: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    reroute: bool = False


class ResolveAs(Value):
    """As `TicketResolve`, of many tickets."""

    outcome: Outcome
    category: str | None = None


class BulkAction(Value):
    """What is done with each ticket: exactly one of these."""

    assign: AssignTo | None = None
    transfer: TransferTo | None = None
    requeue: RequeueTo | None = None
    label: LabelAs | None = None
    resolve: ResolveAs | None = None


class TicketsBulk(Command, topic=TOPIC, type="tickets.bulk"):
    """`POST /tickets:bulk`: one action on many tickets, each for itself. With many it becomes a job. A dry run is a
    question."""

    ticket_ids: tuple[str, ...]
    action: BulkAction


class TicketExplain(Command, topic=TOPIC, type="ticket.explain"):
    """`GET /tickets/{id}/explain`: a question, answered from the resident desk."""

    ticket_id: str
    agent: str | None = None
    question: bool = True


class AttachmentsDescribe(Command, topic=TOPIC, type="attachments.describe"):
    """What these attachments of the workspace are: a question of routing's API to intake, before a reply takes them."""

    attachment_ids: tuple[str, ...]
    question: bool = True


class DeskAudit(Command, topic=TOPIC, type="desk.audit"):
    """`GET /audit`: what the last audit of the workspace found. `begin`: another one is wanted."""

    begin: bool = False
    question: bool = True


class QueueDepths(Command, topic=TOPIC, type="queue.depths"):
    """`GET /queues`: a question; depth, oldest and eligible now, of one queue or all."""

    queue: str | None = None
    question: bool = True


class QueueClose(Command, topic=TOPIC, type="queue.close"):
    """`POST /queues/{q}/close`: nobody is offered its tickets until then, or what else `then` says."""

    queue: str
    until: Moment | None = None
    reason: str
    then: Literal["hold", "resolve"] | Elsewhere | None = None


class QueueOpen(Command, topic=TOPIC, type="queue.open"):
    """`POST /queues/{q}/open`: a closing ends; outside its hours the queue is open until they begin."""

    queue: str
    reason: str | None = None


class ConfigPut(Command, topic=TOPIC, type="config.put"):
    """A whole new document, already validated by the API; the desk validates again, and orders it.

    `expects` is the version it replaces (0: none yet, `If-None-Match: *`; None: whatever holds, `If-Match: *`).
    """

    document: dict[str, Any]
    expects: int | None = None
    reason: str | None = None
    open_clocks: Literal["keep", "recompute"] | None = None
    moves: dict[str, Any] | None = None


class ConfigEffect(Command, topic=TOPIC, type="config.effect"):
    """`POST /config:check`: a question; what putting this document would do to tickets and agents as they are now."""

    document: dict[str, Any]
    moves: dict[str, Any] | None = None
    question: bool = True


class TokenIssue(Command, topic=TOPIC, type="token.issue"):
    """`POST /tokens`: keeps what is needed to list and revoke it. Never the token."""

    token_id: str
    role: str
    sub: str
    expires_at: Moment


class TokenRevoke(Command, topic=TOPIC, type="token.revoke"):
    """`DELETE /tokens/{id}`."""

    token_id: str


class FactsResend(Command, topic=TOPIC, type="facts.resend"):
    """A reader misses numbers of a source: send everything from `first` on again, with the old numbers."""

    source: str
    of_topic: str
    partition: int
    first: int


class DeadLetterReplay(Command, topic=TOPIC, type="dead_letter.replay"):
    """Feed a dead letter of `service` into its lane again."""

    service: str
    dead_letter_id: str
