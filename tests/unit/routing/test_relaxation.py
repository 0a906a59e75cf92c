"""Rule 10, relaxation: a requirement can drop, or its level fall, after given seconds of waiting."""

from pointsman_routing.desk.state import timers as kinds
from tests.unit.routing.playing import Play, a_workspace


def a_desk(*relax: dict[str, object], **agents: dict[str, object]) -> Play:
    """One queue with these relaxations; everybody is there."""
    document = a_workspace(
        agents,
        {"general": {"relax": list(relax)}},
        languages=["en", "it"],
        classify={"language_skill": "lang-{language}"},
    )
    document["queues"]["general"]["offer"] = {"retry_seconds": 300}
    document["skills"] = sorted({*document["skills"], "lang-en", "billing", "returns"})
    return Play(document)


def test_a_required_level_falls_after_its_time() -> None:
    play = a_desk({"after_seconds": 300, "lower": {"billing": 1}}, anna={"skills": {"billing": 2}})
    play.say(requires={"billing": 5})
    play.stays(299)
    assert play.offered_to() is None
    play.stays(1)
    assert play.offered_to() == "anna"


def test_a_level_that_is_lower_already_stays() -> None:
    play = a_desk({"after_seconds": 10, "lower": {"billing": 4}}, anna={"skills": {"billing": 1}})
    play.say(requires={"billing": 2})
    play.stays(20)
    assert play.offered_to() is None


def test_the_language_is_dropped_but_not_what_else_is_required() -> None:
    play = a_desk({"after_seconds": 120, "drop_language": True}, anna={"skills": {"billing": 3}}, boris={})
    play.say(requires={"billing": 3, "lang-en": 1})
    play.stays(120)
    assert play.offered_to() == "anna"


def test_skills_are_dropped_by_name_and_steps_add_up() -> None:
    play = a_desk(
        {"after_seconds": 60, "drop": ["returns"]},
        {"after_seconds": 120, "lower": {"billing": 1}},
        anna={"skills": {"billing": 1}},
    )
    play.say(requires={"billing": 5, "returns": 1})
    play.stays(60)
    assert play.offered_to() is None
    play.stays(60)
    assert play.offered_to() == "anna"


def test_it_counts_from_waiting_since_and_not_from_the_last_change() -> None:
    play = a_desk(
        {"after_seconds": 60, "lower": {"billing": 1}},
        anna={"skills": {"billing": 5}},
        boris={"skills": {"billing": 1}},
    )
    play.say(requires={"billing": 5})
    assert play.offered_to() == "anna"
    play.advance(20)
    play.reject()
    play.stays(39)
    assert play.offered_to() is None
    play.stays(1)
    assert play.offered_to() == "boris"


def test_what_waited_long_enough_elsewhere_is_relaxed_at_once() -> None:
    """A ticket that comes into the queue late in its waiting stands where its age says."""
    play = a_desk({"after_seconds": 60, "lower": {"billing": 1}}, anna={"skills": {"billing": 1}})
    play.say(requires={"billing": 5}, seconds_ago=100)
    assert play.offered_to() == "anna"


def test_nothing_looks_at_tickets_between_their_times() -> None:
    """One timer a queue is armed, at the first ticket's next step; not one a ticket, and no sweep."""
    play = a_desk({"after_seconds": 60, "lower": {"billing": 1}}, anna={"skills": {"billing": 1}})
    for number in range(5):
        play.say(f"tkt_{number}", requires={"billing": 5})
        play.stays(1)
    armed = [(subject, due) for kind, subject, due in play.timers.armed("acme") if kind == kinds.RIPEN]
    waiting_since = play.ticket("tkt_0").waiting_since
    assert waiting_since is not None
    assert [(subject, (due - waiting_since).total_seconds()) for subject, due in armed] == [("general", 60)]


def test_many_tickets_of_one_instant_are_all_relaxed() -> None:
    """More than one decision moves on, at one instant (`AT_ONCE_MAX`)."""
    play = a_desk({"after_seconds": 60, "lower": {"billing": 1}}, anna={"capacity": 500, "skills": {"billing": 1}})
    for number in range(450):
        play.say(f"tkt_{number:03}", requires={"billing": 5})
    assert not play.desk.offers
    play.stays(60.001)
    assert len(play.desk.offers) == 450


def test_an_offer_made_by_relaxation_stands_although_the_skill_lacks() -> None:
    """A changed configuration looks at what the ticket requires by now."""
    play = a_desk({"after_seconds": 60, "lower": {"billing": 1}}, anna={"skills": {"billing": 1}})
    play.say(requires={"billing": 5})
    play.stays(60)
    document = play.desk.policy.document.plain()
    play.configure({**document, "wrap_up_seconds": {"chat": 1}})
    assert play.offered_to() == "anna"


def test_a_new_version_relaxes_what_waits() -> None:
    play = a_desk(anna={"skills": {"billing": 1}})
    play.say(requires={"billing": 5})
    play.stays(100)
    document = play.desk.policy.document.plain()
    document["queues"]["general"]["relax"] = [{"after_seconds": 90, "lower": {"billing": 1}}]
    play.configure(document)
    assert play.offered_to() == "anna"
