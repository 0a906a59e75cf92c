"""The API's side of predictions: reads what a page of clocks needs, and keeps the calendars of the versions at hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from pointsman.runtime.process import ApiProcess
from pointsman_sla.api.shapes import due_shown
from pointsman_sla.calendar import Calendar
from pointsman_sla.clocks.policy import Book
from pointsman_sla.micros import micros
from pointsman_sla.predict.model import standing_of
from pointsman_sla.predict.predicting import predicted
from pointsman_sla.store.forecast_inputs import read_floor
from pointsman_sla.store.loading import read_books

BOOKS_KEPT_MAX = 100
"""Versions in which clocks were asked for lately; a version never changes."""


class Predictions:
    """Predicts what is due. One for an API process."""

    def __init__(self, process: ApiProcess) -> None:
        self._process = process
        self._books: dict[tuple[str, int], Book] = {}

    async def of(self, workspace: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The rows of `asking.DUE` as they are shown, with their probabilities."""
        if not rows:
            return []
        pool, clock = self._process.pool, self._process.clock
        books = await self._read({(workspace, row["config_version"]) for row in rows})
        now = clock.now()
        waiting = {
            row["ticket_id"]: (row["ticket_id"], row["ticket_queue"], row["waiting_rank"])
            for row in rows
            if standing_of(row["phase"]) == "waiting" and row["waiting_rank"] is not None
        }
        queues = list({row["ticket_queue"] or "" for row in rows})
        metrics = {row["metric"] for row in rows}
        floor = await read_floor(pool, workspace, waiting.values(), queues, metrics, now)

        def calendar(name: str, version: int) -> Calendar:
            return books.get((workspace, version), Book(version)).calendar(name)

        found = predicted(rows, micros(now), calendar, floor.places, floor.at_work, floor.weights)
        return [due_shown(row, prediction) for row, prediction in zip(rows, found, strict=True)]

    async def _read(self, versions: set[tuple[str, int]]) -> dict[tuple[str, int], Book]:
        missing = [version for version in versions if version not in self._books]
        if missing:
            self._books.update(await read_books(self._process.pool, missing))
        for version in list(self._books)[: max(0, len(self._books) - BOOKS_KEPT_MAX)]:
            if version not in versions:
                del self._books[version]
        return {version: self._books[version] for version in versions if version in self._books}
