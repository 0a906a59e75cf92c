"""Rule 10, relaxation: a requirement can drop, or its level fall, after given seconds of waiting."""

from pointsman_routing.desk.state import timers as kinds
from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def a_desk(*relax: dict[str, object], **agents: dict[str, object]) -> DeskDriver:
    """One queue with these relaxations; everybody is there."""
    document = a_workspace(
        agents,
        {"general": {"relax": list(relax)}},
        languages=["en", "it"],
        classify={"language_skill": "lang-{language}"},
    )
    document["queues"]["general"]["offer"] = {"retry_seconds": 300}
    document["skills"] = sorted({*document["skills"], "lang-en", "billing", "returns"})
    return DeskDriver(document)


def test_a_required_level_falls_after_its_time() -> None:
    driver = a_desk({"after_seconds": 300, "lower": {"billing": 1}}, anna={"skills": {"billing": 2}})
    driver.say(requires={"billing": 5})
    driver.stays(299)
    assert driver.offered_to() is None
    driver.stays(1)
    assert driver.offered_to() == "anna"


def test_a_level_that_is_lower_already_stays() -> None:
    driver = a_desk({"after_seconds": 10, "lower": {"billing": 4}}, anna={"skills": {"billing": 1}})
    driver.say(requires={"billing": 2})
    driver.stays(20)
    assert driver.offered_to() is None


def test_the_language_is_dropped_but_not_what_else_is_required() -> None:
    driver = a_desk({"after_seconds": 120, "drop_language": True}, anna={"skills": {"billing": 3}}, boris={})
    driver.say(requires={"billing": 3, "lang-en": 1})
    driver.stays(120)
    assert driver.offered_to() == "anna"


def test_skills_are_dropped_by_name_and_steps_add_up() -> None:
    driver = a_desk(
        {"after_seconds": 60, "drop": ["returns"]},
        {"after_seconds": 120, "lower": {"billing": 1}},
        anna={"skills": {"billing": 1}},
    )
    driver.say(requires={"billing": 5, "returns": 1})
    driver.stays(60)
    assert driver.offered_to() is None
    driver.stays(60)
    assert driver.offered_to() == "anna"


def test_it_counts_from_waiting_since_and_not_from_the_last_change() -> None:
    driver = a_desk(
        {"after_seconds": 60, "lower": {"billing": 1}},
        anna={"skills": {"billing": 5}},
        boris={"skills": {"billing": 1}},
    )
    driver.say(requires={"billing": 5})
    assert driver.offered_to() == "anna"
    driver.advance(20)
    driver.reject()
    driver.stays(39)
    assert driver.offered_to() is None
    driver.stays(1)
    assert driver.offered_to() == "boris"


def test_what_waited_long_enough_elsewhere_is_relaxed_at_once() -> None:
    """A ticket that comes into the queue late in its waiting stands where its age says."""
    driver = a_desk({"after_seconds": 60, "lower": {"billing": 1}}, anna={"skills": {"billing": 1}})
    driver.say(requires={"billing": 5}, seconds_ago=100)
    assert driver.offered_to() == "anna"


def test_nothing_looks_at_tickets_between_their_times() -> None:
    """One timer a queue is armed, at the first ticket's next step; not one a ticket, and no sweep."""
    driver = a_desk({"after_seconds": 60, "lower": {"billing": 1}}, anna={"skills": {"billing": 1}})
    for number in range(5):
        driver.say(f"tkt_{number}", requires={"billing": 5})
        driver.stays(1)
    armed = [(subject, due) for kind, subject, due in driver.timers.armed("acme") if kind == kinds.RIPEN]
    waiting_since = driver.ticket("tkt_0").waiting_since
    assert waiting_since is not None
    assert [(subject, (due - waiting_since).total_seconds()) for subject, due in armed] == [("general", 60)]


def test_many_tickets_of_one_instant_are_all_relaxed() -> None:
    """More than one decision moves on, at one instant (`AT_ONCE_MAX`)."""
    driver = a_desk({"after_seconds": 60, "lower": {"billing": 1}}, anna={"capacity": 500, "skills": {"billing": 1}})
    for number in range(450):
        driver.say(f"tkt_{number:03}", requires={"billing": 5})
    assert not driver.desk.offers
    driver.stays(60.001)
    assert len(driver.desk.offers) == 450


def test_an_offer_made_by_relaxation_stands_although_the_skill_lacks() -> None:
    """A changed configuration looks at what the ticket requires by now."""
    driver = a_desk({"after_seconds": 60, "lower": {"billing": 1}}, anna={"skills": {"billing": 1}})
    driver.say(requires={"billing": 5})
    driver.stays(60)
    document = driver.desk.policy.document.plain()
    driver.configure({**document, "wrap_up_seconds": {"chat": 1}})
    assert driver.offered_to() == "anna"


def test_a_new_version_relaxes_what_waits() -> None:
    driver = a_desk(anna={"skills": {"billing": 1}})
    driver.say(requires={"billing": 5})
    driver.stays(100)
    document = driver.desk.policy.document.plain()
    document["queues"]["general"]["relax"] = [{"after_seconds": 90, "lower": {"billing": 1}}]
    driver.configure(document)
    assert driver.offered_to() == "anna"
