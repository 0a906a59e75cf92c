"""Rule 11, affinity: the ticket's last agent, then the customer's owner, then the customer's last agent is preferred
for a while after queueing, if present with room; no ticket waits for them."""

from typing import Any

from pointsman.contracts.commands import TicketReopen
from pointsman.contracts.requests import CustomerSeen
from pointsman.core.cause import RecordCause
from pointsman_routing.desk.decide import decide
from tests.unit.routing.playing import BOSS, Play, a_workspace

THREE: dict[str, dict[str, Any]] = {"anna": {}, "boris": {}, "carla": {}}
AN_HOUR = {"email": {"affinity_seconds": 3600}}


def a_desk(agents: Any = THREE, **sections: Any) -> Play:
    return Play(a_workspace(agents, channels=AN_HOUR, **sections))


def test_the_customers_owner_is_preferred() -> None:
    play = a_desk()
    play.say(customer=CustomerSeen(id="cus_1", owner="carla"))
    assert play.offered_to() == "carla"


def test_the_customers_last_agent_is_preferred_after_the_owner() -> None:
    play = a_desk()
    play.desk.last_agents["cus_1"] = "boris"
    play.say("known", customer=CustomerSeen(id="cus_1"))
    assert play.offered_to("known") == "boris"
    play.desk.last_agents["cus_1"] = "boris"
    play.say("owned", customer=CustomerSeen(id="cus_1", owner="carla"))
    assert play.offered_to("owned") == "carla"


def test_the_tickets_last_agent_goes_before_the_owner() -> None:
    play = a_desk()
    play.say(customer=CustomerSeen(id="cus_1", owner="carla"))
    play.reject()
    holder = play.offered_to()
    assert holder in ("anna", "boris")
    play.accept()
    play.resolve()
    play.say()
    assert play.ticket().agent == holder, "within reopen_seconds it goes straight to the holder"


def test_nobody_waits_for_whom_is_away_or_full() -> None:
    play = a_desk({"anna": {"capacity": 1}, "carla": {"capacity": 1}})
    play.say("first", customer=CustomerSeen(id="cus_1", owner="carla"))
    play.say("second", customer=CustomerSeen(id="cus_1", owner="carla"))
    assert (play.offered_to("first"), play.offered_to("second")) == ("carla", "anna")


def test_it_ends_after_its_seconds_in_the_queue() -> None:
    """Anna is gone, Boris full; when both come back after the time, the usual choice decides."""
    play = Play(a_workspace({"anna": {}, "boris": {}}, channels={"email": {"affinity_seconds": 60}}), present=[])
    play.say(customer=CustomerSeen(id="cus_1", owner="boris"))
    play.advance(61)
    play.available("anna")
    assert play.offered_to() == "anna"


def test_who_may_not_take_the_ticket_is_not_preferred() -> None:
    play = a_desk({"anna": {"skills": {"billing": 3}}, "carla": {}})
    play.say(requires={"billing": 3}, customer=CustomerSeen(id="cus_1", owner="carla"))
    assert play.offered_to() == "anna"


def test_who_declined_is_not_asked_again_for_affinity() -> None:
    play = a_desk({"anna": {}, "carla": {}})
    play.say(customer=CustomerSeen(id="cus_1", owner="carla"))
    play.reject()
    assert play.offered_to() == "anna"


def test_an_owner_whom_nobody_knows_does_no_harm() -> None:
    play = a_desk()
    play.say(customer=CustomerSeen(id="cus_1", owner="somebody-else"))
    assert play.offered_to() in THREE


def test_the_offer_says_why() -> None:
    play = a_desk()
    play.say(customer=CustomerSeen(id="cus_1", owner="carla"))
    assert play.fact("offer.made").reason.startswith("carla knows the matter or the customer")
    play.stays(1)


def test_a_late_reopening_that_is_taken_back_forgets_nobody_whom_the_customer_knows() -> None:
    """Too late for the owner, it clears whom the customer knows; a batch that fails takes that back with the rest."""
    play = a_desk(tickets={"reopen_seconds": 10, "close_after_seconds": 600})
    play.assigned(customer=CustomerSeen(id="cus_1", owner="anna"))
    play.resolve()
    play.stays(60)
    reopen = TicketReopen(ticket_id="tkt_1", actor=BOSS)
    decide(play.desk, RecordCause("late", "commands", "acme", "tkt_1", play.now, (reopen,)), play.now)
    assert play.ticket().affine == ()
    play.journal.undo()
    assert play.ticket().affine == ("anna",)
