"""The fetching loop: files that messages named by their address (`{name, url}`) are brought to where attachments are.

A message never waits for its files, and is never lost for one: it is taken with them marked `fetching`. A round claims
what is due (`FOR UPDATE SKIP LOCKED`), calls the address through the guard that every call outward has (public
addresses only, looked at again for each redirect), and keeps the bytes; then it says `attachment.settled`. A claim that
lapsed, because its process died, is taken again; one whose bytes are there already is only said. What the address
refuses, or what is too large, has `failed` at once; what may succeed later is tried for some rounds.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin, urlsplit

import structlog

from pointsman.runtime.database import open_pool
from pointsman.runtime.group_commit import GroupCommit
from pointsman.runtime.outbound import CALL_ERRORS, Outbound, OutboundAnswer
from pointsman.runtime.outbound_queue import pause_seconds, send_due
from pointsman.runtime.public_addresses import AddressRefused
from pointsman.runtime.tasks import Tasks
from pointsman_intake.file_names import file_name
from pointsman_intake.mail.parameters import parameters_of
from pointsman_intake.model import Arrival, Fetched, Outcome
from pointsman_intake.pg_notify import PgListener
from pointsman_intake.settings import IntakeSettings

log = structlog.get_logger(__name__)

REDIRECTS_MAX = 5
REASON_CHARACTERS_MAX = 500
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_LATER_STATUSES = frozenset((408, 425, 429))
_HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "pointsman"}

_CLAIM = """
UPDATE attachment a SET claimed_until = clock_timestamp() + make_interval(secs => $2), rounds = a.rounds + 1
WHERE (a.workspace, a.id) IN (
    SELECT workspace, id FROM attachment
    WHERE state = 'fetching' AND due_at <= clock_timestamp()
      AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
    ORDER BY due_at FOR UPDATE SKIP LOCKED LIMIT $1)
RETURNING workspace, id, connector, url, rounds, content IS NOT NULL AS here
"""

_KEEP = """
UPDATE attachment SET content = $3, size = $4, sha256 = $5, content_type = coalesce(content_type, $6),
                      name = coalesce(name, $7)
WHERE workspace = $1 AND id = $2 AND state = 'fetching'
"""

_LATER = """
UPDATE attachment SET due_at = clock_timestamp() + make_interval(secs => $3), claimed_until = NULL, reason = $4
WHERE workspace = $1 AND id = $2 AND state = 'fetching'
"""


class NotFetched(Exception):
    """The file could not be had. `permanent` when no later try can help; `after_seconds` when its server said so."""

    def __init__(self, reason: str, *, permanent: bool = False, after_seconds: float | None = None) -> None:
        super().__init__(reason[:REASON_CHARACTERS_MAX])
        self.permanent, self.after_seconds = permanent, after_seconds


@dataclass(frozen=True, slots=True)
class Download:
    """What came from an address, with what its server says that it is: believed where nobody else said it."""

    content: bytes
    content_type: str | None
    name: str | None


class FetchingLoop:
    """Runs beside the worker while its context is entered. `group` is the process's own, open as long."""

    def __init__(self, settings: IntakeSettings, group: GroupCommit[Arrival, Outcome]) -> None:
        self._settings, self._group = settings, group
        self._outbound = Outbound(
            loopback=settings.fetch_from_loopback,
            timeout_seconds=settings.delivery_timeout_seconds,
            connections_max=settings.fetches_at_once_max,
        )
        self._tasks = Tasks("intake")

    async def __aenter__(self) -> "FetchingLoop":
        self._pool: Any = await open_pool(self._settings, "intake", size=2, purpose="fetch")
        self._listener = PgListener(self._settings, lambda _: None)
        self._tasks.keep(self._listener.run())
        self._tasks.keep(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()
        await self._outbound.__aexit__()
        await self._pool.close()

    async def _run(self) -> None:
        with self._listener.listening("fetch") as notified:
            await send_due(self._claim, self._fetch, notified, self._settings.fetches_at_once_max)

    async def _claim(self, count_max: int) -> list[Any]:
        seconds = 2 * self._settings.fetch_seconds_max  # a claim outlives its try, and what follows it
        rows: list[Any] = await self._pool.fetch(_CLAIM, count_max, seconds)
        return rows

    async def _fetch(self, row: Any) -> None:
        """One file: kept, put off, or given up."""
        try:
            reason = None if row["here"] else await self._try(row)
        except NotFetched as error:
            await self._put_off(row, error)
            return
        await self._say(row, reason)

    async def _try(self, row: Any) -> str | None:
        """Keeps the file; the reason when it can never be had. Raises `NotFetched` when it may be later."""
        settings = self._settings
        try:
            got = await download(
                self._outbound,
                row["url"],
                bytes_max=settings.attachment_bytes_max,
                seconds_max=settings.fetch_seconds_max,
            )
        except NotFetched as error:
            log.info("file not fetched", id=row["id"], reason=str(error), round=row["rounds"])
            if error.permanent or row["rounds"] >= settings.fetch_rounds_max:
                return str(error)
            raise
        digest = await asyncio.to_thread(lambda: sha256(got.content).hexdigest())
        kept = (got.content, len(got.content), digest, got.content_type, got.name)
        await self._pool.execute(_KEEP, row["workspace"], row["id"], *kept)
        return None

    async def _put_off(self, row: Any, error: NotFetched) -> None:
        seconds = pause_seconds(self._settings.fetch_backoff_seconds, row["rounds"], error.after_seconds)
        await self._pool.execute(_LATER, row["workspace"], row["id"], seconds, str(error))

    async def _say(self, row: Any, reason: str | None) -> None:
        at = self._group.clock.now()
        fetched = Fetched(row["workspace"], row["id"], reason)
        await self._group.submit(Arrival(row["workspace"], row["connector"] or "", at, fetched=(fetched,)))


async def download(outbound: Outbound, url: str, *, bytes_max: int, seconds_max: float) -> Download:
    """The file at an address, over a few redirects at most. Raises `NotFetched`."""
    try:
        async with asyncio.timeout(seconds_max):
            for _ in range(REDIRECTS_MAX + 1):
                answer = await outbound.get(url, _HEADERS, bytes_max=bytes_max, seconds_max=seconds_max)
                if answer.status not in _REDIRECTS:
                    return _taken(answer, bytes_max)
                url = _onward(url, answer)
    except AddressRefused as error:
        raise NotFetched(str(error), permanent=True) from error
    except CALL_ERRORS as error:
        raise NotFetched(f"no answer: {error or type(error).__name__}") from error
    except ValueError as error:
        raise NotFetched(f"the address is wrong: {error}", permanent=True) from error
    raise NotFetched(f"the address redirects more than {REDIRECTS_MAX} times", permanent=True)


def _onward(url: str, answer: OutboundAnswer) -> str:
    """Where a redirect leads; never from https to what can be read on its way."""
    onward = urljoin(url, answer.headers.get("location", ""))
    if urlsplit(url).scheme == "https" and urlsplit(onward).scheme != "https":
        raise NotFetched("the address redirects to one that is not encrypted", permanent=True)
    return onward


def _taken(answer: OutboundAnswer, bytes_max: int) -> Download:
    if answer.status != 200:
        later = answer.status >= 500 or answer.status in _LATER_STATUSES
        reason = f"the address answered {answer.status}"
        raise NotFetched(reason, permanent=not later, after_seconds=answer.retry_after_seconds)
    if not answer.whole:
        raise NotFetched(f"the file has more than {bytes_max} bytes", permanent=True)
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise NotFetched("the address answers in an encoding that was not asked for", permanent=True)
    return Download(answer.body, _type(answer.headers), _name(answer.headers))


def _type(headers: Mapping[str, str]) -> str | None:
    said = headers.get("content-type", "").partition(";")[0].strip().lower()
    return said[:255] if said.isascii() and said.isprintable() and said else None


def _name(headers: Mapping[str, str]) -> str | None:
    said = parameters_of(headers.get("content-disposition", "").encode("latin-1").decode("utf-8", "replace"))
    return file_name(said.named.get("filename"))
