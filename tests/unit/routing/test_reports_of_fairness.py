"""What users of other routers report about who gets how much, shown not to happen here."""

from collections import Counter

from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace


def test_chatwoot_11034_equal_agents_get_equal_shares() -> None:
    """With a limit a head, one agent was filled up before the others got anything."""
    agents = {f"agent-{number}": {"capacity": 4} for number in range(5)}
    driver = DeskDriver(a_workspace(agents))
    for number in range(10):
        driver.assigned(f"tkt_{number}")
    assert {agent.load for agent in driver.desk.agents.values()} == {2}


def test_chatwoot_11034_and_over_a_day_too() -> None:
    driver = DeskDriver(
        a_workspace([f"agent-{number}" for number in range(5)], {"general": {"choice": "longest_idle"}})
    )
    shares: Counter[str] = Counter()
    for number in range(50):
        ticket = f"tkt_{number}"
        holder = driver.assigned(ticket).agent
        assert holder is not None
        shares[holder] += 1
        driver.advance(1)
        driver.resolve(ticket)
    assert set(shares.values()) == {10}


def test_rocketchat_13134_lifetime_counts_do_not_flood_who_was_away() -> None:
    """The least-amount method counted every chat ever served: who came back got all until the counts were equal."""
    driver = DeskDriver(
        a_workspace({"anna": {"capacity": 9}, "boris": {"capacity": 9}}, {"general": {"choice": "least_loaded"}})
    )
    driver.away("boris")
    for number in range(6):
        driver.assigned(f"early_{number}")
        driver.resolve(f"early_{number}")
    driver.advance(60)
    driver.available("boris")
    shares = Counter(driver.assigned(f"late_{number}").agent for number in range(6))
    assert shares == {"anna": 3, "boris": 3}


def test_asterisk_1736_one_ended_ticket_counts_once() -> None:
    """State changes that raced counted one call twice, and the counts steered who was rung next."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3}, "boris": {"capacity": 3}}), present=["anna"])
    driver.assigned("first", channel="chat")
    driver.assigned("second", channel="chat")
    driver.resolve("first", wrap_up_seconds=30)
    driver.resolve("first", actor=BOSS)
    driver.finish_wrap_up("first")
    driver.finish_wrap_up("first")
    driver.advance(60)
    anna = driver.agent("anna")
    assert (anna.load, anna.counts["chat"]) == (1, 1)
