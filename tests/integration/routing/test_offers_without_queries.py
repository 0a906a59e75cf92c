"""Thousands of apps poll for offers again and again: a poll after which nothing happened asks the database nothing."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_routing.api.offers import NOTHING_SEEN, OfferReader, Offers, Seen
from tests.integration.routing.service import a_routing_service

pytestmark = pytest.mark.stack


class CountingPool:
    """A real pool that counts what it is asked."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.asked = 0

    async def fetch(self, *arguments: Any) -> Any:
        self.asked += 1
        return await self._pool.fetch(*arguments)


async def test_it_asks_again_only_when_something_was_heard_of_the_agent(
    installation: Installation, tmp_path: Path
) -> None:
    async with a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace()
        pool = CountingPool(routing.process.pool)
        reader = OfferReader(pool, routing.process.broadcast)
        await routing.sign_in("anna")

        async def settled() -> Offers:
            """The agent's offers once what was said of signing in is heard: then two reads are one query."""
            seen = NOTHING_SEEN
            while True:
                found = await reader.read("acme", "anna", seen)
                asked, seen = pool.asked, found.seen
                again = await reader.read("acme", "anna", seen, waits=True)
                if pool.asked == asked:
                    return again

        nothing = await settled()
        assert nothing.rows == []
        asked = pool.asked
        await reader.read("acme", "anna", nothing.seen, waits=True)
        assert pool.asked == asked
        await reader.read("acme", "anna", nothing.seen)
        assert pool.asked == asked + 1, "who does not wait must see what is not heard yet"
        asked = pool.asked
        await reader.read("acme", "anna", Seen(nothing.seen.change - 1, ""), waits=True)
        assert pool.asked == asked + 1, "a cursor that is not the last answer's is asked for"

        await routing.customer_writes("t1")

        async def offered() -> bool:
            found = await reader.read("acme", "anna", nothing.seen)
            return [row["id"] for row in found.rows] == ["t1"]

        await until(offered)

        last = await settled()
        routing.process.broadcast.reset_all()
        asked = pool.asked
        await reader.read("acme", "anna", last.seen, waits=True)
        assert pool.asked == asked + 1, "what may have been missed is asked for"
