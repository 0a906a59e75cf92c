"""The names of a workspace: what filters of lists may have, and whom a token may be for."""

from collections.abc import Collection
from typing import Any

from pointsman.contracts.document.workspace import FIRST_QUEUE

KEYS = """
    SELECT ARRAY(SELECT json_object_keys(CASE json_typeof(document -> $2) WHEN 'object' THEN document -> $2 END))
    FROM config_version WHERE workspace = $1 ORDER BY version DESC LIMIT 1
"""
AGENTS = "SELECT array_agg(agent) FROM agent WHERE workspace = $1"


async def names_of(pool: Any, workspace: str, filter: str) -> Collection[str] | None:
    """The names for the filter `queue` or `agent`; None when the workspace has no document."""
    queues = await named_in_document(pool, workspace, "queues")
    if queues is None:
        return None
    if filter == "queue":
        return queues or [FIRST_QUEUE]
    return await pool.fetchval(AGENTS, workspace) or []


async def named_in_document(pool: Any, workspace: str, section: str) -> list[str] | None:
    """What the newest document names in a section (`agents`, `connectors`); None when the workspace has none."""
    names: list[str] | None = await pool.fetchval(KEYS, workspace, section)
    return names
