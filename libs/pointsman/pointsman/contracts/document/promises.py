"""`sla`: policies with their targets, escalation ladders, and whom to notify."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from pointsman.contracts.document.calendars import Zone
from pointsman.contracts.document.classification import Channels
from pointsman.contracts.document.parts import (
    LADDER_STEPS_MAX,
    LADDERS_MAX,
    NOTIFY_MAX,
    POLICIES_MAX,
    Labels,
    Languages,
    OneOrMany,
    Part,
    PositiveSeconds,
    Seconds,
    SecretName,
    Slug,
    Slugs,
    Tags,
)
from pointsman.contracts.document.templates import TemplateText
from pointsman.contracts.shapes import Metric, Priority


class Match(Part):
    """On which tickets a policy holds: every key given must hold, one of its values each. Empty: all tickets."""

    channel: Channels = ()
    connector: Slugs = ()
    queue: Slugs = ()
    priority: Annotated[tuple[Priority, ...], Field(max_length=4), OneOrMany()] = ()
    category: Labels = ()
    organization: Tags = ()
    tags: Tags = ()
    language: Languages = ()
    customer_tier: Labels = ()


class Target(Part):
    """The promised seconds, in the policy's calendar unless another is named."""

    seconds: PositiveSeconds
    calendar: Slug | None = None


Targets = dict[Priority | Literal["default"], Target]


class Warn(Part):
    """When to warn before a breach: at shares of the target, and at seconds before it."""

    shares: Annotated[tuple[Annotated[float, Field(strict=True, gt=0, lt=1)], ...], Field(max_length=10)] = ()
    lead_seconds: Annotated[tuple[PositiveSeconds, ...], Field(max_length=10)] = ()


WARN = Warn(shares=(0.5, 0.8), lead_seconds=(60,))

PauseReason = Literal["customer", "third_party", "snoozed"]


class Policy(Part):
    """A promise. First match wins. A metric that is not named is not measured; `pause_on` absent pauses nothing."""

    name: Slug
    match: Match = Match()
    calendar: Slug | None = None
    targets: dict[Metric, Targets] = {}
    warn: Warn = WARN
    ladder: Slug | None = None
    pause_on: dict[Metric, Annotated[tuple[PauseReason, ...], Field(max_length=3)]] = {}
    reopen: Literal["continue", "restart"] = "continue"

    @field_validator("targets", mode="before")
    @classmethod
    def _seconds_or_target(cls, given: Any) -> Any:
        """`normal: 900` is short for `normal: {seconds: 900}`."""
        if not isinstance(given, dict):
            return given
        return {
            metric: {
                priority: {"seconds": target} if isinstance(target, int) and not isinstance(target, bool) else target
                for priority, target in by_priority.items()
            }
            if isinstance(by_priority, dict)
            else by_priority
            for metric, by_priority in given.items()
        }


class Action(Part):
    """One thing that a step does: exactly one of `boost`, `relax`, `overflow`, `notify`.

    `during` names a calendar; outside it `otherwise` is notified instead.
    """

    boost: Annotated[int, Field(strict=True, ge=1, le=3)] | None = None
    relax: Literal["all", "language"] | None = None
    overflow: Slug | None = None
    notify: Slug | None = None
    during: Slug | None = None
    otherwise: Slug | None = None


class Repeat(Part):
    """Again and again until acknowledged, at most `times_max` times."""

    every_seconds: Annotated[int, Field(strict=True, ge=1, le=86_400 * 30)]
    times_max: Annotated[int, Field(strict=True, ge=1, le=100)] = 4


class Step(Part):
    """A step of a ladder: `on` a warning (the first, or the one `at` a share) or a breach, or `after_seconds` of the
    calendar since the `on` step above it."""

    on: Literal["warning", "breach"] | None = None
    at: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    after_seconds: PositiveSeconds | None = None
    metrics: Annotated[tuple[Metric, ...], Field(max_length=7), OneOrMany()] = ()
    unless: Literal["acknowledged"] | None = None
    do: Annotated[tuple[Action, ...], Field(max_length=20)] = ()
    repeat: Repeat | None = None


class Template(Part):
    """A message's texts as Jinja2 templates (sandboxed), with the variables of docs/sla.md; absent ones are the
    default."""

    title: TemplateText | None = None
    body: TemplateText | None = None


class NotifyTarget(Part):
    """Whom to notify; messages of one group within a window are one. `url_from` names the secret with the addresses,
    one a line, as apprise writes them.

    `hours` names a calendar: what comes outside it is told when it opens, in one message a group; a ladder that ended
    is told at any hour. `per_hour_max`: no more messages an hour. Times are told in `timezone`, the workspace's when
    absent.
    """

    group_by: Annotated[tuple[Literal["queue", "policy", "severity", "metric"], ...], Field(max_length=4)] = (
        "queue",
        "policy",
    )
    within_seconds: Seconds = 60
    url_from: SecretName | None = None
    timezone: Zone | None = None
    hours: Slug | None = None
    per_hour_max: Annotated[int, Field(strict=True, ge=1, le=3_600)] = 60
    template: Template | None = None


class Sla(Part):
    """Policies in order, ladders, notify targets, and who is told when a ladder ended without an acknowledgement."""

    policies: Annotated[tuple[Policy, ...], Field(max_length=POLICIES_MAX)] = ()
    ladders: Annotated[
        dict[Slug, Annotated[tuple[Step, ...], Field(max_length=LADDER_STEPS_MAX)]], Field(max_length=LADDERS_MAX)
    ] = {}
    notify: Annotated[dict[Slug, NotifyTarget], Field(max_length=NOTIFY_MAX)] = {}
    last_resort: Slug | None = None
