"""A workspace's facts as a feed that can be resumed: the `fact` table for what was, the broadcast for what comes.

A workspace lives in one lane, so that its facts carry rising numbers of one source; a cursor is
`<incarnation>.<number>`. A record is published after its row is committed, so that reading the table after a wake-up
sees it, and a subscriber that missed something only reads the table again: nothing is ever lost between the two.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pointsman.core.instant import Instant
from pointsman.runtime.broadcast import Heard
from pointsman.runtime.http.problems import Problem

if TYPE_CHECKING:
    from pointsman.runtime.process import ApiProcess

READ_MAX = 500

READ = """
    SELECT id, number, subject, at, body
    FROM fact
    WHERE source = $1 AND partition = $2 AND number > $3 AND workspace = $4
      AND ($5::text[] IS NULL OR agents && $5) AND ($6::text[] IS NULL OR types && $6)
    ORDER BY number LIMIT $7
"""


@dataclass(frozen=True, slots=True)
class Fed:
    """One record of facts. `cursor` is the place after it; `facts` are JSON values with their `type`."""

    cursor: str
    id: str
    subject: str
    at: Instant
    facts: Sequence[Any]


class TooOld(Exception):
    """The cursor names facts that are not kept any more, or another life of the database: fetch everything again."""


class FactFeed:
    """The facts that this service made, announced on `topic`."""

    def __init__(self, process: "ApiProcess", topic: str) -> None:
        self._process = process
        self._topic = topic

    async def newest(self, workspace: str) -> str:
        """The cursor of now: what `follow` continues from after the caller has read the state of things."""
        source, partition = await self._place(workspace)
        number = await self._process.pool.fetchval(
            "SELECT number FROM counter WHERE source = $1 AND partition = $2", source, partition
        )
        return self._cursor(number or 0)

    async def resume(self, workspace: str, asked: str | None) -> tuple[str, bool]:
        """(cursor, lost): where a stream begins whose client asks to go on after `asked`.

        `lost`: that is no place of this feed, or what followed is not kept any more. Then the cursor is that of now,
        and the client must be told; what it sent is never given back as a cursor.
        """
        newest = await self.newest(workspace)
        if asked is None:
            return newest, False
        try:
            number = await self._number(asked, *await self._place(workspace))
        except (TooOld, Problem):
            return newest, True
        return (newest, True) if number > _number_in(newest) else (self._cursor(number), False)

    async def read(
        self,
        workspace: str,
        after: str | None,
        *,
        agent: str | None = None,
        types: Sequence[str] | None = None,
        limit: int = READ_MAX,
    ) -> list[Fed]:
        """The next records after the cursor (None: from the first that is kept). Raises `TooOld`, `Problem` 422."""
        source, partition = await self._place(workspace)
        number = 0 if after is None else await self._number(after, source, partition)
        rows = await self._process.pool.fetch(
            READ,
            source,
            partition,
            number,
            workspace,
            None if agent is None else [agent],
            None if types is None else list(types),
            limit,
        )
        return [
            Fed(self._cursor(row["number"]), row["id"], row["subject"], row["at"], row["body"]["facts"]) for row in rows
        ]

    async def follow(
        self, workspace: str, after: str, *, agent: str | None = None, types: Sequence[str] | None = None
    ) -> AsyncIterator[Fed]:
        """Every record after the cursor, and every one that comes, once and in order. Raises `TooOld`, 422."""
        source, partition = await self._place(workspace)
        last = await self._number(after, source, partition)
        async with self._process.broadcast.subscribe(
            topic=self._topic, workspace=workspace, agent=agent, types=types
        ) as subscription:
            while True:
                found = await self.read(workspace, self._cursor(last), agent=agent, types=types)
                for fed in found:
                    last = _number_in(fed.cursor)
                    yield fed
                if len(found) == READ_MAX:
                    continue
                async for heard in subscription:
                    if not isinstance(heard, Heard):
                        break
                    if heard.number > last and heard.header("ce_source") == source:
                        last = heard.number
                        yield self._fed(heard)

    def _fed(self, heard: Heard) -> Fed:
        decoded = heard.decoded()
        return Fed(self._cursor(heard.number), decoded.id, decoded.subject, decoded.at, heard.facts)

    async def _place(self, workspace: str) -> tuple[str, int]:
        return f"{self._process.service}@{await self._process.incarnation()}", self._process.lane_of(workspace)

    def _cursor(self, number: int) -> str:
        return f"{self._process.known_incarnation}.{number}"

    async def _number(self, cursor: str, source: str, partition: int) -> int:
        incarnation, dot, digits = cursor.rpartition(".")
        if not dot or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
            raise Problem(422, "invalid-cursor", "the cursor is not one of this feed")
        if incarnation != self._process.known_incarnation:
            raise TooOld
        number = int(digits)
        kept_from = await self._process.pool.fetchval(
            "SELECT number FROM fact WHERE source = $1 AND partition = $2 ORDER BY number LIMIT 1", source, partition
        )
        if kept_from is not None and number + 1 < kept_from:
            raise TooOld
        return number


def _number_in(cursor: str) -> int:
    return int(cursor.rpartition(".")[2])
