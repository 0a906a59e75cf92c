"""What users of other routers report about who gets a ticket, one test per report, shown not to happen here."""

from datetime import timedelta

from pointsman.contracts.commands import ResolveAs
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent
from tests.unit.routing.invariants import assert_sound, assert_within_capacity

PULL = {"general": {"pull": True}}
AT_ONCE = {"auto_accept": True}


def told(driver: DeskDriver, type: str, ticket: str) -> int:
    """How often this was said about a ticket."""
    return sum(fact.type == type and fact.ticket_id == ticket for fact in driver.log)


def test_chatwoot_15275_concurrent_assignments_do_not_bounce_a_ticket() -> None:
    """Writers that raced one another reassigned a conversation again and again, often to who had it already."""
    driver = DeskDriver(a_workspace(["anna", "boris"]), present=["anna"])
    seen = driver.assigned().version
    driver.available("boris")
    driver.assign("boris", if_match=seen)
    for agent in ("anna", "boris", "anna"):
        driver.assign(agent, if_match=seen)
        assert driver.answer.status == 412
    driver.assign("boris")
    assert (driver.answer.code, driver.ticket().agent) == ("wrong-state", "boris")
    assert told(driver, "ticket.assigned", "tkt_1") == 2


def test_chatwoot_14495_a_burst_of_releases_assigns_a_waiting_ticket_once() -> None:
    """Each resolve or snooze assigned the whole inbox anew; one conversation was reassigned dozens of times."""
    driver = DeskDriver(
        a_workspace({"anna": {"capacity": 3}, "boris": {"capacity": 3}}, {"general": {"offer": AT_ONCE}})
    )
    for number in range(6):
        driver.say(f"held_{number}")
    driver.say("waiting")
    for number in range(0, 6, 2):
        driver.resolve(f"held_{number}")
        driver.snooze(f"held_{number + 1}", until=driver.now + timedelta(hours=1))
    assert told(driver, "ticket.assigned", "waiting") == 1
    assert_sound(driver.desk)


def test_chatwoot_15524_nobody_outside_the_queue_gets_a_ticket_that_moved_meanwhile() -> None:
    """The agent was chosen for the inbox while a rule moved the conversation to a team; the wrong assignee stuck."""
    driver = DeskDriver(
        a_workspace({"anna": {"queues": ["general"]}, "boris": {"queues": ["team"]}}, {"general": {}, "team": {}})
    )
    offer = driver.say().offer
    assert offer is not None
    driver.transfer(to_queue="team", actor=as_agent("anna"))
    assert driver.answer.code == "not-holder"
    driver.label(category="other")
    driver.transfer(to_queue="team", actor=BOSS)
    assert driver.offered_to() == "boris"
    driver.accept_offer(offer.id, as_agent("anna"))
    assert (driver.answer.code, driver.offered_to()) == ("offer-gone", "boris")


def test_rocketchat_22206_one_waiting_ticket_is_taken_by_one_agent() -> None:
    """With manual selection two agents accepted the same inquiry and both wrote to the customer."""
    driver = DeskDriver(a_workspace(["anna", "boris"], PULL))
    driver.away("anna")
    driver.away("boris")
    driver.say()
    driver.take("anna")
    driver.take("boris")
    assert (driver.answer.status, driver.answer.extra["holder"]) == (409, "anna")
    driver.reply(actor=as_agent("boris"))
    assert driver.answer.code == "not-holder"
    assert told(driver, "ticket.assigned", "tkt_1") == 1


def test_zammad_3156_who_comes_second_does_not_become_the_owner() -> None:
    """The next agent who opened a ticket within seconds became its owner instead of the first."""
    driver = DeskDriver(a_workspace(["anna", "boris"], PULL), present=["anna"])
    seen = driver.say().version
    driver.take("anna")
    driver.available("boris")
    driver.take("boris", if_match=seen)
    assert driver.answer.status == 412
    driver.take("boris")
    assert (driver.answer.status, driver.ticket().agent) == (409, "anna")


def test_libredesk_385_the_router_does_not_override_a_persons_assignment() -> None:
    """The auto-assigner gave a conversation away that somebody had just assigned by hand."""
    driver = DeskDriver(a_workspace(["anna", "boris"]), present=["anna"])
    offer = driver.say().offer
    assert offer is not None
    driver.available("boris")
    driver.assign("boris")
    driver.accept_offer(offer.id, as_agent("anna"))
    assert (driver.answer.code, driver.answer.extra["holder"]) == ("offer-gone", "boris")
    driver.away("anna")
    driver.available("anna")
    driver.advance(120)
    assert (driver.ticket().agent, told(driver, "ticket.assigned", "tkt_1")) == ("boris", 1)


def test_rocketchat_37776_places_are_counted_when_they_are_given() -> None:
    """The limit was read, then chats were assigned, each unaware of the other: agents got more than they may."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}, "boris": {"capacity": 1}}, PULL), present=["anna"])
    for number in range(4):
        driver.say(f"tkt_{number}")
    offered = next(id for id in driver.desk.tickets if driver.offered_to(id))
    for ticket in driver.desk.tickets:
        driver.take("anna", ticket)
        driver.assign("anna", ticket)
        driver.transfer(ticket, to_agent="anna", actor=BOSS)
        assert_within_capacity(driver.desk, driver.policies)
    assert [ticket.id for ticket in driver.desk.tickets.values() if ticket.agent == "anna"] == [offered]


def test_rocketchat_19352_what_waits_for_a_full_agent_comes_one_by_one() -> None:
    """Waiting chats that were freed together went beyond the limit of the agent who got room."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 4}, "boris": {"capacity": 1}}), present=["anna"])
    for number in range(4):
        driver.assigned(f"tkt_{number}")
        driver.transfer(f"tkt_{number}", to_agent="boris", wait_seconds=3600)
    driver.available("boris")
    for left in range(3, -1, -1):
        assert (driver.agent("boris").load, len(driver.desk.reserved.get("boris", ()))) == (1, left)
        driver.resolve(next(iter(driver.agent("boris").hand)))
    assert driver.agent("boris").load == 0


def test_rocketchat_13134_who_returns_is_not_flooded() -> None:
    """The least-amount method counted lifetime chats: who came back from holiday got everything."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 20}, "boris": {"capacity": 20}}), present=["anna"])
    for number in range(30):
        driver.available("anna")
        driver.assigned(f"old_{number}")
        driver.advance(60)
        driver.resolve(f"old_{number}")
    driver.available("anna")
    driver.available("boris")
    given = [driver.assigned(f"new_{number}").agent for number in range(10)]
    assert (given.count("anna"), given.count("boris")) == (5, 5)


def test_chatwoot_10583_nothing_stays_with_who_leaves() -> None:
    """Conversations stayed assigned to agents who were removed or had gone."""
    driver = DeskDriver(a_workspace(["anna", "boris"]), present=["anna"])
    for number in range(3):
        driver.assigned(f"tkt_{number}")
    driver.bulk("tkt_0", resolve=ResolveAs(outcome="solved"))
    driver.available("boris")
    driver.requeue("anna")
    assert [driver.offered_to(id) for id in ("tkt_1", "tkt_2")] == ["boris", "boris"]
    assert driver.agent("anna").load == 0
