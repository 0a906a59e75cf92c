"""What thousands of waiting agents read: all who ask at the same moment share one query, and who asks again from where
the last answer ended needs none while nothing was heard of that agent.

`seen` is up to where an agent has seen its offers: the workspace's count of changes (pointsman_routing.store), and the
last of the offers of that change, since one decision may make more of them than an answer holds.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, NamedTuple

from pointsman.core.instant import Instant
from pointsman.runtime.broadcast import Broadcast, Heard
from pointsman.runtime.tasks import Tasks
from pointsman_routing.api.shapes import offer_shape, ticket_columns

ASKED_MAX = 500
IN_FLIGHT_MAX = 2
OFFERS_MAX = 200
"""Of one agent, in one answer."""

READ_OFFERS = f"""
    WITH asked AS (
        SELECT a.place, a.workspace, a.agent, a.seen_id,
               CASE WHEN a.seen > coalesce(w.change, 0) + 1 THEN -1 ELSE a.seen END AS seen,
               coalesce(w.change, 0) AS change
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) WITH ORDINALITY
             AS a (workspace, agent, seen, seen_id, place)
        LEFT JOIN workspace w ON w.workspace = a.workspace
    )
    SELECT asked.place, asked.change AS workspace_change, found.*
    FROM asked
    LEFT JOIN LATERAL (
        SELECT o.id AS offer_id, o.agent AS offer_agent, o.state AS offer_state, o.reason AS offer_reason,
               o.weight AS offer_weight, o.offered_at AS offer_offered_at, o.expires_at AS offer_expires_at,
               o.change AS offer_change, {ticket_columns("t")}
        FROM (
            (SELECT * FROM offer
             WHERE workspace = asked.workspace AND agent = asked.agent AND asked.seen >= 0
               AND change >= asked.seen AND (change, id) > (asked.seen, asked.seen_id)
             ORDER BY change, id LIMIT {OFFERS_MAX})
            UNION ALL
            (SELECT * FROM offer
             WHERE workspace = asked.workspace AND agent = asked.agent AND asked.seen < 0 AND state = 'pending'
             ORDER BY change, id LIMIT {OFFERS_MAX})
        ) o JOIN LATERAL (
            SELECT * FROM ticket WHERE ticket.id = o.ticket_id OFFSET 0
        ) t ON t.workspace = o.workspace
        ORDER BY o.change, o.id LIMIT {OFFERS_MAX}
    ) found ON true
    ORDER BY asked.place, found.offer_change, found.offer_id
"""


class Seen(NamedTuple):
    """All of the changes before this one was seen, and of this one the offers up to this id; "": none of it yet."""

    change: int
    id: str


NOTHING_SEEN = Seen(-1, "")


def seen_all(change: int) -> Seen:
    """The change and all before it were seen."""
    return Seen(change + 1, "")


@dataclass(slots=True)
class Offers:
    """An agent's offers after `seen` (all pending ones after nothing), and up to where they are complete."""

    rows: list[Any]
    seen: Seen

    def shapes(self, now: Instant) -> list[dict[str, Any]]:
        return [offer_shape(row, now) for row in self.rows]


class OfferReader:
    """Reads offers for many agents at once: questions that come while queries run are asked together.

    A fact is heard after its commit. So when no fact about an agent was heard since a query was asked, that query's
    answer is still complete, or the fact that makes it incomplete is on its way and will wake the poll. A call that
    does not wait for that, or comes while nothing is heard, is answered by the database.
    """

    def __init__(self, pool: Any, broadcast: Broadcast) -> None:
        self._pool, self._hearing = pool, broadcast.hearing
        self._heard = 0
        self._heard_of: dict[tuple[str, str], int] = {}
        self._complete: dict[tuple[str, str], Seen] = {}
        self._forgot = 0
        broadcast.listen("desk", self._hear, self._forget)
        self._asked: list[tuple[str, str, Seen, asyncio.Future[Offers]]] = []
        self._tasks = Tasks("routing")
        self._in_flight: set[asyncio.Task[None]] = set()

    async def read(self, workspace: str, agent: str, seen: Seen, *, waits: bool = False) -> Offers:
        """`waits`: the caller will be woken by what it hears. Raises what the database raises."""
        if waits and self._hearing.is_set() and self._complete.get((workspace, agent)) == seen:
            return Offers([], seen)
        future: asyncio.Future[Offers] = asyncio.get_running_loop().create_future()
        self._asked.append((workspace, agent, seen, future))
        if len(self._asked) == 1:
            asyncio.get_running_loop().call_soon(self._ask)
        return await future

    def _ask(self, _: Any = None) -> None:
        while self._asked and len(self._in_flight) < IN_FLIGHT_MAX:
            together, self._asked = self._asked[:ASKED_MAX], self._asked[ASKED_MAX:]
            task = self._tasks.start(self._answer(together))
            self._in_flight.add(task)
            task.add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._in_flight.discard(task)
        self._ask()

    def _hear(self, heard: Heard) -> None:
        for agent in heard.agents:
            self._heard += 1
            key = heard.workspace, agent
            self._heard_of[key] = self._heard
            self._complete.pop(key, None)

    def _forget(self) -> None:
        """Something may have been missed, also about who is being answered now."""
        self._complete.clear()
        self._heard += 1
        self._forgot = self._heard

    async def _answer(self, together: list[tuple[str, str, Seen, "asyncio.Future[Offers]"]]) -> None:
        heard = self._heard
        try:
            rows = await self._pool.fetch(
                READ_OFFERS,
                [workspace for workspace, *_ in together],
                [agent for _, agent, *_ in together],
                [seen.change for *_, seen, _ in together],
                [seen.id for *_, seen, _ in together],
            )
        except BaseException as error:  # whoever asked gets it
            for *_, future in together:
                if not future.done():
                    future.set_exception(error)
            return
        answers = [Offers([], NOTHING_SEEN) for _ in together]
        for row in rows:
            answer = answers[row["place"] - 1]
            answer.seen = seen_all(row["workspace_change"])
            if row["offer_id"] is not None:
                answer.rows.append(row)
        for (workspace, agent, _, future), answer in zip(together, answers, strict=True):
            if len(answer.rows) == OFFERS_MAX:
                answer.seen = Seen(answer.rows[-1]["offer_change"], answer.rows[-1]["offer_id"])
            elif max(self._forgot, self._heard_of.get((workspace, agent), 0)) <= heard:
                self._complete[workspace, agent] = answer.seen
            if not future.done():
                future.set_result(answer)
