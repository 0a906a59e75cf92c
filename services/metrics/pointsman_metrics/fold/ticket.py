"""The rows of a ticket: itself, who held it when (`Handling`), and when it was unresolved (`Unresolved`).

A ticket's time is spent in exactly one of the buckets `…_seconds` of its states; their sum is the time from its opening
to its last change. What each fact does to the rows is in `desk_rules`.
"""

from dataclasses import dataclass, field

from pointsman.core.instant import Instant


@dataclass(slots=True)
class Handling:
    """An agent held the ticket (`assigned`) or did its after-work (`wrap_up`), from `started_at` to `ended_at`."""

    workspace: str
    ticket_id: str
    number: int
    agent: str
    kind: str
    started_at: Instant
    ended_at: Instant | None = None


@dataclass(slots=True)
class Unresolved:
    """A stretch in which the ticket was unresolved: opened or reopened, until resolved (or merged away)."""

    workspace: str
    ticket_id: str
    number: int
    opened_at: Instant
    ended_at: Instant | None = None


@dataclass
class Ticket:
    """What is known of a ticket. The field order is the table's column order (migration 0001).

    `asked_at` is the oldest unanswered customer message; `answered` lists the seconds of every next response that was
    given (the first response has its own columns). `skills` are the required ones. `handling_number` and
    `unresolved_number` count the rows beside this one; the newest of them is open when its start is set here.
    """

    workspace: str
    ticket_id: str
    channel: str
    connector: str
    customer_id: str
    customer_tier: str | None
    started_by: str
    opened_at: Instant
    config_version: int
    state: str = "queued"
    state_since: Instant | None = None
    waiting_on: str | None = None
    waiting_since: Instant | None = None
    queue: str | None = None
    agent: str | None = None
    team: str | None = None
    category: str | None = None
    language: str | None = None
    priority: str | None = None
    tags: list[str] = field(default_factory=list)
    skills: list[str] = field(default_factory=list)
    confidence: float | None = None
    asked_first_at: Instant | None = None
    asked_at: Instant | None = None
    first_response_at: Instant | None = None
    first_response_agent: str | None = None
    first_response_seconds: float | None = None
    answered: list[float] = field(default_factory=list)
    last_reply_id: str | None = None
    inbound_count: int = 0
    reply_count: int = 0
    bot_reply_count: int = 0
    note_count: int = 0
    offer_count: int = 0
    accept_count: int = 0
    decline_count: int = 0
    expiry_count: int = 0
    rescind_count: int = 0
    assignment_count: int = 0
    transfer_count: int = 0
    reopen_count: int = 0
    escalated_at: Instant | None = None
    left_at: Instant | None = None
    resolved_first_at: Instant | None = None
    resolved_last_at: Instant | None = None
    outcome: str | None = None
    closed_at: Instant | None = None
    merged_into: str | None = None
    queued_seconds: float = 0.0
    offered_seconds: float = 0.0
    assigned_seconds: float = 0.0
    pending_customer_seconds: float = 0.0
    pending_third_party_seconds: float = 0.0
    snoozed_seconds: float = 0.0
    resolved_seconds: float = 0.0
    wrap_up_seconds: float = 0.0
    handling_number: int = 0
    handling_agent: str | None = None
    handling_kind: str | None = None
    handling_since: Instant | None = None
    unresolved_number: int = 0
    unresolved_since: Instant | None = None

    def copy(self) -> "Ticket":
        """A ticket to fold the next facts into, so that this one can stand again when they are taken back."""
        twin = object.__new__(Ticket)
        twin.__dict__.update(self.__dict__)
        twin.answered = list(self.answered)
        return twin


@dataclass(slots=True)
class Beside:
    """The rows beside tickets that a fold opened or ended, by (ticket, number): the newest form of each."""

    handlings: dict[tuple[str, int], Handling] = field(default_factory=dict)
    unresolved: dict[tuple[str, int], Unresolved] = field(default_factory=dict)
