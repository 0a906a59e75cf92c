"""Promises that a queue cannot keep as it is written, and policies that no ticket has."""

from collections.abc import Iterator

from pointsman.contracts.document import Document, Policy
from pointsman.contracts.shapes import Metric
from pointsman_routing.lint.finding import Finding, Path
from pointsman_routing.lint.view import DocumentView

WAITING_METRICS: tuple[Metric, ...] = ("first_response", "next_response", "requester_wait", "assignment")
"""Metrics whose time begins with the wait in the queue."""
_KEYS = (
    *("channel", "connector", "queue", "priority", "category"),
    *("organization", "tags", "language", "customer_tier"),
)


def policy_never_matches(view: DocumentView) -> Iterator[Finding]:
    """A policy whose tickets all have an earlier one, or that asks for what no ticket is."""
    policies = view.document.sla.policies
    for place, policy in enumerate(policies):
        path: Path = ("sla", "policies", place)
        earlier = _earlier(policies, place)
        if earlier is not None:
            yield Finding(
                "policy-never-matches",
                "warning",
                path,
                f"Every ticket of {policy.name} has {earlier.name} already, which stands above it: no clock ever runs "
                "by this policy.",
                f"Move it above {earlier.name}: the first that matches is taken.",
            )
            continue
        for key, value in _impossible(view.document, policy):
            yield Finding(
                "policy-never-matches",
                "warning",
                (*path, "match", key),
                f"No ticket has {key.replace('_', ' ')} {value}: no clock ever runs by {policy.name}.",
                "Name one that a connector, a rule or a category leads to, or remove the policy.",
            )


def _earlier(policies: tuple[Policy, ...], place: int) -> Policy | None:
    """The earlier policy that takes every ticket of this one."""
    match = policies[place].match
    for other in policies[:place]:
        wider = other.match
        if all(_within(getattr(match, key), getattr(wider, key)) for key in _KEYS):
            return other
    return None


def _within(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return not other or (bool(one) and set(one) <= set(other))


def _impossible(document: Document, policy: Policy) -> Iterator[tuple[str, str]]:
    """Keys of which no value can be."""
    match = policy.match
    channels = {connector.channel for connector in document.connectors.values()}
    if match.category and not set(match.category) & set(document.category_names):
        yield "category", ", ".join(match.category)
    if match.channel and channels and not set(match.channel) & channels:
        yield "channel", ", ".join(match.channel)
    if match.connector and match.channel:
        of_connectors = {document.connectors[slug].channel for slug in match.connector}
        if not of_connectors & set(match.channel):
            yield "connector", ", ".join(match.connector)


def target_before_relaxation(view: DocumentView) -> Iterator[Finding]:
    """A target that is over before the queue asks anybody else."""
    for path, policy, metric, seconds, queue in _promises(view):
        waits = view.document.queues[queue]
        relax = [step.after_seconds for step in waits.relax] + [step.after_seconds for step in waits.overflow]
        if relax and seconds <= min(relax):
            yield Finding(
                "target-before-relaxation",
                "warning",
                path,
                f"{policy.name} promises {metric.replace('_', ' ')} within {seconds} s, and {queue} first relaxes "
                f"after {min(relax)} s: the promise is broken before anybody else may help.",
                f"Relax {queue} earlier than the target, or promise more time.",
            )


def target_before_offer(view: DocumentView) -> Iterator[Finding]:
    """A target that one unanswered offer uses up."""
    for path, policy, metric, seconds, queue in _promises(view):
        offer = view.document.queues[queue].offer
        if not offer.auto_accept and seconds <= offer.timeout_seconds:
            yield Finding(
                "target-before-offer",
                "warning",
                path,
                f"{policy.name} promises {metric.replace('_', ' ')} within {seconds} s, and in {queue} one offer "
                f"stands for {offer.timeout_seconds} s: who does not answer it breaks the promise.",
                f"Shorten `queues.{queue}.offer.timeout_seconds`, use `auto_accept`, or promise more time.",
            )


def untold_target(view: DocumentView) -> Iterator[Finding]:
    """A notify target that something names and that has no address."""
    sla = view.document.sla
    named = {sla.last_resort, *(queue.offer.then.notify for queue in view.document.queues.values() if queue.offer.then)}
    for steps in sla.ladders.values():
        named |= {name for step in steps for action in step.do for name in (action.notify, action.otherwise)}
    for slug, target in sla.notify.items():
        if slug in named and target.url_from is None:
            yield Finding(
                "untold-target",
                "warning",
                ("sla", "notify", slug),
                f"{slug} is to be notified and has no address: every notification to it is given up.",
                f"Name the secret with its addresses: `sla.notify.{slug}.url_from`.",
            )


def _promises(view: DocumentView) -> Iterator[tuple[Path, Policy, str, int, str]]:
    """(place, policy, metric, its shortest seconds, queue) of what a policy promises about waiting, for each queue its
    tickets may wait in."""
    policies = view.document.sla.policies
    for place, policy in enumerate(policies):
        if _earlier(policies, place) is not None:
            continue
        for metric in WAITING_METRICS:
            targets = policy.targets.get(metric)
            if not targets:
                continue
            priority, target = min(targets.items(), key=lambda item: item[1].seconds)
            for queue in _queues_of(view, policy):
                yield (
                    ("sla", "policies", place, "targets", metric, priority),
                    policy,
                    metric,
                    target.seconds,
                    queue,
                )


def _queues_of(view: DocumentView, policy: Policy) -> list[str]:
    """Where the policy's tickets may wait."""
    match = policy.match
    queues = [kind.work.queue for kind in view.kinds if not match.category or kind.work.category in match.category]
    if view.hinted and not match.category:
        queues += list(view.document.queues)
    return [queue for queue in dict.fromkeys(queues) if not match.queue or queue in match.queue]
