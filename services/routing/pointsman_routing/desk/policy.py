"""The part of a workspace's document that the desk decides by, compiled once per version.

Nothing here changes after it was made. Times are `timedelta`, head starts microseconds (the unit of order keys).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from pointsman.contracts.document import Document
from pointsman.contracts.shapes import PRIORITIES
from pointsman_routing.desk.hours import Hours, hours_of

Needs = frozenset[tuple[str, int]]
"""Skills and the level each must have at least."""

NOTHING_NEEDED: Needs = frozenset()


def needs(skills: Mapping[str, int]) -> Needs:
    """A requirement set from `{skill: level}`."""
    return frozenset(skills.items()) if skills else NOTHING_NEEDED


def plain(needed: Needs) -> dict[str, int]:
    """`{skill: level}` in the order of the skills, as answers, rows and facts have it."""
    return dict(_in_order(needed)) if needed else {}


@lru_cache(maxsize=4096)
def _in_order(needed: Needs) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(needed))


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """One queue. `choice` None is the chain of rule 9; `head_start_us` holds a head start per priority, in µs."""

    slug: str
    order: str
    wait_target_us: int
    offer_timeout: timedelta
    auto_accept: bool
    offers_max: int
    retry: timedelta
    choice: str | None
    head_start_us: dict[str, int]


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """What tickets of a channel are like. `gone_requeue` tells when those of a vanished agent are queued again."""

    weight: int
    pending_holds: bool
    abandons_after: timedelta | None
    wrap_up: timedelta
    gone_requeue: str
    gone_at_latest: timedelta | None


@dataclass(frozen=True, slots=True)
class Profile:
    """An agent as configured. `ranks` maps each queue served to its rank; `uniform` tells that every channel finds the
    same room: no caps, and nothing reserved."""

    slug: str
    name: str
    takes_tickets: bool
    capacity: int
    caps: dict[str, int]
    reserve: dict[str, int]
    skills: dict[str, int]
    ranks: dict[str, int]
    uniform: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the desk's configuration."""

    version: int
    document: Document
    queues: dict[str, QueuePolicy]
    channels: dict[str, ChannelPolicy]
    profiles: dict[str, Profile]
    otherwise: str
    reopen: timedelta
    close_after: timedelta
    pending_resolves_after: timedelta
    grace: timedelta
    away_on_expiry: bool
    hours: dict[str, Hours]

    def queue_or_otherwise(self, slug: str) -> str:
        """The queue, or the catch-all when the configuration knows it no more."""
        return slug if slug in self.queues else self.otherwise


def compile_policy(document: Document, version: int) -> Policy:
    """The desk's view of a document that is valid."""
    return Policy(
        version=version,
        document=document,
        queues={slug: _queue(slug, document) for slug in document.queues},
        channels={channel: _channel(channel, document) for channel in ("email", "chat", "social")},
        profiles={slug: _profile(slug, document) for slug in document.agents},
        otherwise=document.catch_all_queue,
        reopen=timedelta(seconds=document.tickets.reopen_seconds),
        close_after=timedelta(seconds=document.tickets.close_after_seconds),
        pending_resolves_after=timedelta(seconds=document.tickets.pending_resolves_after_seconds),
        grace=timedelta(seconds=document.presence.grace_seconds),
        away_on_expiry=document.presence.on_expire == "away",
        hours=hours_of(document),
    )


def _queue(slug: str, document: Document) -> QueuePolicy:
    queue = document.queues[slug]
    return QueuePolicy(
        slug=slug,
        order=queue.order,
        wait_target_us=queue.wait_target_seconds * 1_000_000,
        offer_timeout=timedelta(seconds=queue.offer.timeout_seconds),
        auto_accept=queue.offer.auto_accept,
        offers_max=queue.offer.offers_max,
        retry=timedelta(seconds=queue.offer.retry_seconds),
        choice=queue.choice,
        head_start_us={p: int(queue.head_start_minutes.get(p, 0)) * 60_000_000 for p in PRIORITIES},
    )


def _channel(channel: str, document: Document) -> ChannelPolicy:
    settings = document.channels[channel]  # type: ignore[index]
    gone = document.presence.gone[channel]  # type: ignore[index]
    abandons, latest = settings.abandons_after_seconds, gone.at_latest_seconds
    return ChannelPolicy(
        weight=settings.weight,
        pending_holds=settings.pending_holds,
        abandons_after=None if abandons is None else timedelta(seconds=abandons),
        wrap_up=timedelta(seconds=document.wrap_up_seconds.get(channel, 0)),  # type: ignore[call-overload]
        gone_requeue=gone.requeue,
        gone_at_latest=None if latest is None else timedelta(seconds=latest),
    )


def _profile(slug: str, document: Document) -> Profile:
    agent = document.agents[slug]
    return Profile(
        slug=slug,
        name=agent.name or slug,
        takes_tickets=agent.kind == "human",
        capacity=agent.capacity,
        caps={str(channel): count for channel, count in agent.caps.items()},
        reserve={str(channel): units for channel, units in agent.reserve.items()},
        skills=dict(agent.skills),
        ranks={queue: place.rank for queue, place in document.places_of(slug).items()},
        uniform=not agent.caps and not any(agent.reserve.values()),
    )
