"""What the desk of a plan decides by: its document's policy with the plan's priorities, and what classifying says."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from pointsman.contracts.document import Document
from pointsman.contracts.shapes import PRIORITIES
from pointsman_routing.desk.state.draft import Classify
from pointsman_routing.desk.state.policy import Policy, compile_policy
from pointsman_routing.simulation.people import KnownLabels
from pointsman_routing.simulation.plan import Plan


def policy_of(document: Document, plan: Plan) -> Policy:
    """The desk's policy of a document, with what a plan's priorities mean."""
    policy = compile_policy(document, 1)
    for queue, named in plan.priority_classes.items():
        before = policy.queues[queue]
        policy.queues[queue] = replace(
            before,
            # The same as the document's: the desk's facts then tell them by name.
            priorities=PRIORITIES if tuple(named) == PRIORITIES else tuple(named),
            head_start_us={name: each.head_start_us for name, each in named.items()},
            slopes={name: each.slope for name, each in named.items()} if before.order == "accumulating" else {},
        )
    for channel in plan.leaving_at_once:
        policy.channels[channel] = replace(policy.channels[channel], abandons_after=timedelta())
    return policy


def by_connector(said: Mapping[str, KnownLabels]) -> Classify:
    """Each kind of customer comes through a connector of its own, which says what classifying would."""
    return lambda message: said[message.connector]
