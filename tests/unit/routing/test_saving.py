"""Rule 8, who can still be saved: the overdue stand behind those in time, except that a share of the offers goes to the
longest overdue."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from pointsman.contracts import commands as asked
from pointsman.contracts.document import Document
from pointsman.contracts.sla import ClockStarted
from pointsman.testing.time import NOON
from pointsman_routing.desk.questions import invariants
from pointsman_routing.desk.state.order import micros
from pointsman_routing.desk.state.policy import compile_policy
from tests.unit.routing.checked import Checked
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace
from tests.unit.routing.one_agent import served

TARGET_SECONDS = 600


def a_queue(share: float | None = 0.15, **fields: Any) -> dict[str, Any]:
    """Ordered by urgency. Where no promise runs a ticket is overdue after ten minutes; no priority has a head start."""
    late = {} if share is None else {"late": {"share": share}}
    level = dict.fromkeys(("urgent", "high", "normal", "low"), 0)
    return {
        "order": "urgency", "wait_target_seconds": TARGET_SECONDS, "head_start_minutes": level, **late, **fields
    }  # fmt: skip


def busy(queue: dict[str, Any], kind: type[DeskDriver] = Checked, **others: Any) -> DeskDriver:
    """A desk whose only agent has no room until the ticket `busy` is resolved."""
    driver = kind(a_workspace({"anna": {"capacity": 1}}, {"general": queue, **others}))
    driver.assigned("busy", queue="general")
    return driver


def come(driver: DeskDriver, *tickets: str, **fields: Any) -> None:
    """These come, a second apart."""
    for ticket in tickets:
        driver.say(ticket, **{"queue": "general", **fields})
        driver.advance(1)


def lost_and_in_time(queue: dict[str, Any], lost: Iterable[str], in_time: Iterable[str], **fields: Any) -> DeskDriver:
    """A desk where those wait that are overdue, and then those that are not; its agent has just got room."""
    driver = busy(queue, **fields)
    come(driver, *lost)
    driver.stays(TARGET_SECONDS)
    come(driver, *in_time)
    driver.resolve("busy")
    return driver


def a_clock(ticket: str, *, breach_at: datetime) -> ClockStarted:
    """A promise of a first response."""
    common: dict[str, Any] = {"clock_id": "c", "ticket_id": ticket, "metric": "first_response", "cycle": 1}
    runs = {"started_at": NOON, "due_at": breach_at, "breach_at": breach_at, "target_seconds": 1}
    return ClockStarted(**common, **runs, policy="p", calendar="always", config_version=1)


def numbered(name: str, count: int) -> list[str]:
    return [f"{name}_{number:02}" for number in range(count)]


def credit(driver: DeskDriver, queue: str = "general") -> int:
    return driver.desk.late_credits.get(queue, 0)


def test_who_can_be_saved_goes_first_and_then_the_longest_overdue() -> None:
    driver = lost_and_in_time(a_queue(0), ["lost_1", "lost_2"], ["saved_1", "saved_2"])
    assert served(driver, 4) == ["saved_1", "saved_2", "lost_1", "lost_2"]
    assert credit(driver) == 0


def test_the_whole_share_serves_the_longest_overdue_first() -> None:
    driver = lost_and_in_time(a_queue(1), ["lost_1", "lost_2"], ["saved_1", "saved_2"])
    assert served(driver, 4) == ["lost_1", "lost_2", "saved_1", "saved_2"]


@pytest.mark.parametrize("queue", [a_queue(None), a_queue(None, late="first")])
def test_without_a_share_the_earliest_deadline_goes_first(queue: dict[str, Any]) -> None:
    driver = lost_and_in_time(queue, ["lost_1", "lost_2"], ["saved_1", "saved_2"])
    assert served(driver, 4) == ["lost_1", "lost_2", "saved_1", "saved_2"]
    assert driver.desk.late_credits == {}


@pytest.mark.parametrize(("share", "of_twenty"), [(0.05, 1), (0.15, 3), (0.25, 5), (0.5, 10)])
def test_of_twenty_offers_the_share_goes_to_the_overdue(share: float, of_twenty: int) -> None:
    driver = lost_and_in_time(a_queue(share), numbered("lost", 12), numbered("saved", 22))
    order = served(driver, 20)
    assert [id for id in order if id.startswith("lost")] == numbered("lost", 12)[:of_twenty]
    assert [id for id in order if id.startswith("saved")] == numbered("saved", 22)[: 20 - of_twenty]
    assert order[-1].startswith("lost")


def test_offers_while_nobody_is_overdue_give_no_credit() -> None:
    driver = busy(a_queue(0.5))
    come(driver, *numbered("saved", 5))
    driver.resolve("busy")
    served(driver, 4)
    assert credit(driver) == 0


def test_who_crosses_the_deadline_while_waiting_stands_behind() -> None:
    for seconds, order in ((0, ["first", "second"]), (1, ["second", "first"])):
        driver = busy(a_queue(0))
        driver.say("first")
        driver.advance(TARGET_SECONDS - 60)
        driver.say("second")
        driver.advance(60 + seconds)
        driver.presence("anna", "available")
        driver.resolve("busy")
        assert served(driver, 2) == order, f"{seconds} s after the deadline"


def test_an_overdue_ticket_is_found_behind_one_with_a_head_start() -> None:
    """By key it stands behind; what the overdue are ordered by is how long they are."""
    driver = busy(a_queue(1, head_start_minutes={"urgent": 60}))
    come(driver, "lost")
    driver.stays(TARGET_SECONDS)
    come(driver, "urgent", priority="urgent")
    driver.resolve("busy")
    assert served(driver, 2) == ["lost", "urgent"]


def test_a_thousand_overdue_are_served_by_age_and_earn_nothing() -> None:
    driver = busy(a_queue(0.15), DeskDriver)
    lost = [f"lost_{number:04}" for number in range(1000)]
    for id in lost:
        driver.say(id)
    driver.stays(TARGET_SECONDS + 1)
    driver.resolve("busy")
    assert served(driver, 999) == lost[:-1]
    assert driver.desk.late_credits == {}
    (group,) = driver.desk.waiting.sided["general"]
    assert group.sides is not None
    assert len(group.sides.by_due) < 10, "what was served is dropped"


def test_a_turn_that_an_agent_cannot_give_waits_for_who_can() -> None:
    """Boris cannot take the overdue: his offers make the credit whole, and no more; Anna's next offer pays for it."""
    agents = {"anna": {"capacity": 1, "skills": {"billing": 5}}, "boris": {"capacity": 1}}
    driver = Checked(a_workspace(agents, {"general": a_queue(0.5)}))
    driver.assigned("busy_anna", requires={"billing": 1})
    driver.assigned("busy_boris")
    come(driver, "lost_1", "lost_2", requires={"billing": 1})
    driver.stays(TARGET_SECONDS)
    come(driver, *numbered("plain", 5))
    come(driver, *numbered("bill", 3), requires={"billing": 1})
    for number, ticket in enumerate(["busy_boris", "plain_00", "plain_01"]):
        driver.resolve(ticket)
        driver.accept(f"plain_{number:02}")
        assert credit(driver) == 5000
    driver.resolve("busy_anna")
    assert driver.offered_to("lost_1") == "anna"
    assert credit(driver) == 0


def test_where_nobody_in_time_can_be_offered_the_overdue_needs_no_turn() -> None:
    """Anna serves only those; what she does takes nothing from whom others pass over."""
    driver = lost_and_in_time(a_queue(0.5), ["lost_1", "lost_2", "lost_3"], ["saved"])
    assert served(driver, 1) == ["saved"]
    assert credit(driver) == 5000
    assert served(driver, 2) == ["lost_1", "lost_2"]
    assert credit(driver) == 5000


def test_who_declined_the_overdue_is_offered_the_next() -> None:
    driver = lost_and_in_time(a_queue(1, offer={"retry_seconds": 600}), ["lost_1", "lost_2"], ["saved"])
    assert driver.offered_to("lost_1") == "anna"
    driver.reject("lost_1")
    assert served(driver, 2) == ["lost_2", "saved"]


def test_of_those_who_enter_together_the_saved_ask_first() -> None:
    """A queue opens, and the agent who has room is offered who can still be saved."""
    driver = Checked(a_workspace({"anna": {"capacity": 1}}, {"general": a_queue(0.5)}))
    driver.close_queue("general")
    come(driver, "lost_1", "lost_2")
    driver.stays(TARGET_SECONDS)
    come(driver, "saved_1", "saved_2")
    driver.open_queue("general")
    assert served(driver, 4) == ["saved_1", "lost_1", "saved_2", "lost_2"]


def test_of_two_queues_the_overdue_of_one_stand_behind_those_in_time_of_the_other_but_for_their_share() -> None:
    """Passed over for another queue they gain credit too: else nobody would ever look at them."""
    driver = busy(a_queue(0.25), vip=a_queue(0))
    come(driver, *numbered("lost", 3))
    driver.stays(TARGET_SECONDS)
    come(driver, *numbered("vip", 9), queue="vip")
    driver.resolve("busy")
    order = served(driver, 8)
    assert [place for place, id in enumerate(order) if id.startswith("lost")] == [3, 7]


def test_a_queue_that_sets_nobody_apart_compares_by_slack() -> None:
    driver = busy(a_queue(0), plain={"order": "fifo", "wait_target_seconds": TARGET_SECONDS})
    come(driver, "lost", "saved")
    come(driver, "plain", queue="plain")
    driver.stays(TARGET_SECONDS - 2)
    driver.resolve("busy")
    assert served(driver, 3) == ["saved", "plain", "lost"]


def test_the_lower_rank_goes_before_either_side() -> None:
    document = a_workspace(
        {"anna": {"capacity": 1, "queues": {"general": 1, "vip": 2}}}, {"general": a_queue(0), "vip": a_queue(0)}
    )
    driver = Checked(document)
    driver.assigned("busy", queue="general")
    come(driver, "lost")
    driver.stays(TARGET_SECONDS)
    come(driver, "vip", queue="vip")
    driver.resolve("busy")
    assert served(driver, 2) == ["lost", "vip"]


def test_a_transferred_ticket_is_as_overdue_where_it_goes() -> None:
    driver = busy(a_queue(None), other=a_queue(0))
    come(driver, "lost")
    driver.stays(TARGET_SECONDS)
    come(driver, "saved", queue="other")
    driver.transfer("lost", actor=BOSS, to_queue="other")
    driver.resolve("busy")
    assert served(driver, 2) == ["saved", "lost"]


def test_a_merged_ticket_stands_where_its_clocks_say() -> None:
    """The target's clocks count from the oldest message of both, as soon as sla says so."""
    driver = busy(a_queue(0))
    come(driver, "lost_1", "lost_2")
    driver.stays(TARGET_SECONDS)
    come(driver, "saved_1", "saved_2")
    driver.merge("lost_1", "saved_1")
    driver.hear(a_clock("saved_1", breach_at=driver.now - timedelta(seconds=1)), topic="sla")
    driver.resolve("busy")
    assert served(driver, 3) == ["saved_2", "lost_2", "saved_1"]


def test_a_promise_that_is_kept_in_mind_again_takes_a_ticket_back() -> None:
    """An answer that is due later: the ticket is in time again."""
    driver = busy(a_queue(0))
    come(driver, "back", "lost")
    driver.stays(TARGET_SECONDS)
    come(driver, "saved")
    driver.hear(a_clock("back", breach_at=driver.now + timedelta(hours=1)), topic="sla")
    driver.resolve("busy")
    assert served(driver, 3) == ["saved", "back", "lost"]


def test_the_document_may_begin_and_cease_to_set_them_apart_while_they_wait() -> None:
    driver = lost_and_in_time(a_queue(None), numbered("lost", 9), numbered("saved", 9))
    agents = {"anna": {"capacity": 1}}
    driver.accept("lost_00")
    driver.configure(a_workspace(agents, {"general": a_queue(0.3)}))
    driver.resolve("lost_00")
    assert served(driver, 4) == ["saved_00", "saved_01", "saved_02", "lost_01"]
    assert credit(driver) == 5000
    driver.accept("saved_03")
    driver.configure(a_workspace(agents, {"general": a_queue(None)}))
    assert driver.desk.late_credits == {}
    driver.resolve("saved_03")
    assert served(driver, 2) == ["lost_02", "lost_03"]


def test_a_renamed_queue_keeps_its_credit() -> None:
    driver = lost_and_in_time(a_queue(0.4), numbered("lost", 4), numbered("saved", 4))
    assert credit(driver) == 4000
    document = a_workspace({"anna": {"capacity": 1}}, {"front": a_queue(0.4)})
    driver.configure(document, moves={"queues": {"general": "front"}})
    assert driver.desk.late_credits == {"front": 4000}


@pytest.mark.parametrize(("share", "whole"), [(0.15, 1500), (0.29, 2900), (0.57, 5700), (1, 10_000), (0.00004, 0)])
def test_a_share_is_a_whole_number_of_ten_thousandths(share: float, whole: int) -> None:
    document = Document.model_validate(a_workspace(["anna"], {"general": a_queue(share)}))
    assert compile_policy(document, 1).queues["general"].late_share == whole


@pytest.mark.parametrize("order", ["fifo", "priority", "strict", "accumulating"])
def test_only_the_order_urgency_sets_anybody_apart(order: str) -> None:
    document = Document.model_validate(a_workspace(["anna"], {"general": a_queue(0.5, order=order)}))
    assert compile_policy(document, 1).queues["general"].late_share is None


def test_an_explanation_says_the_side_and_who_goes_before() -> None:
    driver = busy(a_queue(0.5))
    come(driver, *numbered("lost", 2))
    driver.stays(TARGET_SECONDS)
    come(driver, *numbered("saved", 3))
    told = {id: driver.explain(id) for id in ("saved_00", "lost_00", "saved_01", "lost_01", "saved_02")}
    assert [said["frees"][0]["ahead"] for said in told.values()] == [0, 1, 2, 3, 4]
    assert [said["order"]["side"] for said in told.values()] == ["in_time", "overdue"] * 2 + ["in_time"]
    assert told["lost_00"]["order"]["late_share"] == 0.5
    assert told["lost_00"]["order"]["due_at"] < driver.now
    assert "It is overdue since" in told["lost_00"]["sentence"]
    assert "50% of the offers" in told["lost_00"]["sentence"]
    assert "It can be answered in time, until" in told["saved_00"]["sentence"]
    driver.resolve("busy")
    assert served(driver, 5) == list(told)


def test_what_did_not_happen_moves_no_credit() -> None:
    """A question tries offers, and takes them back."""
    driver = lost_and_in_time(a_queue(0.4), numbered("lost", 3), numbered("saved", 3))
    before = dict(driver.desk.late_credits)
    driver.explain("lost_02")
    driver.effect(a_workspace({"anna": {"capacity": 5}}, {"general": a_queue(0.4)}))
    driver.bulk("lost_01", question=True, assign=asked.AssignTo(agent="anna", reason="try"))
    assert driver.desk.late_credits == before


def test_who_was_looked_for_at_a_later_instant_is_on_a_side_at_an_earlier_one() -> None:
    """Lazily dropped from one heap a ticket could be in none, did time ever go back."""
    driver = busy(a_queue(0.5))
    come(driver, "one", "two")
    (group,) = driver.desk.waiting.sided["general"]
    now_us = micros(driver.now)
    later_us = now_us + TARGET_SECONDS * 1_000_000 - 1_500_000
    assert [head and head[3].id for head in group.heads(None, later_us)] == ["two", "one"]
    assert [head and head[3].id for head in group.heads(None, now_us)] == ["two", "one"]


def test_the_auditor_tells_of_a_credit_that_cannot_be() -> None:
    driver = busy(a_queue(0.5), plain={})
    for queue, amount in (("general", 9999), ("general", 10_000), ("general", -1), ("plain", 1)):
        driver.desk.late_credits = {queue: amount}
        assert bool(list(invariants.credits(driver.desk))) == (amount != 9999)
