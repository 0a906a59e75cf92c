"""Facts of routing about a workspace itself, topic `desk`: agents' presence, configuration, tokens."""

from typing import Any, Literal

from pointsman.contracts.base import Contract, Moment
from pointsman.contracts.shapes import Actor, Elsewhere, PresenceState, SetBy

TOPIC = "desk"


class PresenceChanged(Contract, topic=TOPIC, type="agent.presence_changed"):
    """An agent's presence is another than before. The record's subject is `agent:<slug>`."""

    agent: str
    state: PresenceState
    set_by: SetBy
    reason: str | None = None
    channels: tuple[str, ...] | None = None


class ConfigApplied(Contract, topic=TOPIC, type="config.applied"):
    """A version of the workspace document holds from now on. `document` is whole, `holidays_of` and `ical` as dates.

    The record's subject is `config`. `open_clocks`: what becomes of running clocks whose calendar or policy changed.
    """

    config_version: int
    document: dict[str, Any]
    author: Actor
    reason: str | None = None
    open_clocks: str | None = None
    applied_at: Moment


class QueueClosed(Contract, topic=TOPIC, type="queue.closed"):
    """A supervisor closed a queue until an instant, or (absent) until it is opened. `then`: what becomes of tickets
    there, absent as the configuration says. The record's subject is `queue:<slug>`."""

    queue: str
    until: Moment | None = None
    reason: str
    then: Literal["hold", "resolve"] | Elsewhere | None = None
    by: Actor


class QueueOpened(Contract, topic=TOPIC, type="queue.opened"):
    """A queue that was closed is open again, by a supervisor or because the time was over. Hours are no facts."""

    queue: str
    reason: str | None = None
    by: Actor


class TokenIssued(Contract, topic=TOPIC, type="token.issued"):
    """A token was registered. Never the token itself. The record's subject is `token:<id>`."""

    token_id: str
    role: str
    sub: str
    expires_at: Moment


class TokenRevoked(Contract, topic=TOPIC, type="token.revoked"):
    """No process accepts the token any more."""

    token_id: str
    expires_at: Moment
