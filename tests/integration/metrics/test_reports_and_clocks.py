"""Reports never contradict the clocks: random histories of tickets, told by the desk and counted by sla, are folded
into metrics' tables, and each report says of each ticket what its clocks say.

`report first_response` took cycle 1 where cycle 2 was met, and lost the business seconds after a merge; `resolution`
gave calendar seconds since the opening beside business seconds since the reopening.
`POINTSMAN_CLOCK_HISTORIES` is twice as many as there are.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pointsman.core.cause import RecordCause
from pointsman_metrics import exports
from pointsman_metrics.reports.report import Question, answer
from pointsman_sla.clocks.model import Clock
from pointsman_sla.clocks.points import elapsed
from pointsman_sla.micros import MICROS, instant
from tests.integration.metrics.folding import fold
from tests.unit.sla import builders
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import MONDAY, Story, a_policy, answered, minute, opened, reopened, resolved, wrote
from tests.unit.sla.test_clock_histories import HISTORIES, a_history, document_of, promises

pytestmark = pytest.mark.stack

ASIDE = ("closed", "merged_away", "snoozed", "pended", "woken", "offered", "labelled", "to_queue", "split")
"""Without these more tickets are answered, resolved and reopened: two histories in three."""
ROUNDS_MAX = 20
FROM, TO, NOW = MONDAY - timedelta(days=1), MONDAY + timedelta(days=2), MONDAY + timedelta(days=1)


@dataclass
class Told:
    """One ticket's life: records of the desk and of sla, and how its clocks ended, in a workspace of its own."""

    workspace: str
    records: list[RecordCause]
    clocks: list[Clock]
    seconds: dict[str, tuple[float, float]]
    """Clock → (business, calendar) seconds that it counted."""
    carried: set[str]
    """Clocks that went on in another: a miss of theirs counts there."""

    def of(self, metric: str) -> list[Clock]:
        found = [clock for clock in self.clocks if clock.metric == metric and clock.reason != "no_target"]
        return sorted(found, key=lambda clock: clock.cycle)


def told_of(number: int, lane: LaneOfTests, told: list[tuple[int, tuple[Any, ...]]]) -> Told:
    workspace = f"history-{number}"

    def renamed(fact: Any) -> Any:
        names = {name: f"{getattr(fact, name)}_{number}" for name in ("ticket_id", "clock_id") if hasattr(fact, name)}
        return fact.model_copy(update=names)

    def record(at: Any, topic: str, facts: Any) -> RecordCause:
        return RecordCause("evt", topic, workspace, "tkt", at, tuple(renamed(fact) for fact in facts))

    records = [record(MONDAY + timedelta(seconds=second), "desk", facts) for second, facts in told]
    records += [record(NOW, "sla", [fact]) for fact in lane.facts if hasattr(fact, "clock_id")]
    clocks = list(lane.rows.values())

    def calendars(name: str, version: int) -> Any:
        return lane.state.book("acme", version).calendar(name)

    seconds = {
        clock.id: tuple(part / MICROS for part in elapsed(clock, clock.ended_at, calendars))
        for clock in clocks
        if clock.ended_at is not None
    }
    carried = {fact.clock_id for fact in lane.facts if getattr(fact, "carried_to", None) is not None}
    return Told(workspace, records, clocks, seconds, carried)  # type: ignore[arg-type]


def histories(numbers: Iterator[int]) -> list[Told]:
    found: list[Told] = []

    @given(st.data())
    @settings(
        max_examples=max(HISTORIES // 2, 10),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
        database=None,
    )
    def generate(data: st.DataObject) -> None:
        lane = LaneOfTests(document=document_of(data.draw(promises())))
        history = a_history(data, lane, without=data.draw(st.sampled_from([(), ASIDE, ASIDE])))
        found.append(told_of(next(numbers), lane, history.told))

    generate()
    return found


async def rows_of(pool: Any, workspace: str, kpi: str, **more: Any) -> list[dict[str, Any]]:
    async with pool.acquire() as db:
        report = await answer(db, workspace, Question(kpi, FROM, TO, **more), NOW)
    rows: list[dict[str, Any]] = report["rows"]
    return rows


async def test_no_report_contradicts_the_clocks_of_random_histories(pool: Any) -> None:
    """Few random histories may lack a kind of end; more are played until each was seen."""
    seen = {"met": 0, "later cycle": 0, "cancelled": 0, "breached": 0}
    numbers = count()
    for _ in range(ROUNDS_MAX):
        await expect_agreement(pool, histories(numbers), seen)
        if min(seen.values()) > 0:
            break
    assert min(seen.values()) > 0, seen


async def expect_agreement(pool: Any, histories: list[Told], seen: dict[str, int]) -> None:
    for told in histories:
        await fold(pool, told.records)
        exported = [row async for chunk in exports.tickets(pool, told.workspace, FROM, TO) for row in chunk]
        for kpi in ("first_response", "resolution"):
            clocks = told.of(kpi)
            met = [clock for clock in clocks if clock.state == "met"]
            rows = await rows_of(pool, told.workspace, kpi)
            if kpi == "resolution":
                met = [clock for clock in clocks[-1:] if clock.state == "met"]
            if met:
                business, calendar = told.seconds[met[-1].id]
                (row,) = rows
                assert (row["n"], row["p50"], row["p50_business"]) == (1, calendar, business), kpi
                assert exported[0][f"{kpi}_seconds"] == calendar
                assert exported[0][f"{kpi}_business_seconds"] == business
                seen["later cycle"] += met[-1].cycle > 1
            elif clocks and clocks[-1].state != "running":
                assert rows == [], (kpi, clocks)
                seen["cancelled"] += 1
            else:
                assert [row["p50_business"] for row in rows] in ([], [None]), kpi
            seen["met"] += len(met)
        counted = {row["slice"]["metric"]: (row["met"], row["breached"], row["cancelled"])
                   for row in await rows_of(pool, told.workspace, "attainment")}  # fmt: skip
        for metric in {clock.metric for clock in told.clocks}:
            cycles = [clock for clock in told.clocks if clock.metric == metric]
            breached = [clock for clock in cycles if missed(clock) and clock.id not in told.carried]
            kept = [clock for clock in cycles if clock not in breached]
            mine = (
                sum(clock.state == "met" for clock in kept),
                len(breached),
                sum(clock.state == "cancelled" for clock in kept),
            )
            assert counted.get(metric, (0, 0, 0)) == mine, (metric, cycles)
            seen["breached"] += len(breached)


def missed(clock: Clock) -> bool:
    """A running clock that is overdue when it is asked for has breached, whether sla was there to say so or not."""
    overdue = clock.state == "running" and instant(clock.breach_at) <= NOW
    return clock.breached_at is not None or overdue


def a_story(number: int, *told: tuple[float, list[Any]], **policy: Any) -> Told:
    """A ticket told in minutes."""
    lane = LaneOfTests(a_policy(warn={}, **policy))
    for at, facts in told:
        lane.tell(at, *facts)
    return told_of(number, lane, [(int(at * 60), tuple(facts)) for at, facts in told])


async def test_a_first_response_in_the_second_cycle_is_reported_as_its_clock_counted_it(pool: Any) -> None:
    """A bot solved it, the customer came back: the person's answer took four minutes, not twenty-one."""
    told = a_story(
        0, (0, opened()), (1, [answered(1, kind="bot")]), (2, [resolved()]), (17, [wrote(17), reopened()]),
        (21, [answered(21)]),
    )  # fmt: skip
    await fold(pool, told.records)
    (row,) = await rows_of(pool, told.workspace, "first_response")
    assert (row["n"], row["value"], row["p50_business"]) == (1, 240, 240)


async def test_a_first_response_after_a_merge_is_reported_as_its_clock_counted_it(pool: Any) -> None:
    """The merge began another cycle, since what the other ticket's customer asked is older."""
    told = a_story(0, (10, opened(10)), (12, [builders.merged(5)]), (20, [answered(20)]))
    await fold(pool, told.records)
    (row,) = await rows_of(pool, told.workspace, "first_response")
    assert (row["n"], row["p50"], row["p50_business"]) == (1, 900, 900)


async def test_a_restarted_resolution_has_calendar_and_business_seconds_of_one_span(pool: Any) -> None:
    """Opened Monday 09:00, solved at 10:00; reopened on Tuesday at 08:00, before opening, and solved at 09:30."""
    tuesday = 24 * 60
    told = a_story(
        0, (0, opened()), (60, [resolved()]), (tuesday - 60, [wrote(tuesday - 60), reopened()]),
        (tuesday + 30, [resolved()]), reopen="restart",
    )  # fmt: skip
    await fold(pool, told.records)
    (row,) = await rows_of(pool, told.workspace, "resolution")
    assert (row["n"], row["p50"], row["p50_business"]) == (1, 90 * 60, 30 * 60)
    assert (row["first_p50"], row["first_p50_business"]) == (3600, 3600)


async def test_merged_tickets_count_once_and_none_drops_out(pool: Any) -> None:
    """Answered both before the merge: one first response, of the ticket that goes on. Where that one had none (an agent
    started it), the merged one's stays."""
    for number, started_by in ((0, "customer"), (1, "agent")):
        told = a_story(number, (0, opened()), (5, [answered(5)]), (9, [builders.closed(f"tkt_9_{number}")]))
        into = opened(1, started_by=started_by)
        other = a_story(9, (1, into), (7, [answered(7)]), (8, [wrote(8)]))
        for record in other.records:
            renamed = [body.model_copy(update={"ticket_id": f"tkt_9_{number}"}) for body in record.bodies]
            if all(hasattr(body, "clock_id") for body in renamed):
                renamed = [body.model_copy(update={"clock_id": f"{body.clock_id}_{number}"}) for body in renamed]
            told.records.append(RecordCause("evt", record.topic, told.workspace, "tkt", record.at, tuple(renamed)))
        await fold(pool, told.records)
        (row,) = await rows_of(pool, told.workspace, "first_response")
        assert (row["n"], row["p50"]) == (1, 360 if started_by == "customer" else 300)


async def test_an_hourly_backlog_leaves_no_instant_of_the_autumn_night_out(
    pool: Any, viewer: httpx.AsyncClient
) -> None:
    """Rome, 2025-10-26: seven hours are seven instants. They were six, since the wall clock shows 02:00 twice."""
    async with pool.acquire() as db:
        await db.execute("INSERT INTO config_version VALUES ('acme', 1, 'Europe/Rome', '{}', '{}', $1)", MONDAY)
    night = {"from": "2025-10-25T22:00:00Z", "to": "2025-10-26T05:00:00Z", "by": "hour"}
    found = (await viewer.get("/v1/reports/backlog", params=night)).json()
    assert found["zone"] == "Europe/Rome"
    hours = ["2025-10-25T23", *(f"2025-10-26T0{hour}" for hour in range(6))]
    assert [row["to"] for row in found["rows"]] == [f"{hour}:00:00Z" for hour in hours]
    answer = await viewer.get("/v1/reports/backlog", params=night, headers={"Accept": "text/csv"})
    assert len(list(csv.DictReader(io.StringIO(answer.text)))) == 7


@pytest.mark.parametrize("grain", ["minute", "hour", "day", "week", "month"])
async def test_every_grain_counts_every_row_once_on_both_nights(pool: Any, grain: str) -> None:
    """What is due each quarter of an hour of the two nights is in exactly one interval, and that one holds it."""
    async with pool.acquire() as db:
        await db.execute("INSERT INTO config_version VALUES ('acme', 1, 'Europe/Rome', '{}', '{}', $1)", MONDAY)
    for night, year in (("2026-03-28T20:00:00+00:00", 2026), ("2025-10-25T20:00:00+00:00", 2025)):
        begin = minute(0).fromisoformat(night)
        async with pool.acquire() as db:
            asked = [begin + timedelta(minutes=15 * step, seconds=1) for step in range(40)]
            clocks = [(f"clk_{year}_{step}", at) for step, at in enumerate(asked)]
            await db.executemany(
                """
                INSERT INTO clock (workspace, clock_id, ticket_id, metric, cycle, policy, calendar, config_version,
                    target_seconds, started_at, due_at, breach_at, state, breached, retargeted, warning_count,
                    withdrawn_count) VALUES ('acme', $1, $1, 'resolution', 1, 'p', 'c', 1, 60, $2, $2, $2, 'met', false,
                    false, 0, 0)
                """,
                clocks,
            )
            question = Question("attainment", begin, begin + timedelta(hours=10), grain)
            rows = (await answer(db, "acme", question, NOW))["rows"]
        assert sum(row["n"] for row in rows) == 40
        for row in rows:
            assert row["n"] == sum(row["from"] <= at < row["to"] for at in asked), row
        bounds = [row["from"] for row in rows] + [rows[-1]["to"]]
        assert bounds == sorted(set(bounds))


def test_a_story_and_a_lane_tell_the_same() -> None:
    """The stories of this file are told to a whole lane; the course alone says the same of the clocks."""
    story = Story(a_policy(warn={})).tell(0, *opened()).tell(5, answered(5))
    lane = a_story(0, (0, opened()), (5, [answered(5)]))
    assert [clock.state for clock in lane.of("first_response")] == [story.clock("first_response").state] == ["met"]
