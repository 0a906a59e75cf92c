"""Rules 1 and 6, after every decision nobody waits for whom somebody has room."""

from pointsman.contracts.commands import ResolveAs
from pointsman.contracts.desk import OfferMade
from tests.unit.routing.desk_driver import DeskDriver, a_workspace

SPAM = ResolveAs(outcome="spam")


def test_a_ticket_without_an_eligible_agent_is_passed_over() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}, "boris": {"skills": {"billing": 3}}}), present=["anna"])
    driver.assigned("busy")
    driver.say("hard", requires={"billing": 3})
    driver.advance(60)
    driver.say("easy")
    driver.resolve("busy")
    assert driver.offered_to("easy") == "anna"
    assert driver.offered_to("hard") is None


def test_a_heavy_ticket_does_not_block_a_light_one() -> None:
    categories = {"language_skill": None, "categories": {"heavy": {"weight": 3}, "light": {"weight": 1}}}
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3}}, classify=categories))
    driver.assigned("busy", category="light")
    driver.say("heavy", category="heavy")
    driver.say("light", category="light")
    assert (driver.offered_to("heavy"), driver.offered_to("light")) == (None, "anna")


def test_agents_who_come_together_take_the_tickets_in_the_order_of_arrival() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"], {"general": {}, "other": {}}), present=[])
    for ticket in ("tkt_9", "tkt_1"):
        driver.say(ticket, queue="general")
    driver.available("anna", channels=("email",))
    made = [(fact.ticket_id, fact.offer_id) for fact in driver.facts if isinstance(fact, OfferMade)]
    assert [ticket for ticket, _ in made] == ["tkt_9", "tkt_1"]
    assert sorted(id for _, id in made) == [id for _, id in made], "ids of one decision ascend"


def test_what_is_released_together_is_given_out_afterwards() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 2}}))
    driver.assigned("tkt_1")
    driver.assigned("tkt_2")
    driver.say("tkt_3")
    driver.bulk("tkt_1", "tkt_2", resolve=SPAM)
    assert driver.types[-1] == "offer.made"
    assert driver.offered_to("tkt_3") == "anna"
