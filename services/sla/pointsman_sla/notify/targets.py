"""Whom to tell, as the newest configuration version of a workspace says. An older version's target is never told."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.core.instant import Instant
from pointsman.runtime import telemetry
from pointsman.runtime.logic import Database
from pointsman_sla.calendar import Calendar, OutOfReach, compile_calendar
from pointsman_sla.clocks.policy import read_book
from pointsman_sla.micros import instant, micros

NEWEST = """
    SELECT workspace, max(version) AS version FROM config_version WHERE workspace = ANY($1::text[]) GROUP BY workspace
"""
PARTS = """
    SELECT v.workspace, v.version, v.body FROM unnest($1::text[], $2::int[]) AS wanted (workspace, version)
    JOIN config_version v USING (workspace, version)
"""
CACHED_MAX = 1_000
PER_HOUR_MAX = 60


@dataclass(frozen=True, slots=True)
class NotifyTarget:
    """A notify target. `hours` is the calendar in which it is told; None: always."""

    name: str
    url_from: str | None
    zone: str
    hours: Calendar | None
    per_hour_max: int
    templates: Mapping[str, str]

    def next_hours(self, at: Instant) -> Instant:
        """`at` itself when the target is told then, else when its calendar opens next; a day later should it never."""
        if self.hours is None:
            return at
        try:
            return instant(self.hours.opening(micros(at)))
        except OutOfReach:
            return instant(micros(at) + 86_400_000_000)


class Targets:
    """The targets of workspaces, read anew when a version came."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Mapping[str, NotifyTarget]]] = {}

    async def read(self, db: Database, workspaces: Collection[str]) -> set[str]:
        """Makes sure that those of these workspaces are the newest; the workspaces whose targets are known then.

        What cannot be read is a fault of ours: nothing of that workspace is told until it can be.
        """
        newest = {row["workspace"]: row["version"] for row in await db.fetch(NEWEST, list(workspaces))}
        stale = {
            workspace: version
            for workspace, version in newest.items()
            if self._known.get(workspace, (None,))[0] != version
        }
        if stale:
            if len(self._known) + len(stale) > CACHED_MAX:
                self._known.clear()
            for row in await db.fetch(PARTS, list(stale), list(stale.values())):
                try:
                    self._known[row["workspace"]] = row["version"], targets_of(row["version"], row["body"])
                except (ValueError, KeyError) as error:
                    self._known.pop(row["workspace"], None)
                    named = {"workspace": row["workspace"], "version": row["version"]}
                    telemetry.alarm("sla", "notify-targets-unreadable", **named, reason=repr(error))
        return {workspace for workspace in newest if workspace in self._known}

    def get(self, workspace: str, name: str) -> NotifyTarget | None:
        """The target, of a workspace that was read; None when the newest version has none of that name."""
        known = self._known.get(workspace)
        return None if known is None else known[1].get(name)


def targets_of(version: int, part: Mapping[str, Any]) -> dict[str, NotifyTarget]:
    """The targets of a version, from what `clocks.policy.part_of` kept of it. Absent keys have the document's defaults
    (`contracts.document.promises.NotifyTarget`)."""
    calendars = read_book(version, part).definitions
    given: Mapping[str, Mapping[str, Any]] = part["sla"].get("notify") or {}
    return {name: _target(name, raw, part["timezone"], calendars) for name, raw in given.items()}


def _target(name: str, given: Mapping[str, Any], zone: str, calendars: Mapping[str, Mapping[str, Any]]) -> NotifyTarget:
    hours = given.get("hours")
    return NotifyTarget(
        name=name,
        url_from=given.get("url_from"),
        zone=given.get("timezone") or zone,
        hours=None if hours is None else compile_calendar(calendars[hours]),
        per_hour_max=given.get("per_hour_max") or PER_HOUR_MAX,
        templates={name: text for name, text in (given.get("template") or {}).items() if text is not None},
    )
