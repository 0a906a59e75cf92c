"""Rule 11, affinity: the ticket's last agent, then the customer's owner, then the customer's last agent is preferred
for a while after queueing, if present with room; no ticket waits for them."""

from typing import Any

from pointsman.contracts.commands import TicketReopen
from pointsman.contracts.requests import CustomerSeen
from pointsman.core.cause import RecordCause
from pointsman_routing.desk.decide import decide
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace

THREE: dict[str, dict[str, Any]] = {"anna": {}, "boris": {}, "carla": {}}
AN_HOUR = {"email": {"affinity_seconds": 3600}}


def a_desk(agents: Any = THREE, **sections: Any) -> DeskDriver:
    return DeskDriver(a_workspace(agents, channels=AN_HOUR, **sections))


def test_the_customers_owner_is_preferred() -> None:
    driver = a_desk()
    driver.say(customer=CustomerSeen(id="cus_1", owner="carla"))
    assert driver.offered_to() == "carla"


def test_the_customers_last_agent_is_preferred_after_the_owner() -> None:
    driver = a_desk()
    driver.desk.last_agents["cus_1"] = "boris"
    driver.say("known", customer=CustomerSeen(id="cus_1"))
    assert driver.offered_to("known") == "boris"
    driver.desk.last_agents["cus_1"] = "boris"
    driver.say("owned", customer=CustomerSeen(id="cus_1", owner="carla"))
    assert driver.offered_to("owned") == "carla"


def test_the_tickets_last_agent_goes_before_the_owner() -> None:
    driver = a_desk()
    driver.say(customer=CustomerSeen(id="cus_1", owner="carla"))
    driver.reject()
    holder = driver.offered_to()
    assert holder in ("anna", "boris")
    driver.accept()
    driver.resolve()
    driver.say()
    assert driver.ticket().agent == holder, "within reopen_seconds it goes straight to the holder"


def test_nobody_waits_for_whom_is_away_or_full() -> None:
    driver = a_desk({"anna": {"capacity": 1}, "carla": {"capacity": 1}})
    driver.say("first", customer=CustomerSeen(id="cus_1", owner="carla"))
    driver.say("second", customer=CustomerSeen(id="cus_1", owner="carla"))
    assert (driver.offered_to("first"), driver.offered_to("second")) == ("carla", "anna")


def test_it_ends_after_its_seconds_in_the_queue() -> None:
    """Anna is gone, Boris full; when both come back after the time, the usual choice decides."""
    driver = DeskDriver(
        a_workspace({"anna": {}, "boris": {}}, channels={"email": {"affinity_seconds": 60}}), present=[]
    )
    driver.say(customer=CustomerSeen(id="cus_1", owner="boris"))
    driver.advance(61)
    driver.available("anna")
    assert driver.offered_to() == "anna"


def test_who_may_not_take_the_ticket_is_not_preferred() -> None:
    driver = a_desk({"anna": {"skills": {"billing": 3}}, "carla": {}})
    driver.say(requires={"billing": 3}, customer=CustomerSeen(id="cus_1", owner="carla"))
    assert driver.offered_to() == "anna"


def test_who_declined_is_not_asked_again_for_affinity() -> None:
    driver = a_desk({"anna": {}, "carla": {}})
    driver.say(customer=CustomerSeen(id="cus_1", owner="carla"))
    driver.reject()
    assert driver.offered_to() == "anna"


def test_an_owner_whom_nobody_knows_does_no_harm() -> None:
    driver = a_desk()
    driver.say(customer=CustomerSeen(id="cus_1", owner="somebody-else"))
    assert driver.offered_to() in THREE


def test_the_offer_says_why() -> None:
    driver = a_desk()
    driver.say(customer=CustomerSeen(id="cus_1", owner="carla"))
    assert driver.fact("offer.made").reason.startswith("carla knows the matter or the customer")
    driver.stays(1)


def test_a_late_reopening_that_is_taken_back_forgets_nobody_whom_the_customer_knows() -> None:
    """Too late for the owner, it clears whom the customer knows; a batch that fails takes that back with the rest."""
    driver = a_desk(tickets={"reopen_seconds": 10, "close_after_seconds": 600})
    driver.assigned(customer=CustomerSeen(id="cus_1", owner="anna"))
    driver.resolve()
    driver.stays(60)
    reopen = TicketReopen(ticket_id="tkt_1", actor=BOSS)
    decide(driver.desk, RecordCause("late", "commands", "acme", "tkt_1", driver.now, (reopen,)), driver.now)
    assert driver.ticket().affine == ()
    driver.journal.undo()
    assert driver.ticket().affine == ("anna",)
