"""HTTP to several API processes of one installation, one attempt at a time: the answer, or that there was none."""

import random
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from pointsman.cli.chaos.ledger import Fate, Ledger

CONNECT_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class CallResult:
    """`status` None: no answer came, nobody knows what happened."""

    status: int | None
    body: Any = None

    @property
    def ok(self) -> bool:
        return self.status is not None and self.status < 300

    @property
    def code(self) -> str:
        """The slug of the problem's type."""
        kind = self.body.get("type", "") if isinstance(self.body, dict) else ""
        return str(kind).rpartition("/")[2]

    @property
    def fate(self) -> Fate:
        """What the caller may believe after this single answer."""
        if self.ok:
            return Fate.ACKNOWLEDGED
        if self.status == 503 and self.code == "not-applied":
            return Fate.REFUSED
        if self.status is not None and 400 <= self.status < 500 and self.code != "still-running":
            return Fate.REFUSED
        return Fate.UNKNOWN


class Apis:
    """One client per API process; a call names the process by its place, or takes any."""

    def __init__(self, urls: list[str], ledger: Ledger, seed: int) -> None:
        self.urls = urls
        self._ledger = ledger
        self._random = random.Random(f"{seed}:apis")
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        self._clients = [httpx.AsyncClient(base_url=url, limits=limits, trust_env=False) for url in urls]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            await client.aclose()

    def any(self) -> int:
        return self._random.randrange(len(self._clients))

    def other(self, place: int) -> int:
        return (place + 1) % len(self._clients)

    async def call(
        self,
        place: int,
        method: str,
        path: str,
        token: str,
        *,
        json: Any = None,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = 6.0,
    ) -> CallResult:
        """One attempt."""
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        try:
            answer = await self._clients[place].request(
                method,
                path,
                json=json,
                params=params,
                headers=sent,
                timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
            )
        except (httpx.TransportError, OSError):
            return CallResult(None)
        try:
            body = answer.json() if answer.content else None
        except ValueError:
            body = None
        if answer.status_code >= 500 and answer.status_code != 503:
            self._ledger.server_errors.append(f"{method} {path}: {answer.status_code} {str(body)[:300]}")
        return CallResult(answer.status_code, body)
