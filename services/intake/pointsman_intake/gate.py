"""The gate: what every route of intake stands on, and the one way in: `submit` returns after the durable write."""

import asyncio
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeVar

import structlog

from pointsman.contracts import codec
from pointsman.contracts.topics import REQUESTS
from pointsman.runtime.auth import Caller
from pointsman.runtime.group_commit import GroupCommit
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.tasks import Tasks
from pointsman_intake.accept import accept_group
from pointsman_intake.connectors import Connector, ConnectorBook
from pointsman_intake.mail.readers import Readers
from pointsman_intake.model import Arrival, Outcome
from pointsman_intake.pg_notify import PgListener
from pointsman_intake.settings import IntakeSettings

if TYPE_CHECKING:
    from pointsman.runtime.process import ApiProcess

T = TypeVar("T")

log = structlog.get_logger(__name__)

RETRY = {"Retry-After": "1"}


class Gate:
    """One API process's part of intake: its slot, its connectors, its listener. Open while its context is entered."""

    def __init__(self, process: "ApiProcess") -> None:
        self.process = process
        self.settings = IntakeSettings(**process.settings.model_dump())
        self.book = ConnectorBook(process.pool, self.settings.config_refresh_seconds)
        self._beside = asyncio.Lock()
        self.readers = Readers(self.settings)
        self.listener = PgListener(self.settings, self.book.forget)
        self._group: GroupCommit[Arrival, Outcome] = GroupCommit(
            self.settings,
            service="intake",
            topic=REQUESTS,
            handle=accept_group,
            codec=codec,
            link=process.hub.link,
            size=_size,
        )
        self._tasks = Tasks("intake")

    async def __aenter__(self) -> "Gate":
        await self._group.__aenter__()
        await self.readers.__aenter__()
        self._tasks.keep(self.listener.run())
        self.process.ask_readiness_of(self._group.unready)
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._tasks.close()
        await self.readers.__aexit__(*failure)
        await self._group.__aexit__(*failure)

    async def submit(self, arrival: Arrival) -> Outcome:
        """What became of it, after the commit. Raises `Problem` 503 when nothing was written."""
        try:
            return await self._group.submit(arrival)
        except ConnectionError as error:
            log.warning("not accepted", error=repr(error))
            raise Problem(503, "unavailable", "nothing was written; repeat the call", headers=RETRY) from error

    async def beside(self, work: Callable[[], T]) -> T:
        """Does work that takes long beside the loop, one at a time: the interpreter is shared with all calls."""
        async with self._beside:
            return await asyncio.to_thread(work)

    async def connector(self, workspace: str, slug: str) -> tuple[int, Connector]:
        """(config version, connector). Raises `Problem` 404."""
        found = await self.book.connector(workspace, slug)
        if found is None:
            raise Problem(404, "unknown-connector", f"the workspace has no connector {slug!r}")
        return found

    async def connectors(self, workspace: str) -> Collection[str] | None:
        """The slugs of the workspace's connectors; None when it has no document."""
        configured = await self.book.read(workspace)
        return None if configured is None else list(configured.connectors)

    async def signing_secret(self, workspace: str, name: str) -> bool:
        """Whether a connector of the workspace signs or proves with the secret of this name."""
        configured = await self.book.read(workspace)
        return configured is not None and any(one.signs_with(name) for one in configured.connectors.values())

    async def config_version(self, workspace: str) -> int | None:
        """The version that this process goes by."""
        configured = await self.book.read(workspace)
        return None if configured is None else configured.version


def _size(arrival: Arrival) -> tuple[int, int]:
    """(what is written for it, its raw bytes)."""
    parts = len(arrival.messages) + len(arrival.signals) + len(arrival.reports)
    return max(1, parts), 0 if arrival.raw is None else len(arrival.raw.body)


def own_connector(caller: Caller, slug: str) -> None:
    """A connector speaks only for itself. Raises `Problem` 403."""
    if caller.role == "connector" and caller.sub != slug:
        raise Problem(403, "another-connector", f"the token is of the connector {caller.sub}, not of {slug}")
