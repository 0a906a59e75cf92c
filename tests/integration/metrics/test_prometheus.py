"""The figures of now as Prometheus reads them: right, and without names that nobody allowed."""

from typing import Any

import pytest
from prometheus_client import REGISTRY, generate_latest

from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_metrics.prometheus import FIGURES, ExposedFigures, Place, read_figures
from pointsman_metrics.settings import MetricsSettings
from tests.integration.metrics.a_day import a_day
from tests.integration.services import a_worker
from tests.unit.metrics.desk_facts import START

pytestmark = pytest.mark.stack

ALL = Place("", "")


async def test_figures_are_summed_unless_their_workspace_may_be_named(pool: Any) -> None:
    await a_day(pool)
    async with pool.acquire() as db:
        summed = await read_figures(db, ["acme", "other"], [], START)
        named = await read_figures(db, ["acme", "other"], ["acme"], START)
        everybody = await read_figures(db, ["acme", "other"], ["*"], START)
        nobody = await read_figures(db, ["other"], ["*"], START)
    assert {figure: places for figure, places in summed.items() if figure != "oldest"} == {
        "waiting": {ALL: 1},
        "offered": {ALL: 0},
        "in_hand": {ALL: 1},
        "available": {ALL: 1},
        "due_soon": {ALL: 0},
        "breached": {ALL: 1},
    }
    assert named["waiting"] == {ALL: 0, Place("acme", "billing"): 1}
    assert named["available"] == {ALL: 0, Place("acme", ""): 1}
    assert everybody == named
    assert all(places == {ALL: 0} for places in nobody.values())


async def test_a_worker_tells_of_the_workspaces_of_its_lanes(installation: Installation, pool: Any) -> None:
    await a_day(pool)
    settings = MetricsSettings(**installation.settings.model_dump(), figures_workspaces="acme, globex")
    async with a_worker(settings, "metrics") as worker:
        held: set[int] = set()
        async with ExposedFigures(settings, worker, lambda: held) as exposed:
            await exposed.look()
            assert _scraped("pointsman_tickets_waiting") == {'{queue="",workspace=""} 0.0'}
            held.update(range(settings.partitions))
            await exposed.look()
            assert '{queue="billing",workspace="acme"} 1.0' in _scraped("pointsman_tickets_waiting")
            assert all(_scraped(name) for name, _ in FIGURES.values())
    await until(lambda: not _scraped("pointsman_tickets_waiting"))


def _scraped(name: str) -> set[str]:
    lines = generate_latest(REGISTRY).decode().splitlines()
    return {line.removeprefix(name) for line in lines if line.startswith(f"{name}{{")}
