"""Tokens: registered when issued, so that they can be listed and revoked. The token itself never comes here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import TokenIssue, TokenRevoke
from pointsman.contracts.workspace import TokenIssued, TokenRevoked
from pointsman.core.decision import Decision, Emission, refuse
from pointsman.core.instant import Instant, after
from pointsman_routing.desk.state.model import Token
from pointsman_routing.desk.state.result import Answer, Result

UNLISTED_SECONDS = 400 * 86_400
"""As long as a token may live at the longest (`TTL_SECONDS_MAX` of the runtime's auth; a test compares)."""

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def issue(desk: Desk, command: TokenIssue) -> Result:
    """Registers a token."""
    if command.token_id in desk.tokens:
        return refuse(409, "exists", f"there is a token {command.token_id} already")
    token = Token(
        command.token_id,
        command.role,
        command.sub,
        command.expires_at,
        desk.draft.at,
        command.actor.model_dump(),
    )
    _keep(desk, token)
    fact = made(TokenIssued, token_id=token.id, role=token.role, sub=token.sub, expires_at=token.expires_at)
    desk.say_about(f"token:{token.id}", desk.draft.at, fact)
    return Answer(lambda: {"token_id": token.id, "expires_at": token.expires_at}, 201)


def revoke(desk: Desk, command: TokenRevoke) -> Result:
    """No process accepts the token any more. Revoking it again changes nothing.

    An operator may revoke what is in no list: a token that was signed offline.
    """
    token = desk.tokens.get(command.token_id)
    if token is None:
        if command.actor.kind != "operator":
            return refuse(404, "not-found", f"there is no token {command.token_id}")
        desk.say_about(f"token:{command.token_id}", desk.draft.at, _unlisted(command, desk.draft.at))
        return Answer(lambda: {"token_id": command.token_id})
    if token.revoked_at is None:
        _keep(desk, replace(token, revoked_at=desk.draft.at))
        fact = made(TokenRevoked, token_id=token.id, expires_at=token.expires_at)
        desk.say_about(f"token:{token.id}", desk.draft.at, fact)
    return Answer(lambda: {"token_id": token.id})


def revoke_of_installation(workspace: str, command: TokenRevoke, at: Instant) -> Decision:
    """The same where no workspace is named: the operator's own kind of token. No desk knows of it."""
    if command.actor.kind != "operator":
        return refuse(404, "not-found", f"there is no token {command.token_id}")
    said = Emission(workspace, f"token:{command.token_id}", at, (_unlisted(command, at),))
    return Decision((said,), {"token_id": command.token_id})


def _unlisted(command: TokenRevoke, at: Instant) -> TokenRevoked:
    """Nobody knows when such a token ends: at the latest after the longest life that one may have."""
    return made(TokenRevoked, token_id=command.token_id, expires_at=after(at, UNLISTED_SECONDS))


def _keep(desk: Desk, token: Token) -> None:
    desk.journal.put(desk.tokens, token.id, token)
    desk.journal.put(desk.changes.tokens, token.id, token)
