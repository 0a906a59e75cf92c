"""`pointsman lint`: what is allowed in a workspace document and probably not meant.

Each rule looks at the whole document through a `View` and gives `Finding`s. Lint is pure and needs no server; offered
load is compared with capacity only when somebody gives rates.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pointsman.contracts.document import Document
from pointsman.contracts.document.inactive import is_active
from pointsman_routing.lint.calendars import holidays_end
from pointsman_routing.lint.classification import unreachable_rule, unselected_category
from pointsman_routing.lint.finding import Finding
from pointsman_routing.lint.people import (
    category_without_agent,
    idle_agent,
    never_met,
    shift_without_agent,
    single_holder,
)
from pointsman_routing.lint.promises import (
    policy_never_matches,
    target_before_offer,
    target_before_relaxation,
    untold_target,
)
from pointsman_routing.lint.queues import queue_loop, unreachable_queue
from pointsman_routing.lint.rates import Rate
from pointsman_routing.lint.secrets import unnamed_secret
from pointsman_routing.lint.view import Check, DocumentView

FINDINGS_MAX = 500
"""So many are told; who has more has one cause."""


class Rule(NamedTuple):
    """A rule, and in words what it finds; `check` None: only where rates are given."""

    name: str
    finds: str
    check: Check | None


RULES: tuple[Rule, ...] = (
    Rule(
        "unreachable-rule",
        "a classification rule that an earlier `stop` keeps every message from, or that only sets what earlier rules "
        "have set for every such message",
        unreachable_rule,
    ),
    Rule(
        "unselected-category",
        "a listed category that no rule, connector or shipped phrase chooses",
        unselected_category,
    ),
    Rule(
        "unreachable-queue",
        "a queue to which no category, rule, connector's default, overflow, escalation or other queue leads",
        unreachable_queue,
    ),
    Rule("queue-loop", "queues that send tickets to one another when they are closed or full", queue_loop),
    Rule(
        "category-without-agent",
        "a category, or one of its languages, for which no agent is eligible at any shift",
        category_without_agent,
    ),
    Rule(
        "shift-without-agent",
        "hours in which the queue is open, or others work, and nobody who may take such a ticket does",
        shift_without_agent,
    ),
    Rule(
        "never-met",
        "a requirement set of a rule or a category that nobody meets, even after all relaxation and overflow",
        never_met,
    ),
    Rule("single-holder", "a skill, or the level of it that work needs, that only one person has", single_holder),
    Rule("idle-agent", "an agent to whom no ticket can ever be offered", idle_agent),
    Rule(
        "overload",
        "with rates: more work in hand at once than the agents who may do it have room for, by max-flow over skills",
        None,
    ),
    Rule(
        "target-before-relaxation",
        "a target that is over before the queue's first relaxation or overflow",
        target_before_relaxation,
    ),
    Rule("target-before-offer", "a target that one unanswered offer uses up", target_before_offer),
    Rule(
        "policy-never-matches",
        "a policy all of whose tickets have an earlier one, or that asks for what no ticket is",
        policy_never_matches,
    ),
    Rule(
        "untold-target",
        "a notify target that a ladder, a queue or the last resort names, without an address",
        untold_target,
    ),
    Rule(
        "unnamed-secret",
        "a webhook, a connector's `send` or its `verify` that lacks the name of a secret, so that nothing comes of it",
        unnamed_secret,
    ),
    Rule(
        "holidays-end",
        "public holidays of named years (`holidays_of.years`): after the last one every day is a working day",
        holidays_end,
    ),
)


KEEPS_HOURS = is_active("/agents/*/hours")
"""Whether routing goes by the hours of agents: lint reasons about nothing that does nothing."""


def lint(document: Document, rates: Sequence[Rate] | None = None, *, keeps_hours: bool = KEEPS_HOURS) -> list[Finding]:
    """What the rules find, in their order; at most `FINDINGS_MAX`."""
    view = DocumentView.of(document, keeps_hours=keeps_hours)
    found: list[Finding] = []
    for rule in RULES:
        if rule.check is not None:
            found += rule.check(view)
        elif rates is not None:
            # scipy costs a fifth of a second to load.
            from pointsman_routing.lint.load import overload

            found += overload(view, rates)
    return found[:FINDINGS_MAX]


__all__ = ["FINDINGS_MAX", "RULES", "Finding", "Rule", "lint"]
