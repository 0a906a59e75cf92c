"""A batch may hold several timers that are due; deciding one may move or end another that was handed out with it."""

from datetime import timedelta

from pointsman.contracts.commands import PresenceSet
from pointsman_routing.desk.state import timers as kinds
from tests.unit.routing.playing import Play, a_workspace, as_agent


def test_an_offer_that_a_lapse_of_the_same_batch_rescinded_does_not_expire() -> None:
    play = Play(a_workspace(["anna"]), present=())
    play.command(
        PresenceSet(agent="anna", session="app", lease_seconds=10, state="available", actor=as_agent("anna")),
        "agent:anna",
    )
    play.say()
    play.now += timedelta(seconds=60)
    due = [*play.timers.due(kinds.LEASE, play.now, 10), *play.timers.due(kinds.OFFER, play.now, 10)]
    assert [timer.kind for timer in due] == ["lease", "offer"]
    for timer in due:
        play.decide(timer)
    assert [fact.type for fact in play.log if fact.type.startswith("offer.")] == [
        "offer.made",
        "offer.rescinded",
    ]
    assert play.facts == []
