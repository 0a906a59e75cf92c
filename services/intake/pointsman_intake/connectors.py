"""The configured connectors of each workspace, as a process of intake knows them.

The worker folds `config.applied` into the table `config`; every process reads the newest version from there: after a
notification, when it is older than `refresh_seconds`, and before it says that something is unknown. So a message that
arrives right after `apply` finds its connector.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from pointsman.contracts.shapes import Channel
from pointsman.runtime.logic import Database

_NEWEST = "SELECT version, connectors, agents FROM config WHERE workspace = $1 ORDER BY version DESC LIMIT 1"

JSON_KINDS = frozenset({"json"})
EMAIL_KINDS = frozenset({"smtp", "lmtp", "imap", "mime"})
SLACK_KINDS = frozenset({"slack"})
META_KINDS = frozenset({"meta", "whatsapp", "messenger", "instagram", "facebook"})


class Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Verify(Part):
    scheme: str | None = None
    secret: str | None = None
    challenge_secret: str | None = None


class Send(Part):
    kind: str
    url_from: str | None = None
    secret: str | None = None


class Connector(Part):
    """A connector's part of the document, as far as intake needs it (WORKSPACE.md, `connectors`)."""

    channel: Channel
    kind: str
    addresses: tuple[str, ...] = ()
    form_senders: tuple[str, ...] = ()
    verify: Verify = Verify()
    send: Send | None = None
    hints: bool = False
    customers: str | None = None

    @property
    def ranks_customers(self) -> bool:
        """Whether it may change its customers' tier, organization and owner."""
        return self.customers == "write"

    @property
    def pushes(self) -> bool:
        """Whether our delivery loop sends its replies; otherwise the connector pulls them."""
        return self.send is not None and self.send.kind == "webhook"

    def signs_with(self, name: str) -> bool:
        """Whether this secret proves its webhooks, or signs the replies that we send, by Standard Webhooks."""
        proves = self.verify.scheme == "standard-webhooks" and self.verify.secret == name
        return proves or (self.send is not None and self.send.kind == "webhook" and self.send.secret == name)


@dataclass(frozen=True, slots=True)
class Configured:
    """One version of a workspace's connectors, and its agents; None where an older release did not keep them."""

    version: int
    connectors: Mapping[str, Connector]
    agents: frozenset[str] | None = None


@dataclass(slots=True)
class _Held:
    configured: Configured | None
    read_at: float


@dataclass(slots=True)
class ConnectorBook:
    """What is configured, by workspace. `pool` is of the service's role."""

    pool: Any
    refresh_seconds: float = 1.0
    workspaces_max: int = 10_000
    _held: dict[str, _Held] = field(default_factory=dict)

    async def of(self, workspace: str) -> Configured | None:
        """The workspace's newest version, at most `refresh_seconds` old; None when it has none."""
        held = self._held.get(workspace)
        if held is not None and time.monotonic() - held.read_at < self.refresh_seconds:
            return held.configured
        return await self.read(workspace)

    def held(self, workspace: str) -> Configured | None:
        """What is known without waiting, if it is fresh."""
        held = self._held.get(workspace)
        if held is None or time.monotonic() - held.read_at >= self.refresh_seconds:
            return None
        return held.configured

    async def connector(self, workspace: str, slug: str) -> tuple[int, Connector] | None:
        """(version, connector), asking the table before saying None."""
        configured = await self.of(workspace)
        if configured is None or slug not in configured.connectors:
            configured = await self.read(workspace)
        if configured is None or slug not in configured.connectors:
            return None
        return configured.version, configured.connectors[slug]

    async def knows_agent(self, workspace: str, slug: str) -> bool:
        """Whether there is such an agent, asking the table before saying no."""
        for look in (self.of, self.read):
            configured = await look(workspace)
            if configured is not None and (configured.agents is None or slug in configured.agents):
                return True
        return False

    async def read(self, workspace: str) -> Configured | None:
        """The newest version in the table, now."""
        asked = time.monotonic()
        row = await self.pool.fetchrow(_NEWEST, workspace)
        configured = None if row is None else _configured(row)
        if len(self._held) >= self.workspaces_max:
            self._held.clear()
        self._held[workspace] = _Held(configured, asked)
        return configured

    def forget(self, workspace: str | None = None) -> None:
        """The table has something newer (of every workspace: None)."""
        if workspace is None:
            self._held.clear()
        else:
            self._held.pop(workspace, None)


def _configured(row: Any) -> Configured:
    agents = None if row["agents"] is None else frozenset(row["agents"])
    return Configured(row["version"], read_connectors(row["connectors"]), agents)


def read_connectors(part: Mapping[str, Any]) -> dict[str, Connector]:
    return {slug: Connector.model_validate(value) for slug, value in part.items()}


_STORE = """
INSERT INTO config (workspace, version, connectors, raw_days, applied_at, closed_tickets_days, agents)
VALUES ($1, $2, $3::text::jsonb, $4, $5, $6, $7::text[]) ON CONFLICT (workspace, version) DO NOTHING
"""

_QUEUED_FOLLOW = """
UPDATE delivery SET push = (connector = ANY ($2::text[]))
WHERE workspace = $1 AND state = 'queued' AND push <> (connector = ANY ($2::text[]))
"""


async def store_version(db: Database, workspace: str, version: int, document: Mapping[str, Any], at: Any) -> None:
    """Keeps a version of the workspace's connectors, in the caller's transaction, and tells every process at commit.

    Replies that wait follow the connector's new way of sending.
    """
    part = document.get("connectors") or {}
    kept = document.get("retention") or {}
    raw_days, closed_days = int(kept.get("raw_days", 90)), int(kept.get("closed_tickets_days", 730))
    agents = sorted(document.get("agents") or {})
    await db.execute(_STORE, workspace, version, orjson.dumps(part).decode(), raw_days, at, closed_days, agents)
    pushing = [slug for slug, connector in read_connectors(part).items() if connector.pushes]
    await db.execute(_QUEUED_FOLLOW, workspace, pushing)
    await db.execute("SELECT pg_notify('intake', $1)", f"config:{workspace}")
