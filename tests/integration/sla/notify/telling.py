"""Notify targets told by real senders at real receivers on this host; what the lane would write, the test writes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from pointsman.core.ids import lane_of
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_sla.alerts.items import Item
from pointsman_sla.clocks.policy import part_of
from pointsman_sla.notify.sandbox import Sandbox
from pointsman_sla.notify.sender import NotificationSender
from pointsman_sla.notify.writing import write_items
from pointsman_sla.settings import SlaSettings

QUICK = {
    "notify_to_loopback": True, "notify_backoff_seconds": 0.05, "notify_claim_seconds": 30.0,
    "notify_timeout_seconds": 10.0,
}  # fmt: skip


@dataclass
class NotificationReceiver:
    """An HTTP server that answers as it is told; `got` are the (headers, body) of its calls."""

    port: int = 0
    status: int = 200
    headers: str = ""
    silent: bool = False
    got: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook"

    @property
    def bodies(self) -> list[str]:
        return [body["message"] for _, body in self.got]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.got.append((headers, orjson.loads(body)))
            if self.silent:
                await reader.read()
                return
            answer = f"HTTP/1.1 {self.status} X\r\n{self.headers}Content-Length: 0\r\nConnection: close\r\n\r\n"
            writer.write(answer.encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # The sender was killed in the middle.
        finally:
            writer.close()


@asynccontextmanager
async def a_receiver(**changes: Any) -> AsyncIterator[NotificationReceiver]:
    receiver = NotificationReceiver(**changes)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    async with server:
        receiver.port = server.sockets[0].getsockname()[1]
        yield receiver


class Telling:
    """An installation with the workspace acme, and the sandbox of senders that may tell this host."""

    def __init__(self, installation: Installation, pool: Any, folder: Path, sandbox: Sandbox) -> None:
        self.pool = pool
        self.settings = installation.settings.model_copy(update={"secrets_folder": folder})
        self._folder, self._sandbox = folder, sandbox
        self._version = 0

    @property
    def lane(self) -> int:
        return lane_of("acme", self.settings.partitions)

    async def configure(self, calendars: dict[str, Any] | None = None, **targets: dict[str, Any]) -> None:
        """A new version with these targets, each with `url_from: <name>-url`."""
        self._version += 1
        notify = {name: {"url_from": f"{name}-url", **given} for name, given in targets.items()}
        document = {"workspace": "acme", "timezone": "Europe/Rome", "calendars": calendars or {},
                    "sla": {"notify": notify}}  # fmt: skip
        await self.pool.execute(
            "INSERT INTO config_version (workspace, version, body, applied_at) VALUES ('acme', $1, $2, now())",
            self._version,
            part_of(document),
        )

    def address(self, target: str, *addresses: str) -> None:
        """The secret with the target's addresses."""
        (self._folder / "acme").mkdir(exist_ok=True)
        (self._folder / "acme" / f"{target}-url").write_text("\n".join(addresses))

    async def write(self, *items: Item) -> None:
        """As the lane's transaction does."""
        async with self.pool.acquire() as db, db.transaction():
            await write_items(db, self.lane, items, items[0].at)

    @asynccontextmanager
    async def sending(self, **changes: Any) -> AsyncIterator[NotificationSender]:
        """A sender runs, with quick retries."""
        settings = SlaSettings(**self.settings.model_dump() | QUICK | changes)
        sandbox = self._sandbox if settings.notify_to_loopback else None
        async with NotificationSender(settings, lambda: range(settings.partitions), sandbox=sandbox) as sender:
            yield sender

    async def notifications(self) -> Sequence[Any]:
        rows: Sequence[Any] = await self.pool.fetch("SELECT * FROM notification ORDER BY created_at, notification_id")
        return rows

    async def settled(self, state: str, count: int = 1) -> Sequence[Any]:
        """The notifications, when so many of them are in the state."""
        found: list[Any] = []

        async def there() -> bool:
            found[:] = await self.notifications()
            return len([row for row in found if row["state"] == state]) >= count

        await until(there)
        return [row for row in found if row["state"] == state]

    async def window_passed(self) -> None:
        """As if the windows of all groups were over: their last messages were an hour ago."""
        await self.pool.execute(
            "UPDATE notify_group SET last_sent_at = last_sent_at - interval '1 hour', "
            "due_at = due_at - interval '1 hour'"
        )

    async def an_alert(self, id: str, state: str = "firing", acked_at: datetime | None = None) -> None:
        await self.pool.execute(
            "INSERT INTO alert (alert_id, workspace, lane, severity, policy, queue, state, clocks, generation, "
            "opened_at, acked_at, covered_at) "
            "VALUES ($1, 'acme', $2, 'breach', $1, 'billing', $3, 1, 1, now(), $4, $4)",
            id, self.lane, state, acked_at,
        )  # fmt: skip

    async def a_clock(self, id: str, ticket: str, state: str = "running", *, breached: bool = True) -> None:
        """A clock that breached an hour ago, unless `breached` is not."""
        at = datetime.now(UTC) - timedelta(hours=1)
        await self.pool.execute(
            "INSERT INTO clock (clock_id, ticket_id, workspace, metric, cycle, state, policy, calendar, "
            "config_version, priority, target_seconds, generation, started_at, due_at, breach_at, breached_at, "
            "retargeted, life) VALUES ($1, $2, 'acme', 'first_response', 1, $3, 'standard', 'always', 1, 'urgent', "
            "60, 1, $4, $4, $4, $5, false, '{}')",
            id, ticket, state, at, at if breached else None,
        )  # fmt: skip

    async def joins(self, alert: str, clock: str, ticket: str, joined_at: datetime | None = None) -> None:
        """The clock is in the alert, since an hour ago unless said otherwise."""
        at = joined_at or datetime.now(UTC) - timedelta(hours=1)
        await self.pool.execute(
            "INSERT INTO alert_clock (alert_id, clock_id, ticket_id, metric, cycle, joined_at) "
            "VALUES ($1, $2, $3, 'first_response', 1, $4)",
            alert, clock, ticket, at,
        )  # fmt: skip
