"""What metrics keeps of a version of the workspace document: the names that figures are grouped by, and the zone."""

from dataclasses import dataclass
from typing import Any

from pointsman.contracts.workspace import ConfigApplied
from pointsman.core.instant import Instant


@dataclass(frozen=True, slots=True)
class WorkspaceVersion:
    """One version's part: the zone that days and weeks are of, the queues, each agent's team (None for none), and how
    long closed tickets are kept."""

    workspace: str
    version: int
    timezone: str
    queues: tuple[str, ...]
    teams: dict[str, str | None]
    applied_at: Instant
    closed_tickets_days: int = 730


def keep_version(workspace: str, fact: ConfigApplied) -> WorkspaceVersion:
    """The part of an applied document; what is absent in it has WORKSPACE.md's defaults."""
    document = fact.document
    agents: dict[str, Any] = document.get("agents") or {}
    return WorkspaceVersion(
        workspace=workspace,
        version=fact.config_version,
        timezone=document.get("timezone") or "UTC",
        queues=tuple(document.get("queues") or ()),
        teams={slug: (agent or {}).get("team") for slug, agent in agents.items()},
        applied_at=fact.applied_at,
        closed_tickets_days=(document.get("retention") or {}).get("closed_tickets_days", 730),
    )
