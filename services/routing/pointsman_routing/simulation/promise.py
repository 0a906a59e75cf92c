"""What is promised to a class's customers: the time to a first response, counted around the clock.

The desk assigns and the agent begins at once, so a simulated customer's first response comes with the assignment.
"""

from pointsman.contracts.document import Document, Policy
from pointsman.contracts.shapes import Channel


def promised_seconds(document: Document, queue: str, channel: Channel, priority: float | str) -> int | None:
    """The first-response target of the first policy that fits; None when no policy promises one.

    A policy that asks for what simulated customers do not have (a tier, a tag, a category) does not fit.
    """
    for policy in document.sla.policies:
        if _fits(policy, queue, channel, priority):
            targets = policy.targets.get("first_response", {})
            target = targets.get(priority) if isinstance(priority, str) else None  # type: ignore[call-overload]
            target = target or targets.get("default")
            return None if target is None else int(target.seconds)
    return None


def _fits(policy: Policy, queue: str, channel: Channel, priority: float | str) -> bool:
    match = policy.match
    asked: tuple[tuple[tuple[object, ...], object], ...] = (
        (match.queue, queue),
        (match.channel, channel),
        (match.priority, priority),
        (match.connector, None),
        (match.category, None),
        (match.organization, None),
        (match.tags, None),
        (match.language, None),
        (match.customer_tier, None),
    )
    return all(not wanted or has in wanted for wanted, has in asked)
