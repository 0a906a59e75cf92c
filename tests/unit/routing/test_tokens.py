"""Tokens: what is kept of one, and what revoking it says to every process."""

from datetime import timedelta

from pointsman.contracts.commands import TokenIssue, TokenRevoke
from pointsman.core.decision import Decision
from pointsman.core.instant import after
from pointsman_routing.desk.rules.tokens import UNLISTED_SECONDS, revoke_of_installation
from tests.unit.routing.desk_driver import BOSS, OPERATOR, DeskDriver, a_workspace


def _issue(driver: DeskDriver, token: str = "tok_1") -> Decision:
    ends = driver.now + timedelta(days=1)
    return driver.command(TokenIssue(token_id=token, role="agent", sub="anna", expires_at=ends, actor=BOSS))


def test_a_token_is_issued_once() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    assert _issue(driver).status == 201
    assert driver.fact("token.issued").sub == "anna"
    refusal = _issue(driver).refusal
    assert refusal is not None
    assert refusal.code == "exists"


def test_revoking_it_again_changes_nothing() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    _issue(driver)
    driver.command(TokenRevoke(token_id="tok_1", actor=BOSS))
    assert driver.types == ["token.revoked"]
    assert driver.desk.tokens["tok_1"].revoked_at == driver.now
    assert driver.command(TokenRevoke(token_id="tok_1", actor=BOSS)).refusal is None
    assert driver.facts == []


def test_only_an_operator_revokes_what_is_in_no_list() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    refusal = driver.command(TokenRevoke(token_id="tok_offline", actor=BOSS)).refusal
    assert refusal is not None
    assert refusal.code == "not-found"
    driver.command(TokenRevoke(token_id="tok_offline", actor=OPERATOR))
    assert driver.fact("token.revoked").expires_at == after(driver.now, UNLISTED_SECONDS)


def test_of_the_installation_no_desk_knows() -> None:
    now = DeskDriver(a_workspace(["anna"])).now
    assert revoke_of_installation("*", TokenRevoke(token_id="tok_1", actor=BOSS), now).refusal is not None
    (emission,) = revoke_of_installation("*", TokenRevoke(token_id="tok_1", actor=OPERATOR), now).emissions
    assert emission.subject == "token:tok_1"
