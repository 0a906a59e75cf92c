"""Queues that nothing leads to, and queues that lead to one another in a circle."""

from collections.abc import Iterator

from pointsman.contracts.document import Document
from pointsman.contracts.document.queues import Elsewhere
from pointsman_routing.lint.finding import Finding
from pointsman_routing.lint.view import DocumentView


def unreachable_queue(view: DocumentView) -> Iterator[Finding]:
    """A queue into which no ticket comes by itself, and whose agents no other queue asks."""
    document = view.document
    if view.hinted:
        return
    reached = {kind.work.queue for kind in view.kinds} | {document.catch_all_queue, *_climbed_to(document)}
    waiting = list(reached)
    while waiting:
        for queue in _leads_to(document, waiting.pop()):
            if queue not in reached:
                reached.add(queue)
                waiting.append(queue)
    for slug in document.queues:
        if slug not in reached:
            yield Finding(
                "unreachable-queue",
                "warning",
                ("queues", slug),
                f"No category, rule, connector's default, overflow or other queue leads to {slug}: only a person's "
                "transfer brings tickets there.",
                "Name it in a category, a rule or a connector's default, or remove it.",
            )


def _leads_to(document: Document, slug: str) -> Iterator[str]:
    """Where a queue sends tickets, and whose agents it asks."""
    queue = document.queues[slug]
    yield from (overflow.to for overflow in queue.overflow)
    if queue.offer.then is not None and queue.offer.then.to is not None:
        yield queue.offer.then.to
    yield from _sends_to(document, slug)


def _climbed_to(document: Document) -> Iterator[str]:
    """Queues whose agents a policy's ladder asks."""
    for name in {policy.ladder for policy in document.sla.policies if policy.ladder is not None}:
        for step in document.sla.ladders[name]:
            yield from (action.overflow for action in step.do if action.overflow is not None)


def _sends_to(document: Document, slug: str) -> Iterator[str]:
    queue = document.queues[slug]
    for shut in (queue.closed, queue.full):
        if isinstance(shut.then, Elsewhere):
            yield shut.then.to


def queue_loop(view: DocumentView) -> Iterator[Finding]:
    """Closed or full queues that send tickets to one another. Overflow may go both ways: it only asks more agents."""
    document = view.document
    told: set[frozenset[str]] = set()
    for slug in document.queues:
        circle = _circle(document, slug)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            way = " → ".join((*circle, circle[0]))
            yield Finding(
                "queue-loop",
                "warning",
                ("queues", slug),
                f"When these queues are closed or full a ticket goes round: {way}. Each sends it on once, and then it "
                "waits where nobody works.",
                "Let one of them `hold`, or send to a queue that is always open.",
            )


def _circle(document: Document, start: str) -> list[str]:
    """The way from a queue back to itself by `closed` and `full`; empty when there is none."""
    way_to: dict[str, list[str]] = {start: [start]}
    waiting = [start]
    while waiting:
        here = waiting.pop(0)
        for there in _sends_to(document, here):
            if there == start:
                return way_to[here]
            if there not in way_to:
                way_to[there] = [*way_to[here], there]
                waiting.append(there)
    return []
