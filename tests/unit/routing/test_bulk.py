"""One action on many tickets: each for itself; many become a job, step by step."""

from typing import Any

import pytest

from pointsman.contracts.commands import AssignTo, LabelAs, RequeueTo, ResolveAs, TransferTo
from tests.unit.routing.desk_driver import DeskDriver, a_workspace
from tests.unit.routing.invariants import assert_sound

SPAM = ResolveAs(outcome="spam")


def waiting(driver: DeskDriver, count: int) -> list[str]:
    """So many tickets that wait."""
    ids = [f"tkt_{number:04}" for number in range(count)]
    for id in ids:
        driver.say(id)
    return ids


def items(driver: DeskDriver) -> dict[str, tuple[int, str | None]]:
    return {item["ticket_id"]: (item["status"], item["code"]) for item in driver.answer["items"]}


def test_each_ticket_is_done_or_refused_for_itself() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    waiting(driver, 3)
    driver.bulk("tkt_0000", resolve=SPAM)
    driver.bulk("tkt_0000", "tkt_0001", "tkt_none", "tkt_0001", resolve=SPAM)
    assert items(driver) == {"tkt_0000": (409, "wrong-state"), "tkt_0001": (200, None), "tkt_none": (404, "not-found")}
    assert (driver.answer["total"], driver.answer["succeeded"], driver.answer["failed"]) == (3, 1, 2)
    assert (driver.ticket("tkt_0001").outcome, driver.ticket("tkt_0002").state) == ("spam", "queued")


def test_one_decision_tells_of_each_ticket_once() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    waiting(driver, 5)
    decision = driver.bulk(*driver.desk.tickets, resolve=SPAM)
    subjects = [emission.subject for emission in decision.emissions]
    assert sorted(subjects) == sorted(set(subjects))
    assert driver.types == ["ticket.resolved"] * 5


def test_what_a_refused_ticket_had_begun_is_taken_back() -> None:
    driver = DeskDriver(
        a_workspace({"anna": {"capacity": 1}, "boris": {}}, {"general": {"offer": {"timeout_seconds": 600}}}),
        present=["boris"],
    )
    waiting(driver, 2)
    driver.bulk("tkt_0000", "tkt_0001", assign=AssignTo(agent="anna", reason="hers"))
    assert items(driver) == {"tkt_0000": (200, None), "tkt_0001": (409, "no-room")}
    assert (driver.ticket("tkt_0000").agent, driver.offered_to("tkt_0001")) == ("anna", "boris")
    assert driver.types == ["offer.rescinded", "ticket.assigned"]
    assert_sound(driver.desk)


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ({"transfer": TransferTo(to_queue="late", reason="night")}, "queued"),
        ({"requeue": RequeueTo(to_queue="late", reason="night")}, "queued"),
        ({"label": LabelAs(priority="urgent", add_tags=("wave",))}, "assigned"),
        ({"resolve": SPAM}, "resolved"),
        ({"assign": AssignTo(agent="boris", reason="his")}, "assigned"),
    ],
)
def test_every_action(action: dict[str, Any], state: str) -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"], {"general": {}, "late": {}}), present=["anna"])
    for number in range(3):
        driver.assigned(f"tkt_{number}")
    driver.bulk("tkt_0", "tkt_1", "tkt_2", **action)
    assert driver.answer["failed"] == 0
    assert {item["state"] for item in driver.answer["items"]} == {state}


def test_a_dry_run_changes_nothing() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    waiting(driver, 2)
    driver.bulk("tkt_0000", "tkt_0009", question=True, resolve=SPAM)
    assert items(driver) == {"tkt_0000": (200, None), "tkt_0009": (404, "not-found")}
    assert driver.ticket("tkt_0000").state == "queued"


def test_many_become_a_job_that_time_takes_on() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    ids = waiting(driver, 450)
    driver.resolve(ids[7], actor=None, outcome="solved")
    decision = driver.bulk(*ids, "tkt_none", resolve=SPAM)
    job = driver.answer["job_id"]
    assert (decision.status, driver.desk.jobs[job].done) == (202, 0)
    (cause,) = driver.timers.due("job", driver.now, 1)
    driver.decide(cause)
    assert (driver.desk.jobs[job].done, driver.desk.jobs[job].failed) == (200, 0)
    driver.advance(1)
    assert driver.desk.jobs == {}
    assert {ticket.outcome for ticket in driver.desk.tickets.values()} == {"spam"}
    assert [timer for timer in driver.timers.armed("acme") if timer[0] == "job"] == []


def test_a_job_names_its_first_refusals_and_counts_all() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    seen: list[Any] = []
    committed = driver.desk.committed

    def watch() -> None:
        seen.extend(driver.desk.changes.jobs_moved.values())
        committed()

    driver.desk.committed = watch  # type: ignore[method-assign]
    driver.bulk(*(f"tkt_{number}" for number in range(500)), resolve=SPAM)
    driver.advance(1)
    assert [job.done for job in seen] == [200, 400, 500]
    assert (seen[-1].failed, len(seen[-1].errors), seen[-1].errors[0]["code"]) == (500, 200, "not-found")


def test_one_action_and_not_too_many_tickets_or_jobs() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.bulk("tkt_1")
    assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/action")
    driver.bulk(*(f"tkt_{number}" for number in range(10_001)), resolve=SPAM)
    assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/ids")
    for _ in range(20):
        driver.bulk(*(f"tkt_{number}" for number in range(201)), resolve=SPAM)
    driver.bulk(*(f"tkt_{number}" for number in range(201)), resolve=SPAM)
    assert (driver.answer.status, driver.answer.code) == (409, "too-many-jobs")


def test_a_ticket_that_raises_does_not_stop_the_others() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3}}))
    waiting(driver, 3)
    broken = driver.ticket("tkt_0001")
    assert broken.offer is not None
    broken.offer = broken.offer._replace(agent="a ghost")
    driver.bulk("tkt_0000", "tkt_0001", "tkt_0002", resolve=SPAM)
    assert items(driver) == {
        "tkt_0000": (200, None),
        "tkt_0001": (500, "internal-error"),
        "tkt_0002": (200, None),
    }
