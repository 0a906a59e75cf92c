"""What if: a recorded day once more, under its own document and under others."""

import copy
from datetime import timedelta
from typing import Any

import orjson
import pytest

from pointsman.contracts.document import Document, read_document
from pointsman.core.instant import rfc3339
from pointsman_routing.replay.comparing import compare
from pointsman_routing.replay.history import History, history_of
from tests.unit.routing.replay.day import DOCUMENT, recorded_day


@pytest.fixture(scope="module")
def day() -> History:
    return history_of(recorded_day())


def under(history: History, document: Document, **fields: Any) -> dict[str, Any]:
    result = compare(history, document, **{"replications": 3, "seed": 7, "processes": 1, **fields})
    assert result["checks"] == {"work_conservation": True, "capacity": True}, result["counter_examples"]
    return result


def a_document(**agents: Any) -> Document:
    """The day's document with other agents (None: without them)."""
    written = copy.deepcopy(DOCUMENT)
    for slug, keys in agents.items():
        if keys is None:
            del written["agents"][slug]
        else:
            written["agents"][slug] = {**written["agents"].get(slug, {}), **keys}
    return read_document(written)


def test_the_same_document_gives_the_recorded_assignments_again(day: History) -> None:
    result = under(day, day.document)
    assert result["reproduced"]["agent"] > 0.97
    assert result["reproduced"]["fate"] > 0.97
    assert result["reproduced"]["wait"] > 0.97
    assert result["recorded"]["mean_wait"] == pytest.approx(result["same"]["mean_wait"], rel=0.05)
    assert result["recorded"]["abandoned"] > 0
    assert result["recorded"]["breached"] > 0


def test_the_same_document_changes_nothing(day: History) -> None:
    result = under(day, day.document)
    assert result["changed_count"] == 0
    assert all(result["difference"][name] == 0 for name in ("mean_wait", "breached", "abandoned"))


def test_what_was_told_first_need_not_have_been_first(day: History) -> None:
    lines = recorded_day()
    told = {"type": "token.issued", "time": rfc3339(day.start + timedelta(seconds=60)), "data": {}}
    history = history_of([lines[0], orjson.dumps(told), *lines[1:]])
    assert (history.start, history.tickets) == (day.start, day.tickets)
    assert under(history, history.document)["changed_count"] == 0


def test_a_result_is_the_same_for_a_seed_in_any_number_of_processes(day: History) -> None:
    document = a_document(erna={"capacity": 2, "skills": {"billing": 5}})
    first, again = under(day, document), under(day, document, processes=2)
    assert {**first, "seconds": 0} == {**again, "seconds": 0}
    assert under(day, document, seed=8)["other"]["mean_wait"] != first["other"]["mean_wait"]


def test_more_agents_make_shorter_waits_and_fewer_breaches(day: History) -> None:
    skills = {"billing": 5, "technical": 5}
    result = under(day, a_document(erna={"capacity": 4, "skills": skills}, frida={"capacity": 4, "skills": skills}))
    assert result["difference"]["mean_wait_ci95"][1] < 0
    assert result["other"]["p_breach"] <= result["same"]["p_breach"]
    assert result["other"]["abandoned"] <= result["same"]["abandoned"]
    assert result["other"]["agents"]["erna"]["tickets"] > 0
    changed = result["changed"][0]
    assert changed["same"]["agent"] != changed["other"]["agent"] or changed["same"]["fate"] != changed["other"]["fate"]


def test_fewer_agents_make_longer_waits(day: History) -> None:
    result = under(day, a_document(carla=None))
    assert result["difference"]["mean_wait_ci95"][0] > 0
    assert "carla" not in result["other"]["agents"]
    assert result["drawn"]["other"] > result["drawn"]["same"]


def test_other_needs_of_a_category_hold_for_the_recorded_tickets(day: History) -> None:
    written = copy.deepcopy(DOCUMENT)
    written["classify"]["categories"]["other"] = {"requires": {"technical": 3}}
    result = under(day, read_document(written))
    assert result["other"]["agents"]["dora"]["tickets"] == 0
    assert result["same"]["agents"]["dora"]["tickets"] > 0


def test_the_yardstick_of_both_is_the_documents_own_promise(day: History) -> None:
    written = copy.deepcopy(DOCUMENT)
    written["sla"]["policies"][0]["targets"]["first_response"]["default"] = 1
    result = under(day, read_document(written))
    assert result["other"]["breached"] > result["same"]["breached"]
    assert result["other"]["mean_wait"] == pytest.approx(result["same"]["mean_wait"], rel=0.3)
