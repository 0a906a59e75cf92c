"""How long the rows of every table are kept: each table declares it, and a test fails on one that does not.

A table either stands (its rows are bounded by something that is named), or its rows go: by a statement here, with the
rows of another table, by day, or by a loop that is named. What goes by a statement is removed in bounded parts, each a
transaction of its own, until nothing is left to go; one process of a service does it at a time.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from pointsman.runtime.settings import RuntimeSettings

ROWS_AT_ONCE = 2_000
"""A statement of a sweep removes so many rows of its table at most: with all that goes with a ticket it must end well
within a connection's time limit, else it would be tried again for ever."""


@dataclass(frozen=True, slots=True)
class Stands:
    """Rows stay. `bounded_by` says what keeps them from growing for ever."""

    table: str
    bounded_by: str


@dataclass(frozen=True, slots=True)
class Swept:
    """Rows go: `after` says in words when. `statement` removes at most `$1` of them, with the rows of other tables that
    go with them, and gives their number; `$2` is the setting `days`, where it has one."""

    table: str
    after: str
    statement: str
    days: str | None = None


@dataclass(frozen=True, slots=True)
class GoesWith:
    """Rows go with those of another table, in its statement."""

    table: str
    other: str


@dataclass(frozen=True, slots=True)
class ByDay:
    """Partitions of a day, which are dropped whole after the setting `days` (pointsman.runtime.maintenance)."""

    table: str
    days: str


@dataclass(frozen=True, slots=True)
class SweptBy:
    """Rows go in a loop of the service: of that module."""

    table: str
    after: str
    module: str


Retention = Stands | Swept | GoesWith | ByDay | SweptBy


def aged(table: str, key: str, where: str) -> str:
    """The statement that removes rows by a condition, whoever else holds some of them."""
    return f"""
    WITH gone AS (
        DELETE FROM {table} WHERE ({key}) IN (
            SELECT {key} FROM {table} WHERE {where} LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING 1)
    SELECT count(*) FROM gone
    """


RUNTIME: tuple[Retention, ...] = (
    Stands("installation", "one row"),
    Stands("after_part", "one row a revision"),
    Stands("lane", "one row a partition"),
    Stands("slot", "a constant number of slots"),
    Stands("lane_lease", "one row a partition"),
    Stands("slot_lease", "a constant number of slots"),
    Stands("position", "one row a lane and topic for each broker that ever was"),
    Stands("seen", "one row a lane, topic and source: a source is a lane or a slot of one incarnation of a database"),
    Stands("counter", "one row a source and partition"),
    Stands("sent", "one row a source and partition for each broker that ever was"),
    Stands("revocations_heard", "one row"),
    ByDay("fact", "facts_days"),
    Swept(
        "worker",
        "10 minutes after its lease ended",
        aged("worker", "owner", "lease_until < clock_timestamp() - interval '10 minutes'"),
    ),
    Swept(
        "process",
        "30 days after its last start",
        aged("process", "name", "started_at < clock_timestamp() - interval '30 days'"),
    ),
    Swept(
        "outcome",
        "a day: as long as an Idempotency-Key is kept",
        aged("outcome", "id", "at < clock_timestamp() - interval '24 hours'"),
    ),
    Swept(
        "asked",
        "a day: as long as an Idempotency-Key is kept, and an hour",
        aged("asked", "id", "at < clock_timestamp() - interval '25 hours'"),
    ),
    Swept(
        "skipped",
        "90 days: an upgrade reads it again",
        aged("skipped", "topic, lane, cluster, record_offset", "at < clock_timestamp() - interval '90 days'"),
    ),
    Swept(
        "revoked_token",
        "a day after the token's own end",
        aged("revoked_token", "token_id", "expires_at < clock_timestamp() - interval '1 day'"),
    ),
    Swept(
        "dead_letter",
        "so many days after it was replayed or discarded; an open one waits for a person, for two years",
        aged(
            "dead_letter",
            "id",
            """state IN ('replayed', 'discarded') AND closed_at < clock_timestamp() - make_interval(days => $2)
            OR at < clock_timestamp() - interval '730 days'""",
        ),
        "dead_letters_days",
    ),
)
"""Of the tables that every service has."""

SECRETS = Stands("secret", "one row a name that an admin keeps, until it is deleted")
"""Of a service that keeps secrets."""


@cache
def retention_of(service: str) -> tuple[Retention, ...]:
    """What all tables of a service declare: the runtime's, and the service's own (its module `retention`).

    Kept: to find the module, the metadata of every installed distribution are read.
    """
    for entry in entry_points(group="pointsman.apps", name=service):
        own: tuple[Retention, ...] = importlib.import_module(f"{entry.module.partition('.')[0]}.retention").RETENTION
        return (*RUNTIME, *own)
    return RUNTIME


async def sweep(
    db: Any, retention: Sequence[Retention], settings: RuntimeSettings, rows_at_once: int
) -> dict[str, int]:
    """Removes what is to go, table after table, until nothing of it is left; how many rows of each table."""
    removed: dict[str, int] = {}
    for each in retention:
        if not isinstance(each, Swept):
            continue
        given = () if each.days is None else (getattr(settings, each.days),)
        while count := await db.fetchval(each.statement, rows_at_once, *given):
            removed[each.table] = removed.get(each.table, 0) + count
            if count < rows_at_once:
                break
    return removed
