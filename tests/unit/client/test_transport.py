"""A connection that fails is one kind of error, whatever the libraries below make of it."""

from typing import Any

import httpx
import pytest

from pointsman.client.session import Session, SessionTransport, Unreachable


class Pool:
    """A pool of connections in which something is asked of a socket that is gone."""

    def __init__(self, asked: str) -> None:
        self._asked = asked
        self.calls = 0

    async def handle_async_request(self, _: Any) -> Any:
        self.calls += 1
        return getattr(None, self._asked)

    async def __aenter__(self) -> None:
        """It holds nothing."""

    async def __aexit__(self, *_: object) -> None:
        """It holds nothing."""


def through(pool: Pool) -> httpx.AsyncClient:
    transport = SessionTransport()
    transport._pool = pool  # type: ignore[assignment]
    return httpx.AsyncClient(transport=transport)


async def test_a_connection_that_ends_as_it_begins_is_a_server_that_is_away() -> None:
    """`pointsman agent` ended with "unexpected AttributeError" when the edge was killed just then."""
    pool = Pool("getpeername")
    reached: list[bool] = []
    async with through(pool) as client:
        session = Session("http://127.0.0.1:1", "t.t.t", client=client, retry_seconds=0.5)
        session.on_reach = reached.append
        with pytest.raises(Unreachable, match="ended as it began"):
            await session.get("/")
    assert pool.calls > 1, "it is tried again"
    assert reached == [False]


async def test_a_fault_of_ours_is_none_of_the_connection() -> None:
    async with through(Pool("anything")) as client:
        with pytest.raises(AttributeError):
            await client.get("http://127.0.0.1:1/")
