"""`queues`: each waiting line with its order, its offers, and what happens when it is shut or full."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, field_validator

from pointsman.contracts.document.parts import (
    LIST_MAX,
    Level,
    Part,
    PositiveSeconds,
    Seconds,
    SkillName,
    Slug,
)
from pointsman.contracts.shapes import Priority

Order = Literal["fifo", "priority", "strict", "urgency", "accumulating"]
Choice = Literal["longest_idle", "least_loaded", "best_skilled", "round_robin"]

HEAD_START_MINUTES: dict[Priority, int] = {"urgent": 60, "high": 20, "normal": 0, "low": -20}
SLOPES: dict[Priority, float] = {"urgent": 6, "high": 3, "normal": 1, "low": 1}


class Escalation(Part):
    """What runs once a ticket used up `offers_max`: people told, and a further queue whose agents are asked too."""

    notify: Slug | None = None
    to: Slug | None = None


class Offer(Part):
    """How a queue offers. `auto_accept` assigns at once; otherwise the agent has `timeout_seconds`."""

    timeout_seconds: Annotated[int, Field(strict=True, ge=1, le=86_400)] = 30
    offers_max: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 3
    retry_seconds: Seconds = 30
    then: Escalation | None = None
    auto_accept: StrictBool = False


class Relaxation(Part):
    """After this long waiting: the language no longer matters, skills are dropped, or their level falls to that."""

    after_seconds: Seconds
    drop_language: StrictBool = False
    drop: Annotated[tuple[SkillName, ...], Field(max_length=LIST_MAX)] = ()
    lower: dict[SkillName, Level] = {}


class Overflow(Part):
    """After this long waiting agents of `to` are asked too; the ticket's queue stays."""

    after_seconds: Seconds
    to: Slug


class Elsewhere(Part):
    """Into another queue."""

    to: Slug


class Shut(Part):
    """What a closed or full queue does, once per ticket: an automatic reply, then hold, another queue, or resolve."""

    reply: Slug | None = None
    then: Literal["hold", "resolve"] | Elsewhere = "hold"


class LateShare(Part):
    """So much of a queue's offers goes to what is overdue the longest; the rest to who can still be saved."""

    share: Annotated[float, Field(strict=True, ge=0, le=1)]


class Threshold(Part):
    """From which figures on a queue is shown as in need."""

    waiting: Annotated[int, Field(strict=True, ge=1, le=10_000_000)] | None = None
    oldest_seconds: PositiveSeconds | None = None


class Wallboard(Part):
    """When the wallboard shows a queue as one to look at, and as one to act on."""

    warn: Threshold = Threshold()
    alarm: Threshold = Threshold()


class Queue(Part):
    """A waiting line. Without `choice` the chain of routing rule 9 chooses the agent."""

    order: Order = "fifo"
    slopes: dict[Priority, Annotated[float, Field(strict=True, gt=0, le=1_000)]] = SLOPES
    wait_target_seconds: PositiveSeconds = 3600
    offer: Offer = Offer()
    choice: Choice | None = None
    head_start_minutes: dict[Priority, Annotated[int, Field(strict=True, ge=-100_000, le=100_000)]] = HEAD_START_MINUTES
    late: Literal["first"] | LateShare | None = None
    wallboard: Wallboard | None = None
    relax: Annotated[tuple[Relaxation, ...], Field(max_length=20)] = ()
    overflow: Annotated[tuple[Overflow, ...], Field(max_length=20)] = ()
    hours: Slug | None = None
    closed: Shut = Shut()
    max_waiting: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None
    full: Shut = Shut()
    pull: StrictBool = False

    @field_validator("head_start_minutes", mode="before")
    @classmethod
    def _every_head_start(cls, given: Any) -> Any:
        return {**HEAD_START_MINUTES, **given} if isinstance(given, dict) else given

    @field_validator("slopes", mode="before")
    @classmethod
    def _every_slope(cls, given: Any) -> Any:
        return {**SLOPES, **given} if isinstance(given, dict) else given
