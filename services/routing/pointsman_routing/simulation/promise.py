"""What is promised to a ticket: the time to a first response, by the first policy that fits.

The sla service says it in production and keeps the clocks; here only the promise itself is read. A policy that asks for
what a ticket does not have (a tier, a tag) does not fit.
"""

from typing import NamedTuple

from pointsman.contracts.document import Document, Policy

ALWAYS = "always"


class Matter(NamedTuple):
    """What policies match on."""

    queue: str
    channel: str
    priority: str | None
    connector: str | None = None
    category: str | None = None
    organization: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    customer_tier: str | None = None


class Promised(NamedTuple):
    """Seconds in a calendar; without one around the clock."""

    seconds: int
    calendar: str | None


def first_response(document: Document, matter: Matter) -> Promised | None:
    """The first-response target; None when the policy that fits promises none, or none fits."""
    for policy in document.sla.policies:
        if _fits(policy, matter):
            targets = policy.targets.get("first_response", {})
            target = targets.get(matter.priority) or targets.get("default")  # type: ignore[call-overload]
            if target is None:
                return None
            calendar = target.calendar or policy.calendar
            if calendar == ALWAYS and ALWAYS not in document.calendars:
                calendar = None
            return Promised(int(target.seconds), calendar)
    return None


def _fits(policy: Policy, matter: Matter) -> bool:
    match = policy.match
    if match.tags and not set(match.tags) & set(matter.tags):
        return False
    return all(
        not wanted or has in wanted
        for wanted, has in (
            (match.queue, matter.queue),
            (match.channel, matter.channel),
            (match.priority, matter.priority),
            (match.connector, matter.connector),
            (match.category, matter.category),
            (match.organization, matter.organization),
            (match.language, matter.language),
            (match.customer_tier, matter.customer_tier),
        )
    )
