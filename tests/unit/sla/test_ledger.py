"""The ledger of a clock by kinds of interval. Minutes after Monday 2026-11-23 09:00; the office is open 09:00–17:00."""

from typing import Any

from pointsman_sla.clocks.points import elapsed
from pointsman_sla.clocks.policy import part_of, read_book
from pointsman_sla.holiday_names import holiday_name
from pointsman_sla.ledger import Interval, ledger
from pointsman_sla.micros import MICROS, instant, micros
from tests.unit.sla.builders import (
    OFFICE,
    Story,
    a_document,
    a_policy,
    answered,
    assigned,
    labelled,
    minute,
    minutes_of,
    opened,
    pended,
    queued,
    reopened,
    resolved,
    snoozed,
    woken,
)

A_DAY = 1440


def a_story(*policies: dict[str, Any], **office: Any) -> Story:
    document = a_document(*policies, calendars={"office": {**OFFICE, **office}})
    return Story(book=read_book(1, part_of(document)))


def lines_of(story: Story, metric: str, until: float, **options: Any) -> list[Interval]:
    assert story.course is not None
    return ledger(story.clock(metric), micros(minute(until)), story.course.calendars, lambda *_: None, **options)


def told(lines: list[Interval]) -> list[tuple[Any, ...]]:
    """(from, to, reason, business minutes so far, calendar minutes so far)."""
    return [
        (minutes_of(x.start), minutes_of(x.end), x.reason, x.business_sum / MICROS / 60, x.plain_sum / MICROS / 60)
        for x in lines
    ]


def test_time_in_the_offices_hours_counts_and_the_night_adds_calendar_seconds_only() -> None:
    story = a_story().tell(420, *opened(420))  # Monday 16:00
    assert told(lines_of(story, "resolution", A_DAY + 30)) == [
        (420, 480, "counted", 60, 60),
        (480, A_DAY, "outside hours", 60, 1020),
        (A_DAY, A_DAY + 30, "counted", 90, 1050),
    ]


def test_a_line_names_its_calendar_and_configuration_version() -> None:
    (line,) = lines_of(a_story().tell(0, *opened(0)), "resolution", 5)
    assert (line.calendar, line.version) == ("office", 1)


def test_a_clock_that_has_only_just_started_has_no_line() -> None:
    assert lines_of(a_story().tell(0, *opened(0)), "resolution", 0) == []


def test_a_holiday_is_named_by_its_date_from_midnight_to_midnight() -> None:
    story = a_story(holidays=["2026-11-24"]).tell(450, *opened(450))
    lines = lines_of(story, "resolution", 2 * A_DAY + 60)
    assert told(lines) == [
        (450, 480, "counted", 30, 30),
        (480, 900, "outside hours", 30, 450),
        (900, 900 + A_DAY, "holiday", 30, 450 + A_DAY),
        (900 + A_DAY, 2 * A_DAY, "outside hours", 30, 2 * A_DAY - 450),
        (2 * A_DAY, 2 * A_DAY + 60, "counted", 90, 2 * A_DAY - 390),
    ]
    assert [line.day for line in lines] == [None, None, "2026-11-24", None, None]


def test_a_yearly_holiday_has_the_years_date() -> None:
    story = a_story(holidays=["11-24"]).tell(450, *opened(450))
    assert [line.day for line in lines_of(story, "resolution", 2 * A_DAY) if line.reason == "holiday"] == ["2026-11-24"]


def test_a_special_day_says_so_where_it_is_shut_and_counts_where_it_opens() -> None:
    story = a_story(days={"2026-11-24": [["10:00", "11:00"]]}).tell(450, *opened(450))
    assert [line[2] for line in told(lines_of(story, "resolution", 2 * A_DAY + 1))] == [
        "counted", "outside hours", "special day", "counted", "special day", "outside hours", "counted",
    ]  # fmt: skip


def test_a_holiday_takes_the_shift_that_would_have_opened_on_it_until_the_next_morning() -> None:
    nights = {day: [["22:00", "06:00"]] for day in ("mon", "tue", "wed")}
    story = a_story(week=nights, holidays=["2026-11-24"]).tell(720, *opened(720))  # Monday 21:00
    assert told(lines_of(story, "resolution", 720 + 2 * A_DAY))[1:] == [
        (780, 1260, "counted", 480, 540),  # Monday's shift, until 06:00 of the holiday
        (1260, 2340 + 360, "holiday", 480, 1980),  # and Tuesday's, which would have lasted until Wednesday 06:00
        (2700, 3600, "outside hours", 480, 2880),
    ]


def test_a_pause_counts_nothing_and_says_on_whom_the_ticket_waits() -> None:
    story = a_story().tell(0, *opened(0)).tell(10, assigned()).tell(20, pended()).tell(30, pended("third_party"))
    story.tell(40, snoozed()).tell(50, woken(), queued())
    assert told(lines_of(story, "resolution", 60)) == [
        (0, 20, "counted", 20, 20),
        (20, 30, "pending on the customer", 20, 20),
        (30, 40, "pending on a third party", 20, 20),
        (40, 50, "snoozed", 20, 20),
        (50, 60, "counted", 30, 30),
    ]


def test_agents_work_stands_still_while_the_ticket_waits_for_one() -> None:
    story = a_story(a_policy(targets={"agent_work": {"default": 3600}})).tell(0, *opened(0)).tell(5, assigned())
    story.tell(15, queued()).tell(20, assigned())
    assert [line[2] for line in told(lines_of(story, "agent_work", 30))] == [
        "counted", "waiting for an agent", "counted",
    ]  # fmt: skip


def test_the_time_a_reopened_ticket_was_resolved_is_a_pause() -> None:
    story = a_story().tell(0, *opened(0)).tell(10, resolved()).tell(70, reopened(), queued())
    assert told(lines_of(story, "resolution", 80)) == [
        (0, 10, "counted", 10, 10),
        (10, 70, "resolved", 10, 10),
        (70, 80, "counted", 20, 20),
    ]


def test_an_ended_clocks_ledger_ends_with_it() -> None:
    story = a_story().tell(0, *opened(0)).tell(25, answered(25))
    assert told(lines_of(story, "first_response", 500)) == [(0, 25, "counted", 25, 25)]


def test_another_target_in_another_calendar_begins_a_line_that_names_it() -> None:
    targets = {"default": 28800, "urgent": {"seconds": 28800, "calendar": "always"}}
    story = a_story(a_policy(targets={"resolution": targets})).tell(470, *opened(470)).tell(475, labelled("urgent"))
    lines = lines_of(story, "resolution", 500)
    assert [(minutes_of(line.start), line.calendar, line.reason) for line in lines] == [
        (470, "office", "counted"), (475, "always", "counted"),
    ]  # fmt: skip
    assert lines[-1].business_sum == 30 * 60 * MICROS


def test_the_sums_are_the_clocks_to_the_microsecond() -> None:
    odd = 1 / 60_000_000 * 333_333  # minutes
    story = a_story(holidays=["11-24"]).tell(470 + odd, *opened(470 + odd)).tell(475 + 7 * odd, pended())
    story.tell(478 + 5 * odd, queued())
    until = micros(minute(3 * A_DAY + 11 * odd)) + 1
    assert story.course is not None
    lines = ledger(story.clock("resolution"), until, story.course.calendars, lambda *_: None)
    sums = elapsed(story.clock("resolution"), until, story.course.calendars)
    assert (lines[-1].business_sum, lines[-1].plain_sum) == sums
    assert sums[0] % MICROS != 0
    assert instant(lines[-1].end) == instant(until)


def test_of_very_many_intervals_the_earliest_are_summed_up_in_one() -> None:
    story = a_story().tell(0, *opened(0))
    whole = lines_of(story, "resolution", 30 * A_DAY)
    short = lines_of(story, "resolution", 30 * A_DAY, intervals_max=5)
    assert (len(short), short[1:]) == (5, whole[-4:])
    assert (short[0].start, short[0].end, short[0].reason) == (whole[0].start, whole[-4].start, "earlier")
    assert (short[0].business, short[0].plain) == (short[0].business_sum, short[0].plain_sum)
    assert short[0].plain_sum == whole[-5].plain_sum


def test_a_public_holiday_has_its_name_and_a_date_of_the_document_none() -> None:
    calendar = {"holidays": ["2026-12-28"], "holidays_of": {"country": "GB", "subdivision": "ENG",
                                                          "dates": ["2026-12-25", "2026-12-29"]}}  # fmt: skip
    assert holiday_name(calendar, "2026-12-25") == "Christmas Day"
    assert holiday_name(calendar, "2026-12-28") is None
    assert holiday_name(calendar, "2026-12-29") is None, "a date that nobody knows any more"
    assert holiday_name({"holidays_of": {"country": "XX", "dates": ["2026-12-25"]}}, "2026-12-25") is None


def test_a_holiday_of_an_ical_file_has_the_name_of_its_event() -> None:
    public = {"country": "IT", "dates": ["2026-12-25", "2026-12-26"]}
    calendar = {"holidays_of": public, "ical": {"dates": {"2026-12-24": "Betriebsruhe", "2026-12-25": ""}}}
    assert holiday_name(calendar, "2026-12-24") == "Betriebsruhe"
    assert holiday_name(calendar, "2026-12-25") == "Natale", "an event without a name gives none"
    assert holiday_name(calendar, "2026-12-27") is None
    story = a_story(ical={"text": "…", "dates": {"2026-11-24": "Betriebsruhe"}}).tell(0, *opened(0))
    assert [line.day for line in lines_of(story, "resolution", 2 * A_DAY) if line.reason == "holiday"] == ["2026-11-24"]
