"""The shape of a schema, and what a process that was written for an older shape would feel of a newer one."""

from dataclasses import dataclass
from typing import Any

_RELATIONS = """
    SELECT c.relname, c.relkind::text FROM pg_class c
    WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
"""
_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
           a.attgenerated::text || a.attidentity::text AS made, pg_get_expr(d.adbin, d.adrelid) AS default
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        AND a.attnum > 0 AND NOT a.attisdropped
"""
_DEMANDS = """
    SELECT c.relname, pg_get_constraintdef(k.oid) AS says FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.connamespace = $1::regnamespace AND k.contype <> 'n'
    UNION ALL
    SELECT c.relname, regexp_replace(pg_get_indexdef(i.indexrelid), 'INDEX \\S+ ON', 'INDEX ON')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = $1::regnamespace AND i.indisunique
    UNION ALL
    SELECT c.relname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = $1::regnamespace AND NOT t.tgisinternal
"""
"""What is asked of rows; an index that makes them unique is also what ON CONFLICT names."""


@dataclass(frozen=True)
class Shape:
    """Relations with their kinds; columns with type, whether null is refused, how made, default; demands on rows."""

    relations: dict[str, str]
    columns: dict[tuple[str, str], tuple[str, bool, str, str | None]]
    demands: frozenset[tuple[str, str]]


async def shape_of(db: Any, schema: str) -> Shape:
    columns = {(row[0], row[1]): tuple(row)[2:] for row in await db.fetch(_COLUMNS, schema)}
    return Shape(
        {row[0]: row[1] for row in await db.fetch(_RELATIONS, schema)},
        columns,
        frozenset((row[0], row[1]) for row in await db.fetch(_DEMANDS, schema)),
    )


def felt(older: Shape, newer: Shape) -> list[str]:
    """What a process that was written for the older shape would feel, a line each: nothing where it only adds."""
    lines = [
        f"{name} is gone or another" for name, kind in older.relations.items() if newer.relations.get(name) != kind
    ]
    for (table, column), (type_, not_null, made, default) in older.columns.items():
        now = newer.columns.get((table, column))
        if now is None:
            lines.append(f"{table}.{column} is gone")
        elif (now[0], now[2], now[3]) != (type_, made, default):
            lines.append(f"{table}.{column} is made or typed otherwise")
        elif now[1] != not_null:
            lines.append(f"{table}.{column} is null otherwise")
    for (table, column), (_, not_null, made, default) in newer.columns.items():
        is_new = table in older.relations and (table, column) not in older.columns
        if is_new and not_null and default is None and not made:
            lines.append(f"{table}.{column} must be given")
    changed = {each for each in older.demands ^ newer.demands if each[0] in older.relations}
    return sorted(lines) + [f"{table}: {says}" for table, says in sorted(changed)]
