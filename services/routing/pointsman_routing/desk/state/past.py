"""Rule 16, why not that agent: computed when asked, from the agent's state at the decision that gave the ticket away.

Each decision that changes an agent leaves a row of how they stand after it (`agent_state`); what the decision looked at
is the last row before its own. With the profile of the version that it used and the search stored with the offer, the
same predicates answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pointsman.core.instant import Instant
from pointsman_routing.desk.state.eligibility import Failing, Search, failing
from pointsman_routing.desk.state.model import Agent
from pointsman_routing.desk.state.policy import Profile


class Past(NamedTuple):
    """An agent as they were when the desk gave a ticket to another, and what kept them from it."""

    at: Instant
    agent: Agent
    failing: list[Failing]


def look_back(
    at: Instant, profile: Profile, state: Mapping[str, Any] | None, search: Mapping[str, Any], *, declined: bool
) -> Past:
    """The answer of then. `state` is the row of `agent_state` (None: nothing had happened to the agent yet), `search`
    what was stored with the decision, `declined` whether the agent had declined the ticket before."""
    agent = Agent(profile.slug, profile, since=at, idle_since=at)
    if state is not None:
        agent.state, agent.set_by, agent.reason = state["state"], state["set_by"], state["reason"]
        agent.channels = None if state["channels"] is None else frozenset(state["channels"])
        agent.load, agent.counts, agent.units = state["load"], state["in_hand"], state["units"]
    asked = Search(
        tuple(search["lines"]),
        search["waited_us"],
        tuple((skill, level) for skill, level in search["requires"]),
        search["channel"],
        search["weight"],
    )
    return Past(at, agent, failing(asked, agent, declined=declined, holds=False))
