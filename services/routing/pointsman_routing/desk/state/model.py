"""The desk's resident things: tickets, offers, agents. Slots and shared values keep a waiting ticket below 1 KB.

A ticket's or agent's attributes are only assigned after `Desk.edit` or `Desk.edit_agent` in the same decision: that
saves them for undo and marks the row to be written. Collections inside are never mutated; they are replaced, except
an agent's `hand`, `shown` and `sessions`, which change through the journal.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple

from pointsman.contracts import shapes
from pointsman.contracts.base import made
from pointsman.contracts.commands import BulkAction
from pointsman.contracts.requests import MessageReceived
from pointsman.core.instant import Instant
from pointsman_routing.desk.state.policy import NOTHING_NEEDED, Needs, Profile
from pointsman_routing.desk.state.sparse import Sparse, SparseValues

OPEN_STATES = frozenset({"queued", "offered", "assigned", "pending", "snoozed"})
WAITING_STATES = frozenset({"queued", "offered"})
SUPERVISING = frozenset({"supervisor", "admin", "operator"})
"""The kinds of actors who may do everything with tickets."""


class Labels(NamedTuple):
    """What a ticket is about and needs. Shared between the tickets that have the same; `by_person` are never
    overwritten by the classifier."""

    language: str = "und"
    category: str = "other"
    priority: shapes.Priority = "normal"
    tags: tuple[str, ...] = ()
    requires: Needs = NOTHING_NEEDED
    prefers: Needs = NOTHING_NEEDED
    weight: int = 1
    by_person: tuple[str, ...] = ()


NO_LABELS = Labels()


class Pause(NamedTuple):
    """Why and until when a ticket is pending; `resolves_at` when nobody said until when. A snoozed one waits on nobody,
    and returns."""

    waiting_on: shapes.WaitingOn | None
    until: Instant | None
    then: str
    reason: str | None
    resolves_at: Instant | None

    @property
    def ends_at(self) -> Instant | None:
        return self.until or self.resolves_at


class Closing(NamedTuple):
    """What a supervisor said of a queue: it is closed, or open outside its hours, until an instant (None: until they
    say otherwise). `then` (None: the queue's own) is `hold`, `resolve` or {to: queue}."""

    state: Literal["closed", "open"]
    until: Instant | None
    reason: str | None
    then: Any
    by: str
    at: Instant


class Move(NamedTuple):
    """A queue that is no more, since the desk's change of that count: its tickets are in the queue `to`."""

    change: int
    queue: str
    to: str


class Inbound(NamedTuple):
    """A message that came in, as it is to be written: `number` counts the messages of one change from 1."""

    message: MessageReceived
    ticket_id: str
    change: int
    number: int


class TicketMessage(NamedTuple):
    """A message of a ticket as its row has it, as far as desks ask. (`change`, `number`) is its place in order;
    `connector`, `channel` and `thread` name the conversation in which it was said (a note: the ticket's own)."""

    id: str
    change: int
    number: int
    direction: str
    kind: str
    author_kind: str
    author_id: str
    author_name: str | None
    automatic: str | None
    received_at: Instant
    subject: str | None
    text: str
    reply_text: str | None
    connector: str
    channel: shapes.Channel
    thread: str


class Conversation(NamedTuple):
    """Where a customer writes, which a merged ticket has more than one of; and who they are there."""

    connector: str
    channel: shapes.Channel
    thread: str
    customer_id: str
    customer_name: str | None


class Charge(NamedTuple):
    """Since when a ticket's weight counts for its agent, by which version, and whether a supervisor put it above what
    that allowed. However often the agent holds it again meanwhile."""

    at: Instant
    config_version: int
    override: bool


class Climb(NamedTuple):
    """A step of an escalation ladder that was carried out for a ticket: of which clock and cycle, and what it did."""

    clock_id: str
    cycle: int
    step: int
    ladder: str
    boost: int
    relax: Literal["all", "language"] | None
    overflow: tuple[str, ...]


class Offer(NamedTuple):
    """A pending offer. Ended ones are rows, not residents."""

    id: str
    ticket_id: str
    agent: str
    weight: int
    reason: str
    offered_at: Instant
    expires_at: Instant


SPARSE = (
    "marked", "pause", "outcome", "escalated_at", "resolved_at", "closed_at", "wrap_up_until", "closes_at", "left_at",
    "abandons_at", "requeues_at", "retry_at", "follow_up_of", "merged_into", "held", "reserved_for", "reserved_until",
    "assigned_at", "offers_spent_at", "relaxed", "climbed", "speaks", "charge", "entrusted_to",
    "unanswerable",
)  # fmt: skip
"""What few waiting tickets have."""


@dataclass(slots=True, eq=False)
class Ticket:
    """One matter of one customer. Columns of the same names are described in pointsman_routing.store.

    `arrival` is the desk's count of changes when it was opened: who waits equally long is served in this order. `place`
    is the entry in the waiting index (None: not waiting there). `declined` maps who declined to the instant
    from which they may be asked again, which only counts while `retrying`: once everybody eligible has declined.
    `stage` is how far waiting has relaxed or widened the search (policy.Stage), `wide` further queues whose agents are
    asked; `affine` are the customer's owner and last agent, preferred for a while.
    `recent` are the last messages' ids, newest last, and `inbound` has a bit for each that is the customer's, the
    lowest for the newest: what somebody has not seen is told from these. `held` says why a queued ticket is offered to
    nobody (its queue is shut), `turned_away` that the rule of a shut or full queue ran for it (rule 20).
    `reserved_for` is the agent for whom alone a queued ticket waits until `reserved_until`. `assigned_at` is
    when its holder got it, while it is assigned, `charge` what `charged` stands for, `entrusted_to` the agent to whom a
    supervisor gave it by name, whatever they may else take, until it ends. `boost` is how many classes higher ladders
    have it ordered, `relaxed` which requirements they dropped, `climbed` their steps, the oldest first;
    `offers_spent_at` when `offers_max` was reached in this queueing, `escalated_at` when that or a ladder first
    escalated it. `speaks` is the conversation of the customer's latest message where that is not the ticket's own,
    `unanswerable` that no automatic reply answers that message.
    """

    id: str
    channel: shapes.Channel
    connector: str
    thread: str
    customer_id: str
    opened_at: Instant
    at: Instant
    queue: str
    config_version: int
    labels: Labels = NO_LABELS
    customer_name: str | None = None
    customer_tier: str | None = None
    customer_organization: str | None = None
    subject: str | None = None
    state: shapes.TicketState = "queued"
    version: int = 0
    change: int = 0
    arrival: int = 0
    boost: int = 0
    started_by: str = "customer"
    agent: str | None = None
    charged: bool = False
    offer: Offer | None = None
    queued_at: Instant | None = None
    waiting_since: Instant | None = None
    unanswered_since: Instant | None = None
    first_breach_at: Instant | None = None
    next_breach_at: Instant | None = None
    warned: bool = False
    last_agent: str | None = None
    last_message_id: str | None = None
    recent: tuple[str, ...] = ()
    inbound: int = 0
    declined: dict[str, Instant] | None = None
    offers: int = 0
    retrying: bool = False
    turned_away: bool = False
    stage: int = 0
    wide: tuple[str, ...] = ()
    affine: tuple[str, ...] = ()
    sparse: SparseValues | None = None
    place: tuple[Any, int, int, "Ticket", Any] | None = None

    marked = Sparse[str](SPARSE.index("marked"), len(SPARSE))
    pause = Sparse[Pause](SPARSE.index("pause"), len(SPARSE))
    outcome = Sparse[shapes.Outcome](SPARSE.index("outcome"), len(SPARSE))
    escalated_at = Sparse[Instant](SPARSE.index("escalated_at"), len(SPARSE))
    resolved_at = Sparse[Instant](SPARSE.index("resolved_at"), len(SPARSE))
    closed_at = Sparse[Instant](SPARSE.index("closed_at"), len(SPARSE))
    wrap_up_until = Sparse[Instant](SPARSE.index("wrap_up_until"), len(SPARSE))
    closes_at = Sparse[Instant](SPARSE.index("closes_at"), len(SPARSE))
    left_at = Sparse[Instant](SPARSE.index("left_at"), len(SPARSE))
    abandons_at = Sparse[Instant](SPARSE.index("abandons_at"), len(SPARSE))
    requeues_at = Sparse[Instant](SPARSE.index("requeues_at"), len(SPARSE))
    retry_at = Sparse[Instant](SPARSE.index("retry_at"), len(SPARSE))
    follow_up_of = Sparse[str](SPARSE.index("follow_up_of"), len(SPARSE))
    merged_into = Sparse[str](SPARSE.index("merged_into"), len(SPARSE))
    held = Sparse[Literal["hours", "closed"]](SPARSE.index("held"), len(SPARSE))
    reserved_for = Sparse[str](SPARSE.index("reserved_for"), len(SPARSE))
    reserved_until = Sparse[Instant](SPARSE.index("reserved_until"), len(SPARSE))
    assigned_at = Sparse[Instant](SPARSE.index("assigned_at"), len(SPARSE))
    offers_spent_at = Sparse[Instant](SPARSE.index("offers_spent_at"), len(SPARSE))
    relaxed = Sparse[Literal["all", "language"]](SPARSE.index("relaxed"), len(SPARSE))
    climbed = Sparse[tuple[Climb, ...]](SPARSE.index("climbed"), len(SPARSE))
    speaks = Sparse[Conversation](SPARSE.index("speaks"), len(SPARSE))
    charge = Sparse[Charge](SPARSE.index("charge"), len(SPARSE))
    entrusted_to = Sparse[str](SPARSE.index("entrusted_to"), len(SPARSE))
    unanswerable = Sparse[bool](SPARSE.index("unanswerable"), len(SPARSE))

    @property
    def customer(self) -> shapes.Customer:
        """Made when asked for: four slots are smaller than a value that every waiting ticket keeps."""
        return made(
            shapes.Customer,
            id=self.customer_id,
            name=self.customer_name,
            tier=self.customer_tier,
            organization=self.customer_organization,
        )

    @property
    def in_wrap_up(self) -> bool:
        return self.wrap_up_until is not None


@dataclass(slots=True, eq=False)
class Agent:
    """An agent's presence and load. `hand` are the tickets that charge or are held (offers, assignments, wrap-ups,
    pending ones), `shown` the pending offers, `counts` and `units` are per channel.

    `resume` is what the first renewal after a lapse restores: (state, set_by, reason). `pool` are the agents alike;
    `stamp` names the entries in the roster that hold now, `shelved` are these entries, and `open` the channels for
    which the agent counts as available there. `handle_seconds` is how long their tickets take, lately (handle_time).
    """

    slug: str
    profile: Profile
    since: Instant
    idle_since: Instant
    state: shapes.PresenceState = "offline"
    set_by: shapes.SetBy = "agent"
    reason: str | None = None
    channels: frozenset[str] | None = None
    resume: tuple[shapes.PresenceState, shapes.SetBy, str | None] | None = None
    held: bool = False
    held_until: Instant | None = None
    gone_at: Instant | None = None
    load: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    change: int = 0
    hand: dict[str, None] = field(default_factory=dict)
    shown: dict[str, None] = field(default_factory=dict)
    sessions: dict[str, Instant] = field(default_factory=dict)
    stamp: int = 0
    shelved: tuple[Any, ...] = ()
    open: tuple[str, ...] = ()
    pool: Any = None
    handle_seconds: float | None = None
    active: bool = True

    @property
    def present(self) -> bool:
        """Whether any session's lease lives."""
        return bool(self.sessions)


class Job(NamedTuple):
    """One action on many tickets that is not finished: `done` of `ids` were asked, `failed` of them refused, and the
    first of these are `errors`."""

    id: str
    actor: shapes.Actor
    action: BulkAction
    ids: tuple[str, ...]
    begun_at: Instant
    done: int = 0
    failed: int = 0
    errors: tuple[dict[str, Any], ...] = ()
    moved_at: Instant | None = None

    def next(self, count: int) -> tuple[str, ...]:
        """The tickets that come next."""
        return self.ids[self.done : self.done + count]

    @property
    def finished(self) -> bool:
        return self.done >= len(self.ids)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was issued, as far as revoking it needs."""

    id: str
    role: str
    sub: str
    expires_at: Instant
    issued_at: Instant
    issued_by: dict[str, Any]
    revoked_at: Instant | None = None


OPENED_WITH = frozenset(
    {"id", "channel", "connector", "thread", "subject", "opened_at", "started_by", "config_version", "arrival"}
    | {"customer_id", "customer_name", "customer_tier", "customer_organization"}
)
"""What a ticket keeps as it was opened: an edit need not save it. (Who the customer turns out to be is journalled.)"""

TICKET_FIELDS = tuple(each.name for each in fields(Ticket))
TICKET_EDITED = tuple(name for name in TICKET_FIELDS if name not in OPENED_WITH)
AGENT_FIELDS = tuple(each.name for each in fields(Agent))


def restore(thing: object, names: tuple[str, ...], values: tuple[Any, ...]) -> None:
    """The inverse of an edit: every attribute as it was."""
    for name, value in zip(names, values, strict=True):
        setattr(thing, name, value)
