"""Rows of any table for tests that care about a few columns only."""

from datetime import UTC, datetime
from typing import Any

BY_TYPE: dict[str, Any] = {
    "text": "x",
    "int4": 1,
    "int8": 1,
    "float8": 1.0,
    "bool": False,
    "timestamptz": datetime(2020, 1, 1, tzinfo=UTC),
    "json": "{}",
    "jsonb": "{}",
    "bytea": b"x",
    "_text": [],
    "_float8": [],
}
COLUMNS = """
SELECT a.attname AS name, t.typname AS type FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef
    AND a.attidentity = ''
"""


async def a_row(db: Any, table: str, **given: Any) -> None:
    """Inserts a row: what is given, and something in every other column that must have a value."""
    values = {row["name"]: BY_TYPE[row["type"]] for row in await db.fetch(COLUMNS, table)} | given
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    await db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values())


async def count(db: Any, table: str, where: str = "true") -> int:
    found: int = await db.fetchval(f"SELECT count(*) FROM {table} WHERE {where}")
    return found
