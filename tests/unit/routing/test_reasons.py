"""Rule 16, why this agent: the sentence, and what is stored with an offer."""

from typing import Any

import orjson

from tests.unit.routing.desk_driver import DeskDriver, a_workspace

AGENTS: dict[str, Any] = {
    "anna": {"name": "Anna", "capacity": 1, "skills": {"billing": 5}},
    "boris": {"name": "Boris", "skills": {"billing": 2}},
    "carla": {"name": "Carla", "skills": {"billing": 4}},
}


def test_every_offer_carries_a_sentence() -> None:
    driver = DeskDriver(a_workspace(AGENTS), present=["anna"])
    driver.say(requires={"billing": 3})
    assert driver.fact("offer.made").reason.startswith("Anna can do it, has room")
    driver.say("tkt_2", requires={"billing": 3})
    driver.accept()
    driver.resolve()
    assert driver.fact("offer.made").reason.startswith("Anna has room again")


def test_what_is_stored_with_an_offer_is_small() -> None:
    agents = {f"agent-{number}": {"skills": {"billing": 3}} for number in range(200)}
    driver = DeskDriver(a_workspace(agents))
    desk = driver.desk
    driver.desk.committed = lambda: None  # type: ignore[method-assign]
    driver.say(requires={"billing": 3})
    (made,) = desk.changes.offers_made.values()
    assert made["why"]["config_version"] == 1
    assert len(orjson.dumps(made["why"])) <= 2048
