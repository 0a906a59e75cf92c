"""The part of a workspace's document that the desk decides by, compiled once per version.

Nothing here changes after it was made. Times are `timedelta`, head starts microseconds (the unit of order keys).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

from pointsman.contracts.document import Document
from pointsman.contracts.document.queues import LateShare, Queue
from pointsman.contracts.shapes import PRIORITIES
from pointsman_routing.desk.state.hours import Hours, hours_of

Needs = frozenset[tuple[str, int]]
"""Skills and the level each must have at least."""

NOTHING_NEEDED: Needs = frozenset()
WHOLE_SHARE = 10_000
"""Shares of offers are whole numbers of ten-thousandths: sums of them are exact."""
RELAXED_KEPT_MAX = 4096


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
class Stage:
    """What holds of a queue's tickets from some time of waiting on (rule 10): in `lines` they stand, the queue's own
    first; these skills they require no more or at most at this level (`relaxes`: if any). Cumulative: a stage has what
    those before had."""

    after_us: int
    lines: tuple[str, ...]
    drop_language: bool = False
    drop: frozenset[str] = frozenset()
    lower: Mapping[str, int] = field(default_factory=dict)
    relaxes: bool = False
    _relaxed: dict[tuple[Needs, str | None], Needs] = field(default_factory=dict, compare=False, repr=False)

    @property
    def after(self) -> timedelta:
        return timedelta(microseconds=self.after_us)

    def relaxed(self, requires: Needs, language_skill: str | None) -> Needs:
        """What is still required of what was. Looked up, once it was found."""
        key = (requires, language_skill)
        found = self._relaxed.get(key)
        if found is None:
            if len(self._relaxed) >= RELAXED_KEPT_MAX:
                self._relaxed.clear()
            found = self._relaxed[key] = frozenset(
                (skill, min(level, self.lower.get(skill, level)))
                for skill, level in requires
                if skill not in self.drop and not (self.drop_language and skill == language_skill)
            )
        return found


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """One queue. `choice` None is the chain of rule 9; `head_start_us` holds a head start per priority, in µs, and
    `slopes` what urgency gains per unit waited, for `accumulating`; `priorities` are the classes, most urgent first.
    `late_share`: which part of the offers goes to the overdue, in ten-thousandths; None: nobody is set apart.
    `stages` begins with that of no waiting. `escalates_to` and `escalates_with` are the queue whose agents are asked
    and the notify target that is told when `offers_max` was reached."""

    slug: str
    order: str
    wait_target_us: int
    offer_timeout: timedelta
    auto_accept: bool
    offers_max: int
    retry: timedelta
    choice: str | None
    head_start_us: dict[str, int]
    stages: tuple[Stage, ...]
    slopes: dict[str, float] = field(default_factory=dict)
    priorities: tuple[str, ...] = PRIORITIES
    late_share: int | None = None
    escalates_to: str | None = None
    escalates_with: str | None = None

    def stage_at(self, waited_us: int) -> int:
        """The number of the stage that holds after so long."""
        number = 0
        for each in self.stages[1:]:
            if each.after_us > waited_us:
                break
            number += 1
        return number


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """What tickets of a channel are like. `gone_requeue` tells when those of a vanished agent are queued again."""

    weight: int
    affinity: timedelta
    pending_holds: bool
    abandons_after: timedelta | None
    wrap_up: timedelta
    gone_requeue: str
    gone_at_latest: timedelta | None


@dataclass(frozen=True, slots=True)
class Profile:
    """An agent as configured. `ranks` maps each queue served to its rank, and `opens` to how long a ticket must have
    waited for it, in µs; `uniform` tells that every channel finds the same room: no caps, and nothing reserved."""

    slug: str
    name: str
    takes_tickets: bool
    capacity: int
    caps: dict[str, int]
    reserve: dict[str, int]
    skills: dict[str, int]
    ranks: dict[str, int]
    opens_us: dict[str, int]
    uniform: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the desk's configuration. `climbed_to` are the queues into which ladders overflow,
    `reasons` those that an agent may give for their presence, none: any. `sharing` are the queues that share their
    offers with the overdue."""

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
    reasons: frozenset[str]
    hours: dict[str, Hours]
    climbed_to: frozenset[str]
    sharing: frozenset[str]

    def queue_or_otherwise(self, slug: str) -> str:
        """The queue, or the catch-all when the configuration knows it no more."""
        return slug if slug in self.queues else self.otherwise

    def needs_of(self, queue: str, stage: int, requires: Needs, language: str, relaxed: str | None) -> Needs:
        """What a ticket of this queue still requires after waiting that long, and what ladders relaxed."""
        holds = self.queues[queue].stages[stage]
        if relaxed == "all":
            return NOTHING_NEEDED
        if not holds.relaxes and relaxed is None:
            return requires
        skill = self.document.language_skill(language)
        left = holds.relaxed(requires, skill)
        return left if relaxed is None else frozenset(need for need in left if need[0] != skill)

    def modes_reaching(self, queue: str) -> set[str | None]:
        """The choices of all queues whose tickets may be shown to agents of this one."""
        from_all = queue in self.climbed_to
        return {
            other.choice
            for other in self.queues.values()
            if from_all or queue in other.stages[-1].lines or queue == other.escalates_to
        }


def compile_policy(document: Document, version: int) -> Policy:
    """The desk's view of a document that is valid."""
    profiles = {slug: _profile(slug, document) for slug in document.agents}
    opens: dict[str, set[int]] = {}
    for profile in profiles.values():
        for queue, after_us in profile.opens_us.items():
            if after_us:
                opens.setdefault(queue, set()).add(after_us)
    return Policy(
        version=version,
        document=document,
        queues={slug: _queue(slug, document, opens) for slug in document.queues},
        channels={channel: _channel(channel, document) for channel in ("email", "chat", "social")},
        profiles=profiles,
        otherwise=document.catch_all_queue,
        reopen=timedelta(seconds=document.tickets.reopen_seconds),
        close_after=timedelta(seconds=document.tickets.close_after_seconds),
        pending_resolves_after=timedelta(seconds=document.tickets.pending_resolves_after_seconds),
        grace=timedelta(seconds=document.presence.grace_seconds),
        away_on_expiry=document.presence.on_expire == "away",
        reasons=frozenset(document.presence.reasons if "reasons" in document.presence.model_fields_set else ()),
        hours=hours_of(document),
        climbed_to=frozenset(
            action.overflow
            for ladder in document.sla.ladders.values()
            for step in ladder
            for action in step.do
            if action.overflow is not None
        ),
        sharing=frozenset(slug for slug, queue in document.queues.items() if _late_share(queue) is not None),
    )


def _queue(slug: str, document: Document, opens: Mapping[str, Iterable[int]]) -> QueuePolicy:
    queue = document.queues[slug]
    then = queue.offer.then
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
        stages=_stages(slug, queue, opens),
        slopes={p: float(slope) for p, slope in queue.slopes.items()} if queue.order == "accumulating" else {},
        late_share=_late_share(queue),
        escalates_to=then.to if then else None,
        escalates_with=then.notify if then else None,
    )


def _late_share(queue: Queue) -> int | None:
    if queue.order != "urgency" or not isinstance(queue.late, LateShare):
        return None
    return round(queue.late.share * WHOLE_SHARE)


def _stages(slug: str, queue: Queue, opens: Mapping[str, Iterable[int]]) -> tuple[Stage, ...]:
    """A stage for every time at which something changes for the queue's tickets: a relaxation, an overflow, or an agent
    whose rank opens then."""
    to = queue.offer.then.to if queue.offer.then else None
    lines = dict.fromkeys([slug, *(step.to for step in queue.overflow), *([to] if to else [])])
    times = {0, *(step.after_seconds * 1_000_000 for step in queue.relax)}
    times.update(step.after_seconds * 1_000_000 for step in queue.overflow)
    times.update(after_us for line in lines for after_us in opens.get(line, ()))
    return tuple(_stage(slug, queue, after_us) for after_us in sorted(times))


def _stage(slug: str, queue: Queue, after_us: int) -> Stage:
    relaxed = [step for step in queue.relax if step.after_seconds * 1_000_000 <= after_us]
    overflown = [step.to for step in queue.overflow if step.after_seconds * 1_000_000 <= after_us]
    lower: dict[str, int] = {}
    for step in relaxed:
        for skill, level in step.lower.items():
            lower[skill] = min(level, lower.get(skill, level))
    return Stage(
        after_us=after_us,
        lines=tuple(dict.fromkeys([slug, *overflown])),
        drop_language=any(step.drop_language for step in relaxed),
        drop=frozenset(skill for step in relaxed for skill in step.drop),
        lower=lower,
        relaxes=bool(relaxed),
    )


def _channel(channel: str, document: Document) -> ChannelPolicy:
    settings = document.channels[channel]  # type: ignore[index]
    gone = document.presence.gone[channel]  # type: ignore[index]
    abandons, latest = settings.abandons_after_seconds, gone.at_latest_seconds
    return ChannelPolicy(
        weight=settings.weight,
        affinity=timedelta(seconds=settings.affinity_seconds),
        pending_holds=settings.pending_holds,
        abandons_after=None if abandons is None else timedelta(seconds=abandons),
        wrap_up=timedelta(seconds=document.wrap_up_seconds.get(channel, 0)),  # type: ignore[call-overload]
        gone_requeue=gone.requeue,
        gone_at_latest=None if latest is None else timedelta(seconds=latest),
    )


def _profile(slug: str, document: Document) -> Profile:
    agent, places = document.agents[slug], document.places_of(slug)
    return Profile(
        slug=slug,
        name=agent.name or slug,
        takes_tickets=agent.kind == "human",
        capacity=agent.capacity,
        caps={str(channel): count for channel, count in agent.caps.items()},
        reserve={str(channel): units for channel, units in agent.reserve.items()},
        skills=dict(agent.skills),
        ranks={queue: place.rank for queue, place in places.items()},
        opens_us={queue: place.after_seconds * 1_000_000 for queue, place in places.items()},
        uniform=not agent.caps and not any(agent.reserve.values()),
    )
