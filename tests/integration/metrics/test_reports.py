"""Reports over HTTP: each figure by its definition (domain/kpis.md), with the definition and the method."""

import csv
import io
from typing import Any

import httpx
import pytest

from pointsman.contracts.shapes import Actor
from pointsman.contracts.workspace import ConfigApplied
from pointsman_metrics.reports.kpis import DEFINITIONS, GRAINS, TICKET_SLICES
from tests.integration.metrics.folding import fold, many_lives, of_ticket
from tests.unit.metrics.desk_facts import (
    START,
    accepted,
    assigned,
    at,
    classified,
    offered,
    opened,
    queued,
    record,
    replied,
    resolved,
    wrapped_up,
)
from tests.unit.metrics.test_clocks import BREACHED, met, started

pytestmark = pytest.mark.stack

WHOLE = {"from": at(0).isoformat(), "to": at(3_600).isoformat()}


def config() -> ConfigApplied:
    document = {
        "workspace": "acme",
        "timezone": "Europe/Rome",
        "queues": {"billing": {}, "general": {}},
        "agents": {"anna": {"team": "rome"}},
    }
    return ConfigApplied(config_version=1, document=document, author=Actor(kind="operator", id="op"), applied_at=START)


def a_life(ticket_id: str, reply_at: int, resolve_at: int | None, opened_at: int = 0) -> list[Any]:
    """Opened, held from ten seconds after, answered, perhaps resolved with ten seconds of wrap-up."""
    facts: list[tuple[int, Any]] = [
        (opened_at, classified()),
        (opened_at, queued()),
        (opened_at + 8, offered()),
        (opened_at + 10, accepted()),
        (opened_at + 10, assigned()),
        (reply_at, replied(reply_at, message_id=f"msg_{ticket_id}")),
    ]
    if resolve_at is not None:
        facts += [(resolve_at, resolved(wrap_up_until=resolve_at + 10)), (resolve_at + 10, wrapped_up())]
    first = record(opened_at, opened(ticket_id, opened_at=at(opened_at)))
    return [first, *(record(second, of_ticket(fact, ticket_id)) for second, fact in facts)]


@pytest.fixture
async def reported(pool: Any) -> None:
    """Three tickets: answered after 20, 40 and 90 s; resolved at 60 and 100 s, the third open; a clock met, one not."""
    records = [
        record(0, config()),
        *a_life("tkt_1", 20, 60),
        *a_life("tkt_2", 40, 100),
        *a_life("tkt_3", 1_890, None, opened_at=1_800),
        record(0, started(), topic="sla"),
        record(20, met(20), topic="sla"),
        record(0, started().model_copy(update={"clock_id": "clk_2", "ticket_id": "tkt_3"}), topic="sla"),
        record(60, BREACHED.model_copy(update={"clock_id": "clk_2", "ticket_id": "tkt_3"}), topic="sla"),
    ]
    await fold(pool, records)


async def ask(viewer: httpx.AsyncClient, kpi: str, **params: str) -> dict[str, Any]:
    answer = await viewer.get(f"/v1/reports/{kpi}", params={**WHOLE, **params})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["kpi"] == kpi
    assert found["definition"] == DEFINITIONS[kpi][0]
    assert found["method"].startswith("exact")
    return found


@pytest.mark.usefixtures("reported")
async def test_first_response_in_calendar_and_business_seconds(viewer: httpx.AsyncClient) -> None:
    (row,) = (await ask(viewer, "first_response"))["rows"]
    assert (row["n"], row["value"], row["p50"], row["p90"]) == (3, 50, 40, 80)
    assert row["p50_business"] == 20, "of the one clock that was met"


@pytest.mark.usefixtures("reported")
async def test_resolution_first_and_full(viewer: httpx.AsyncClient) -> None:
    (row,) = (await ask(viewer, "resolution", slice="queue,team"))["rows"]
    assert row["slice"] == {"queue": "billing", "team": "rome"}
    assert (row["n"], row["value"], row["first_value"]) == (2, 80, 80)


@pytest.mark.usefixtures("reported")
async def test_handle_time_is_assigned_time_plus_wrap_up(viewer: httpx.AsyncClient) -> None:
    (row,) = (await ask(viewer, "handle", slice="agent"))["rows"]
    assert row["slice"] == {"agent": "anna"}
    assert (row["n"], row["value"]) == (2, (60 + 100) / 2)


@pytest.mark.usefixtures("reported")
async def test_the_backlog_at_any_instant(viewer: httpx.AsyncClient) -> None:
    counts = {}
    for second in (30, 80, 101, 1_799, 1_860):
        (row,) = (await ask(viewer, "backlog", to=at(second).isoformat()))["rows"]
        counts[second] = (row["value"], row["p50"])
    assert counts == {30: (2, 30), 80: (1, 80), 101: (0, None), 1_799: (0, None), 1_860: (1, 60)}


@pytest.mark.usefixtures("reported")
async def test_attainment_is_met_over_met_and_breached(viewer: httpx.AsyncClient) -> None:
    (row,) = (await ask(viewer, "attainment"))["rows"]
    assert row["slice"] == {"metric": "first_response"}
    assert (row["n"], row["value"], row["met"], row["breached"]) == (2, 0.5, 1, 1)


@pytest.mark.usefixtures("reported")
async def test_grains_are_of_the_workspaces_zone(viewer: httpx.AsyncClient) -> None:
    interval = {"from": "2026-03-01T12:00:00Z", "to": "2026-03-03T12:00:00Z"}
    (row,) = (await ask(viewer, "first_response", by="day", **interval))["rows"]
    assert (row["from"], row["to"]) == ("2026-03-01T23:00:00Z", "2026-03-02T23:00:00Z")


@pytest.mark.usefixtures("reported")
async def test_every_kpi_by_every_grain_and_slice(viewer: httpx.AsyncClient) -> None:
    for kpi in DEFINITIONS:
        for grain in GRAINS:
            await ask(viewer, kpi, by=grain, slice=",".join(TICKET_SLICES))


@pytest.mark.usefixtures("reported")
async def test_a_report_as_csv(viewer: httpx.AsyncClient) -> None:
    answer = await viewer.get(
        "/v1/reports/first_response", params={**WHOLE, "slice": "queue"}, headers={"Accept": "text/csv"}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["queue"], row["n"], row["from"]) == ("billing", "3", "2026-03-02T09:00:00Z")


async def test_a_report_that_is_not_built_names_those_that_are(viewer: httpx.AsyncClient) -> None:
    answer = await viewer.get("/v1/reports/csat")
    assert (answer.status_code, answer.json()["built"]) == (404, sorted(DEFINITIONS))


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"slice": "queue,colour"}, "?slice"),
        ({"by": "fortnight"}, "?by"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "?from"),
        ({"from": "0001-01-01T00:00:00Z"}, "?from"),
        ({"to": "9999-12-31T23:59:59Z"}, "?to"),
        ({"from": "yesterday"}, "?from"),
        ({"form": "2026-01-01T00:00:00Z"}, "?form"),
    ],
)
async def test_a_wrong_question_is_answered_with_its_place(
    viewer: httpx.AsyncClient, params: dict[str, str], pointer: str
) -> None:
    answer = await viewer.get("/v1/reports/handle", params=params)
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_a_backlog_of_too_many_instants_is_refused(viewer: httpx.AsyncClient) -> None:
    interval = {"from": "2020-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    answer = await viewer.get("/v1/reports/backlog", params={**interval, "by": "minute"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/too-much")


async def test_another_workspaces_tickets_are_in_no_figure(pool: Any, viewer: httpx.AsyncClient) -> None:
    await fold(pool, many_lives(20, seed=1, workspace="globex"))
    for kpi in DEFINITIONS:
        assert sum(row["n"] for row in (await ask(viewer, kpi))["rows"]) == 0
    answer = await viewer.get("/v1/exports/tickets", headers={"Accept": "application/x-ndjson"})
    assert answer.text == ""


@pytest.mark.usefixtures("reported")
async def test_the_export_has_one_row_per_ticket(viewer: httpx.AsyncClient) -> None:
    answer = await viewer.get("/v1/exports/tickets")
    rows = {row["ticket_id"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    assert list(rows) == ["tkt_1", "tkt_2", "tkt_3"]
    assert (rows["tkt_1"]["handle_seconds"], rows["tkt_1"]["skills"]) == ("60.0", "billing")
    assert (rows["tkt_1"]["clocks_met"], rows["tkt_3"]["clocks_breached"]) == ("1", "1")
    lines = (await viewer.get("/v1/exports/tickets", headers={"Accept": "application/x-ndjson"})).text.splitlines()
    assert len(lines) == 3


async def test_an_export_in_a_format_that_is_not_written_is_406(viewer: httpx.AsyncClient) -> None:
    answer = await viewer.get("/v1/exports/tickets", headers={"Accept": "application/vnd.apache.parquet"})
    assert answer.status_code == 406
