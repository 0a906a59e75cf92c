"""What users of other routers report about who gets a ticket, one test per report, shown not to happen here."""

from datetime import timedelta

from pointsman.contracts.commands import ResolveAs
from tests.unit.routing.invariants import assert_sound, assert_within_capacity
from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent

PULL = {"general": {"pull": True}}
AT_ONCE = {"auto_accept": True}


def told(play: Play, type: str, ticket: str) -> int:
    """How often this was said about a ticket."""
    return sum(fact.type == type and fact.ticket_id == ticket for fact in play.log)


def test_chatwoot_15275_concurrent_assignments_do_not_bounce_a_ticket() -> None:
    """Writers that raced one another reassigned a conversation again and again, often to who had it already."""
    play = Play(a_workspace(["anna", "boris"]), present=["anna"])
    seen = play.assigned().version
    play.available("boris")
    play.assign("boris", if_match=seen)
    for agent in ("anna", "boris", "anna"):
        play.assign(agent, if_match=seen)
        assert play.answer.status == 412
    play.assign("boris")
    assert (play.answer.code, play.ticket().agent) == ("wrong-state", "boris")
    assert told(play, "ticket.assigned", "tkt_1") == 2


def test_chatwoot_14495_a_burst_of_releases_assigns_a_waiting_ticket_once() -> None:
    """Each resolve or snooze assigned the whole inbox anew; one conversation was reassigned dozens of times."""
    play = Play(a_workspace({"anna": {"capacity": 3}, "boris": {"capacity": 3}}, {"general": {"offer": AT_ONCE}}))
    for number in range(6):
        play.say(f"held_{number}")
    play.say("waiting")
    for number in range(0, 6, 2):
        play.resolve(f"held_{number}")
        play.snooze(f"held_{number + 1}", until=play.now + timedelta(hours=1))
    assert told(play, "ticket.assigned", "waiting") == 1
    assert_sound(play.desk)


def test_chatwoot_15524_nobody_outside_the_queue_gets_a_ticket_that_moved_meanwhile() -> None:
    """The agent was chosen for the inbox while a rule moved the conversation to a team; the wrong assignee stuck."""
    play = Play(
        a_workspace({"anna": {"queues": ["general"]}, "boris": {"queues": ["team"]}}, {"general": {}, "team": {}})
    )
    offer = play.say().offer
    assert offer is not None
    play.transfer(to_queue="team", actor=as_agent("anna"))
    assert play.answer.code == "not-holder"
    play.label(category="other")
    play.transfer(to_queue="team", actor=BOSS)
    assert play.offered_to() == "boris"
    play.accept_offer(offer.id, as_agent("anna"))
    assert (play.answer.code, play.offered_to()) == ("offer-gone", "boris")


def test_rocketchat_22206_one_waiting_ticket_is_taken_by_one_agent() -> None:
    """With manual selection two agents accepted the same inquiry and both wrote to the customer."""
    play = Play(a_workspace(["anna", "boris"], PULL))
    play.away("anna")
    play.away("boris")
    play.say()
    play.take("anna")
    play.take("boris")
    assert (play.answer.status, play.answer.extra["holder"]) == (409, "anna")
    play.reply(actor=as_agent("boris"))
    assert play.answer.code == "not-holder"
    assert told(play, "ticket.assigned", "tkt_1") == 1


def test_zammad_3156_who_comes_second_does_not_become_the_owner() -> None:
    """The next agent who opened a ticket within seconds became its owner instead of the first."""
    play = Play(a_workspace(["anna", "boris"], PULL), present=["anna"])
    seen = play.say().version
    play.take("anna")
    play.available("boris")
    play.take("boris", if_match=seen)
    assert play.answer.status == 412
    play.take("boris")
    assert (play.answer.status, play.ticket().agent) == (409, "anna")


def test_libredesk_385_the_router_does_not_override_a_persons_assignment() -> None:
    """The auto-assigner gave a conversation away that somebody had just assigned by hand."""
    play = Play(a_workspace(["anna", "boris"]), present=["anna"])
    offer = play.say().offer
    assert offer is not None
    play.available("boris")
    play.assign("boris")
    play.accept_offer(offer.id, as_agent("anna"))
    assert (play.answer.code, play.answer.extra["holder"]) == ("offer-gone", "boris")
    play.away("anna")
    play.available("anna")
    play.advance(120)
    assert (play.ticket().agent, told(play, "ticket.assigned", "tkt_1")) == ("boris", 1)


def test_rocketchat_37776_places_are_counted_when_they_are_given() -> None:
    """The limit was read, then chats were assigned, each unaware of the other: agents got more than they may."""
    play = Play(a_workspace({"anna": {"capacity": 1}, "boris": {"capacity": 1}}, PULL), present=["anna"])
    for number in range(4):
        play.say(f"tkt_{number}")
    offered = next(id for id in play.desk.tickets if play.offered_to(id))
    for ticket in play.desk.tickets:
        play.take("anna", ticket)
        play.assign("anna", ticket)
        play.transfer(ticket, to_agent="anna", actor=BOSS)
        assert_within_capacity(play.desk, play.policies)
    assert [ticket.id for ticket in play.desk.tickets.values() if ticket.agent == "anna"] == [offered]


def test_rocketchat_19352_what_waits_for_a_full_agent_comes_one_by_one() -> None:
    """Waiting chats that were freed together went beyond the limit of the agent who got room."""
    play = Play(a_workspace({"anna": {"capacity": 4}, "boris": {"capacity": 1}}), present=["anna"])
    for number in range(4):
        play.assigned(f"tkt_{number}")
        play.transfer(f"tkt_{number}", to_agent="boris", wait_seconds=3600)
    play.available("boris")
    for left in range(3, -1, -1):
        assert (play.agent("boris").load, len(play.desk.reserved.get("boris", ()))) == (1, left)
        play.resolve(next(iter(play.agent("boris").hand)))
    assert play.agent("boris").load == 0


def test_rocketchat_13134_who_returns_is_not_flooded() -> None:
    """The least-amount method counted lifetime chats: who came back from holiday got everything."""
    play = Play(a_workspace({"anna": {"capacity": 20}, "boris": {"capacity": 20}}), present=["anna"])
    for number in range(30):
        play.available("anna")
        play.assigned(f"old_{number}")
        play.advance(60)
        play.resolve(f"old_{number}")
    play.available("anna")
    play.available("boris")
    given = [play.assigned(f"new_{number}").agent for number in range(10)]
    assert (given.count("anna"), given.count("boris")) == (5, 5)


def test_chatwoot_10583_nothing_stays_with_who_leaves() -> None:
    """Conversations stayed assigned to agents who were removed or had gone."""
    play = Play(a_workspace(["anna", "boris"]), present=["anna"])
    for number in range(3):
        play.assigned(f"tkt_{number}")
    play.bulk("tkt_0", resolve=ResolveAs(outcome="solved"))
    play.available("boris")
    play.requeue("anna")
    assert [play.offered_to(id) for id in ("tkt_1", "tkt_2")] == ["boris", "boris"]
    assert play.agent("anna").load == 0
