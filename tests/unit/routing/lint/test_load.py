"""Offered load against capacity, and how rates are read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.contracts.document import read_document
from pointsman_routing.lint import Finding
from pointsman_routing.lint.rates import Rate, RatesError, read_rates
from tests.unit.routing.lint.documents import GOOD, found

HEADER = "category,language,per_hour,handle_seconds"
DOCUMENT = read_document(GOOD)


def an_hour(units: float, category: str = "refund", language: str = "it") -> Rate:
    """So many tickets in hand at once, of weight 1."""
    return Rate(category, language, "email", units, 3600.0)


def overloads(*rates: Rate, change: dict[str, Any] | None = None) -> list[Finding]:
    return [finding for finding in found(change, list(rates)) if finding.rule == "overload"]


def test_work_that_fits_is_nothing_to_speak_of() -> None:
    assert overloads(an_hour(8)) == []


def test_work_above_the_capacity_of_those_who_may_do_it_is_named_with_them() -> None:
    (finding,) = overloads(an_hour(8.5))
    assert finding.plain()["pointer"] == "/classify/categories/refund"
    assert finding.severity == "error"
    assert "refund (it): 8.5 units of work" in finding.message
    assert "anna, boris have room for 8" in finding.message
    assert "0.5 units" in finding.mend


def test_a_weight_counts_as_often_as_it_says() -> None:
    chat = Rate("refund", "it", "chat", 5.0, 3600.0)
    assert len(overloads(chat)) == 1
    assert overloads(chat, change={"channels": {"chat": {"weight": 1}}}) == []


def test_people_who_are_free_elsewhere_do_not_help() -> None:
    """In sum there is room for all; but two of the kinds have only anna and boris."""
    carla = {"agents": {"carla": {"capacity": 20, "skills": {"lang-en": 9}, "queues": ["general"]}}}
    (finding,) = overloads(
        an_hour(5), an_hour(4, language="en"), an_hour(6, "other", "en"), an_hour(2, "other", "it"), change=carla
    )
    assert "refund (it), refund (en), other (it): 11.0 units" in finding.message
    assert "anna, boris have room for 8" in finding.message


def test_two_bottlenecks_are_two_findings() -> None:
    apart = {
        "agents": {
            "anna": {"skills": {"lang-en": None}, "queues": ["billing"]},
            "boris": {"skills": {"lang-it": None}, "queues": ["general"]},
        }
    }
    findings = overloads(an_hour(5), an_hour(7, "other", "en"), change=apart)
    assert sorted(finding.plain()["pointer"] for finding in findings) == [
        "/classify/categories/refund",
        "/classify/otherwise",
    ]


def test_work_that_nobody_may_take_is_told_without_names() -> None:
    (finding,) = overloads(an_hour(1), change={"classify": {"categories": {"refund": {"requires": {"billing": 9}}}}})
    assert "nobody may take it" in finding.message


@given(
    loads=st.lists(st.floats(0, 12), min_size=4, max_size=4),
    capacities=st.lists(st.integers(0, 10), min_size=2, max_size=2),
)
def test_it_agrees_with_halls_condition_counted_out(loads: list[float], capacities: list[int]) -> None:
    """Work fits exactly when no set of kinds is more than the room of all who may take one of them."""
    change: dict[str, Any] = {
        "agents": {
            "anna": {"capacity": capacities[0], "skills": {"lang-en": None}},
            "boris": {"capacity": capacities[1], "skills": {"billing": None}},
        }
    }
    kinds = [("refund", "it", {0}), ("refund", "en", set()), ("other", "it", {0, 1}), ("other", "en", {1})]
    rates = [an_hour(load, category, language) for load, (category, language, _) in zip(loads, kinds, strict=True)]
    too_much = 0.0
    for chosen in range(1, 16):
        some = [number for number in range(4) if chosen >> number & 1]
        able: set[int] = set().union(*(kinds[number][2] for number in some))
        excess = sum(loads[number] for number in some) - sum(capacities[agent] for agent in able)
        too_much = max(too_much, excess)
    if not 0 < too_much < 1e-3:
        assert bool(overloads(*rates, change=change)) == (too_much > 0)


def rates_of(*lines: str) -> list[Rate]:
    return read_rates(lines, DOCUMENT)


def test_rates_are_written_as_csv() -> None:
    assert rates_of(HEADER, "refund,it,12.5,600", "other,,3,60") == [
        Rate("refund", "it", "email", 12.5, 600.0),
        Rate("other", "", "email", 3.0, 60.0),
    ]
    assert rates_of(f"{HEADER},channel", "refund,it,1,60,chat")[0].channel == "chat"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["category,per_hour", "refund,1"], "line 1: the columns are"),
        ([], "line 1: the columns are"),
        ([HEADER, "refunds,it,1,60"], "line 2: the document has no category 'refunds'"),
        ([HEADER, "refund,tlh,1,60"], "line 2: the document has no language 'tlh'"),
        ([HEADER, "refund,it,1,60", "refund,it,many,60"], "line 3: per_hour is no number"),
        ([HEADER, "refund,it,-1,60"], "line 2: per_hour is no number from 0 on"),
        ([HEADER, "refund,it,nan,60"], "line 2: per_hour is no number"),
        ([HEADER, "refund,it"], "line 2: per_hour is no number"),
        ([f"{HEADER},channel", "refund,it,1,60,fax"], "line 2: 'fax' is no channel"),
        (["category,language,opened_at,handle_seconds", "refund,it,noon,60"], "line 2: opened_at is no instant"),
    ],
)
def test_what_is_wrong_with_rates_is_told_with_its_line(lines: list[str], says: str) -> None:
    with pytest.raises(RatesError) as refused:
        rates_of(*lines)
    assert says in str(refused.value)


def test_an_export_of_tickets_gives_the_rates_of_its_busiest_hour() -> None:
    lines = ["ticket_id,channel,opened_at,category,language,handle_seconds"]
    for week in (2, 9):  # Mondays of January 2026, 10 o'clock in Rome
        lines += [f"t,chat,2026-01-{week + 3:02}T09:{minute:02}:00Z,refund,it,300" for minute in range(10)]
        lines += [
            f"t,chat,2026-01-{week + 3:02}T09:59:00Z,gone-category,it,",
            "t,email,2026-01-06T15:00:00Z,refund,en,50",
        ]
    assert rates_of(*lines) == [Rate("other", "it", "chat", 1.0, 0.0), Rate("refund", "it", "chat", 10.0, 300.0)]


def test_an_empty_export_has_no_rates() -> None:
    assert rates_of("category,language,opened_at,handle_seconds") == []
