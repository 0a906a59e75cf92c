"""`agents`, `teams`, `presence`: who takes tickets, how many, and how we know that they are there."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_serializer, field_validator

from pointsman.contracts.document.parts import (
    LIST_MAX,
    SKILLS_OF_AGENT_MAX,
    Level,
    Part,
    Seconds,
    Short,
    SkillName,
    Slug,
    Slugs,
    Units,
)
from pointsman.contracts.shapes import Channel


class Place(Part):
    """An agent's place in a queue: the lower rank is served first; a rank may open after seconds of waiting."""

    rank: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 1
    after_seconds: Seconds = 0


class Agent(Part):
    """Who takes tickets. `capacity` and `reserve` are units, `caps` counts tickets; `queues` None serves all."""

    name: Short | None = None
    kind: Literal["human", "bot"] = "human"
    login: Short | None = None
    team: Slug | None = None
    hours: Slug | None = None
    capacity: Units = 4
    caps: dict[Channel, Units] = {}
    reserve: dict[Channel, Units] = {}
    skills: Annotated[dict[SkillName, Level], Field(max_length=SKILLS_OF_AGENT_MAX)] = {}
    queues: Annotated[dict[Slug, Place], Field(max_length=LIST_MAX)] | None = None

    @field_validator("queues", mode="before")
    @classmethod
    def _places(cls, given: Any) -> Any:
        """`[a, b]` is equal rank, `{a: 1}` a rank, `{a: {rank: 2, after_seconds: 120}}` a place."""
        if isinstance(given, (list, tuple)) and all(isinstance(queue, str) for queue in given):
            return {queue: {"rank": 1} for queue in given}
        if isinstance(given, dict):
            return {
                queue: {"rank": place} if isinstance(place, int) and not isinstance(place, bool) else place
                for queue, place in given.items()
            }
        return given

    @field_serializer("queues")
    def _plain_places(self, queues: dict[str, Place] | None) -> dict[str, Any] | None:
        return None if queues is None else {slug: place.model_dump(mode="json") for slug, place in queues.items()}


class Team(Part):
    """Agents who share queues and hours; an agent's own say goes before the team's."""

    name: Short | None = None
    queues: Slugs = ()
    hours: Slug | None = None


class Gone(Part):
    """What becomes of a channel's assigned tickets when their agent's lease lapsed."""

    requeue: Literal["after_grace", "on_warning", "never"] = "on_warning"
    at_latest_seconds: Seconds | None = None


GONE: dict[Channel, dict[str, Any]] = {
    "chat": {"requeue": "after_grace"},
    "email": {"requeue": "on_warning", "at_latest_seconds": 28_800},
    "social": {"requeue": "on_warning", "at_latest_seconds": 28_800},
}


class Presence(Part):
    """The lease that an agent's app renews. `reasons`, when given, are the only ones that an agent may give."""

    lease_seconds: Annotated[int, Field(strict=True, ge=5, le=3_600)] = 60
    grace_seconds: Annotated[int, Field(strict=True, ge=0, le=86_400)] = 120
    reasons: Annotated[tuple[Short, ...], Field(max_length=LIST_MAX)] = ("lunch", "training")
    on_expire: Literal["away", "keep"] = "away"
    gone: dict[Channel, Gone] = {channel: Gone(**rule) for channel, rule in GONE.items()}

    @field_validator("gone", mode="before")
    @classmethod
    def _every_channel(cls, given: Any) -> Any:
        return {**GONE, **given} if isinstance(given, dict) else given
