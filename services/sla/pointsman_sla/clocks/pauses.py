"""In which phases of its ticket a clock stands still, and the words for it."""

from pointsman.contracts.shapes import Metric
from pointsman_sla.clocks.model import Phase
from pointsman_sla.clocks.policy import Policy

WORDS: dict[Phase, str] = {
    "queued": "waiting for an agent",
    "customer": "pending on the customer",
    "third_party": "pending on a third party",
    "snoozed": "snoozed",
    "resolved": "resolved",
    "closed": "closed",
}

_FIXED: dict[Metric, frozenset[Phase]] = {
    "update": frozenset(("customer",)),
    "requester_wait": frozenset(("customer",)),
    "agent_work": frozenset(("queued", "customer", "third_party", "snoozed")),
}
_NONE: frozenset[Phase] = frozenset()


def pause_of(metric: Metric, phase: Phase, policy: Policy | None) -> str | None:
    """Why the clock stands still in this phase, in words; None when it counts.

    The metric's own pauses (domain table of clocks), and what the policy's `pause_on` names for it.
    """
    if phase in _FIXED.get(metric, _NONE) or phase in ("resolved", "closed"):
        return WORDS[phase]
    if policy is not None and phase in policy.pause_on.get(metric, _NONE):
        return WORDS[phase]
    return None
