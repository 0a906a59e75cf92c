"""Rule 12, presence is a lease, one per app session: an agent is present while any session's lease lives.

`away` and a lapse rescind pending offers at once. After a lapse the first renewal restores the state last chosen, or
what an expiry or a supervisor had set. What a supervisor holds stands until released. Nobody is a ghost: without a
session no one is available.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pointsman.contracts.base import made
from pointsman.contracts.commands import PresenceEnd, PresenceHold, PresenceRenew, PresenceSet
from pointsman.contracts.shapes import PresenceState, SetBy
from pointsman.contracts.workspace import PresenceChanged
from pointsman.core.cause import TimerCause
from pointsman.core.decision import refuse
from pointsman.core.instant import Instant
from pointsman_routing.desk.rules import absence, offers, queueing
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import Agent
from pointsman_routing.desk.state.result import Answer, Result, invalid

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

LEASE_SECONDS_MAX = 3600
SESSIONS_MAX = 20
"""Living sessions of one agent; the oldest lease ends when there is one more."""


def choose(desk: Desk, agent: Agent, command: PresenceSet) -> Result:
    """Renews a session's lease; with `state` a person chose it, which a supervisor's hold of another state refuses; its
    reason is one of those configured, where any are."""
    if not 1 <= command.lease_seconds <= LEASE_SECONDS_MAX:
        return refuse(422, "invalid", f"lease_seconds must be from 1 to {LEASE_SECONDS_MAX}")
    held, _, why = agent.resume or (agent.state, agent.set_by, agent.reason)
    if command.state is not None and agent.held and command.state != held:
        said = "a supervisor holds this state until they release it"
        return refuse(409, "presence-held", said, state=held, reason=why)
    reasons = desk.policy.reasons
    if reasons and command.state is not None and command.reason is not None and command.reason not in reasons:
        return invalid(f"the reason is none of those configured: {', '.join(sorted(reasons))}", "/reason")
    renew(desk, agent, command.session, desk.draft.at + timedelta(seconds=command.lease_seconds))
    channels = agent.channels if command.channels is None else frozenset(command.channels)
    if command.state is not None and not agent.held:
        chosen = frozenset(command.channels) if command.channels is not None else None
        change(desk, agent, command.state, "agent", command.reason, chosen)
    elif channels != agent.channels:
        change(desk, agent, agent.state, agent.set_by, agent.reason, channels)
    return Answer(lambda: shape(agent))


def renew_many(desk: Desk, command: PresenceRenew) -> Result:
    """Bare heartbeats. Those of agents that are gone from the configuration are dropped, and those of sessions that
    were ended: heartbeats are bundled, and the end overtakes them. What only lapsed goes on."""
    for renewal in command.agents:
        agent = desk.agents.get(renewal.agent)
        if agent is not None and not _was_ended(agent, renewal.session):
            until = min(renewal.until, desk.draft.now + timedelta(seconds=LEASE_SECONDS_MAX))
            renew(desk, agent, renewal.session, until)
    return None


def _was_ended(agent: Agent, session: str) -> bool:
    """Not while the session lives, nor when its lapse made the agent offline: with another one left, the app whose
    session lapsed begins anew at its next renewal."""
    signed_out = agent.state == "offline" and agent.set_by == "agent"
    return session not in agent.sessions and (bool(agent.sessions) or signed_out)


def end(desk: Desk, agent: Agent, command: PresenceEnd) -> Result:
    """A session is over; the last one makes the agent offline."""
    if command.session not in agent.sessions:
        return refuse(404, "not-found", f"{agent.slug} has no session {command.session}")
    _drop_session(desk, agent, command.session)
    _arm(desk, agent)
    if not agent.sessions:
        _left(desk, agent, desk.draft.at, "agent", "session ended")
    return Answer(lambda: shape(agent))


def hold(desk: Desk, agent: Agent, command: PresenceHold) -> Result:
    """A supervisor sets the state, and with `hold` keeps it until they release it (or `until`)."""
    if command.state == "available" and not agent.present:
        return refuse(409, "agent-absent", f"no app of {agent.slug} is signed in, so nobody would see an offer")
    if command.until is not None and command.until <= desk.draft.at:
        return invalid("until is in the past", "/until")
    desk.edit_agent(agent)
    agent.held = command.hold
    agent.held_until = command.until if command.hold else None
    agent.resume = None
    desk.arm(kinds.HOLD, agent.slug, agent.held_until)
    change(desk, agent, command.state, "supervisor", command.reason, agent.channels)
    return Answer(lambda: shape(agent))


def release_hold(desk: Desk, cause: TimerCause) -> Result:
    """The hold's time is over: the state stands until somebody changes it. Of who had signed out nothing returns."""
    agent = desk.agents[cause.subject]
    desk.edit_agent(agent)
    agent.held, agent.held_until = False, None
    if agent.set_by == "agent":
        agent.resume = None
    desk.arm(kinds.HOLD, agent.slug, None)
    return None


def lapse(desk: Desk, cause: TimerCause) -> Result:
    """The last lease ended: the agent is gone."""
    agent = desk.agents[cause.subject]
    for session, until in list(agent.sessions.items()):
        if until <= cause.due:
            _drop_session(desk, agent, session)
    _arm(desk, agent)
    if not agent.sessions:
        _left(desk, agent, cause.due, "lapse", None)
    return None


def _left(desk: Desk, agent: Agent, at: Instant, set_by: SetBy, reason: str | None) -> None:
    """The last session is over, by the agent or by a lapse. Without one nobody is available: a state that is held, or
    that a lapse interrupts, returns with the next session; who signs out is offline until they choose again. A held
    state in which nothing is offered stands."""
    desk.edit_agent(agent)
    if not agent.held or agent.state == "available":
        returns = agent.state != "offline" and (agent.held or set_by == "lapse")
        agent.resume = (agent.state, agent.set_by, agent.reason) if returns else None
        change(desk, agent, "offline", set_by, reason, agent.channels if returns else None)
    absence.left(desk, agent, at)


def renew(desk: Desk, agent: Agent, session: str, until: Instant) -> None:
    """The session's lease lives until then; who was gone is back, as they were."""
    if agent.sessions.get(session) == until:
        return
    desk.journal.put(agent.sessions, session, until)
    desk.journal.put(desk.changes.sessions, (agent.slug, session), until)
    if len(agent.sessions) > SESSIONS_MAX:
        _drop_session(desk, agent, min(agent.sessions, key=lambda name: (agent.sessions[name], name)))
    _arm(desk, agent)
    if agent.gone_at is not None:
        absence.returned(desk, agent)
    if agent.resume is not None:
        state, set_by, reason = agent.resume
        desk.edit_agent(agent)
        agent.resume = None
        change(desk, agent, state, set_by, reason, agent.channels)


def change(
    desk: Desk,
    agent: Agent,
    state: PresenceState,
    set_by: SetBy,
    reason: str | None,
    channels: frozenset[str] | None = None,
) -> None:
    """The agent's presence is this from now on; offers that it does not allow are rescinded, at once."""
    if (agent.state, agent.set_by, agent.reason, agent.channels) == (state, set_by, reason, channels):
        return
    desk.edit_agent(agent)
    at = max(agent.since, desk.draft.at)
    if state != agent.state:
        agent.since = at
        if state == "available":
            agent.idle_since = desk.draft.now
    agent.state, agent.set_by, agent.reason, agent.channels = state, set_by, reason, channels
    desk.roster.place(agent)
    if agent.pool is not None:
        desk.draft.pools[agent.pool] = None
    if state == "available":
        desk.draft.agents[agent.slug] = agent
    desk.say_about(
        f"agent:{agent.slug}",
        at,
        made(
            PresenceChanged,
            agent=agent.slug,
            state=state,
            set_by=set_by,
            reason=reason,
            channels=None if channels is None else tuple(sorted(channels)),
        ),
        agent.slug,
    )
    for ticket_id in sorted(agent.shown):
        ticket = desk.tickets[ticket_id]
        if state != "available" or (channels is not None and ticket.channel not in channels):
            offers.rescind(desk, ticket, f"{agent.slug} is {state}" if state != "available" else "channel switched off")
            queueing.enqueue(desk, ticket, "rescinded", fresh=False)


def shape(agent: Agent) -> dict[str, Any]:
    """What `PUT /me/presence` answers."""
    return {
        "state": agent.state,
        "set_by": agent.set_by,
        "reason": agent.reason,
        "channels": None if agent.channels is None else sorted(agent.channels),
        "in_hand": {channel: count for channel, count in sorted(agent.counts.items()) if count},
    }


def _drop_session(desk: Desk, agent: Agent, session: str) -> None:
    desk.journal.pop(agent.sessions, session)
    desk.journal.put(desk.changes.sessions, (agent.slug, session), None)


def _arm(desk: Desk, agent: Agent) -> None:
    desk.arm(kinds.LEASE, agent.slug, max(agent.sessions.values()) if agent.sessions else None)
