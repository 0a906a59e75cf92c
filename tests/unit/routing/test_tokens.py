"""Tokens: what is kept of one, and what revoking it says to every process."""

from datetime import timedelta

from pointsman.contracts.commands import TokenIssue, TokenRevoke
from pointsman.core.decision import Decision
from pointsman.core.instant import after
from pointsman_routing.desk.rules.tokens import UNLISTED_SECONDS, revoke_of_installation
from tests.unit.routing.playing import BOSS, OPERATOR, Play, a_workspace


def _issue(play: Play, token: str = "tok_1") -> Decision:
    ends = play.now + timedelta(days=1)
    return play.command(TokenIssue(token_id=token, role="agent", sub="anna", expires_at=ends, actor=BOSS))


def test_a_token_is_issued_once() -> None:
    play = Play(a_workspace(["anna"]))
    assert _issue(play).status == 201
    assert play.fact("token.issued").sub == "anna"
    refusal = _issue(play).refusal
    assert refusal is not None
    assert refusal.code == "exists"


def test_revoking_it_again_changes_nothing() -> None:
    play = Play(a_workspace(["anna"]))
    _issue(play)
    play.command(TokenRevoke(token_id="tok_1", actor=BOSS))
    assert play.types == ["token.revoked"]
    assert play.desk.tokens["tok_1"].revoked_at == play.now
    assert play.command(TokenRevoke(token_id="tok_1", actor=BOSS)).refusal is None
    assert play.facts == []


def test_only_an_operator_revokes_what_is_in_no_list() -> None:
    play = Play(a_workspace(["anna"]))
    refusal = play.command(TokenRevoke(token_id="tok_offline", actor=BOSS)).refusal
    assert refusal is not None
    assert refusal.code == "not-found"
    play.command(TokenRevoke(token_id="tok_offline", actor=OPERATOR))
    assert play.fact("token.revoked").expires_at == after(play.now, UNLISTED_SECONDS)


def test_of_the_installation_no_desk_knows() -> None:
    now = Play(a_workspace(["anna"])).now
    assert revoke_of_installation("*", TokenRevoke(token_id="tok_1", actor=BOSS), now).refusal is not None
    (emission,) = revoke_of_installation("*", TokenRevoke(token_id="tok_1", actor=OPERATOR), now).emissions
    assert emission.subject == "token:tok_1"
