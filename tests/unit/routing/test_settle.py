"""Rules 1 and 6, after every decision nobody waits for whom somebody has room."""

from pointsman.contracts.commands import ResolveAs
from pointsman.contracts.desk import OfferMade
from tests.unit.routing.playing import Play, a_workspace

SPAM = ResolveAs(outcome="spam")


def test_a_ticket_without_an_eligible_agent_is_passed_over() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}, "boris": {"skills": {"billing": 3}}}), present=["anna"])
    play.assigned("busy")
    play.say("hard", requires={"billing": 3})
    play.advance(60)
    play.say("easy")
    play.resolve("busy")
    assert play.offered_to("easy") == "anna"
    assert play.offered_to("hard") is None


def test_a_heavy_ticket_does_not_block_a_light_one() -> None:
    categories = {"language_skill": None, "categories": {"heavy": {"weight": 3}, "light": {"weight": 1}}}
    play = Play(a_workspace({"anna": {"capacity": 3}}, classify=categories))
    play.assigned("busy", category="light")
    play.say("heavy", category="heavy")
    play.say("light", category="light")
    assert (play.offered_to("heavy"), play.offered_to("light")) == (None, "anna")


def test_agents_who_come_together_take_the_tickets_in_the_order_of_arrival() -> None:
    play = Play(a_workspace(["anna", "boris"], {"general": {}, "other": {}}), present=[])
    for ticket in ("tkt_9", "tkt_1"):
        play.say(ticket, queue="general")
    play.available("anna", channels=("email",))
    made = [(fact.ticket_id, fact.offer_id) for fact in play.facts if isinstance(fact, OfferMade)]
    assert [ticket for ticket, _ in made] == ["tkt_9", "tkt_1"]
    assert sorted(id for _, id in made) == [id for _, id in made], "ids of one decision ascend"


def test_what_is_released_together_is_given_out_afterwards() -> None:
    play = Play(a_workspace({"anna": {"capacity": 2}}))
    play.assigned("tkt_1")
    play.assigned("tkt_2")
    play.say("tkt_3")
    play.bulk("tkt_1", "tkt_2", resolve=SPAM)
    assert play.types[-1] == "offer.made"
    assert play.offered_to("tkt_3") == "anna"
