"""Facts of routing about a workspace itself, topic `desk`: agents' presence, configuration, tokens."""

from typing import Any

from pointsman.contracts.base import Contract, Moment
from pointsman.contracts.shapes import Actor, PresenceState, SetBy

TOPIC = "desk"


class PresenceChanged(Contract, topic=TOPIC, type="agent.presence_changed"):
    """An agent's presence is another than before. The record's subject is `agent:<slug>`."""

    agent: str
    state: PresenceState
    set_by: SetBy
    reason: str | None = None
    channels: tuple[str, ...] | None = None


class ConfigApplied(Contract, topic=TOPIC, type="config.applied"):
    """A version of the workspace document holds from now on. `document` is whole, `holidays_of` expanded.

    The record's subject is `config`. `open_clocks`: what becomes of running clocks whose calendar or policy changed.
    """

    config_version: int
    document: dict[str, Any]
    author: Actor
    reason: str | None = None
    open_clocks: str | None = None
    applied_at: Moment


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
