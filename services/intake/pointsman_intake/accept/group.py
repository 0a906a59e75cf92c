"""One group of arrivals: the handler of the slot's group commit."""

from collections.abc import Sequence

from pointsman.core.decision import Emission
from pointsman.core.ids import random_id
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_intake.accept.bounces import as_reports, failures, find_returned
from pointsman_intake.accept.files import settle_files
from pointsman_intake.accept.messages import Arrived, accept_messages
from pointsman_intake.accept.parking import park_messages, parked_messages
from pointsman_intake.accept.reports import take_reports
from pointsman_intake.accept.signals import take_signals
from pointsman_intake.accept.threads import wait_for_names
from pointsman_intake.model import Arrival, Outcome

_TOKENS = """
INSERT INTO replay_token (workspace, connector, token, at)
SELECT k.workspace, k.connector, k.token, $4
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, connector, token)
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
RETURNING workspace, connector, token
"""

_CLOSE_QUARANTINE = """
UPDATE quarantine SET state = 'replayed', closed_at = $3
FROM unnest($1::text[], $2::text[]) AS k (workspace, id)
WHERE quarantine.workspace = k.workspace AND quarantine.id = k.id
"""


async def accept_group(
    db: Database, arrivals: Sequence[Arrival], now: Instant
) -> tuple[Sequence[Outcome], Sequence[Emission]]:
    """Stores every arrival and tells what became of each, in order, with the facts for the topic `requests`.

    Runs inside the slot's fenced transaction; `now` is the transaction's instant. Repeats are found in the table and
    within the group itself.
    """
    replayed = await _replayed(db, arrivals, now)
    said = [message for arrival in arrivals for message in arrival.messages]
    await wait_for_names(db, said, [report for arrival in arrivals for report in arrival.reports])
    returned = await find_returned(db, said)
    arrived: list[Arrived] = []
    for arrival in arrivals:
        raw_id = random_id("raw", arrival.at) if arrival.raw is not None and arrival.messages else None
        arrived.extend((as_reports(message, returned), arrival, raw_id) for message in arrival.messages)
    brought = [(m.workspace, m.connector, m.external_id) for m in said if m.hooked and not m.joins_only]
    arrived.extend((message, arrivals[0], None) for message in await parked_messages(db, brought))
    taken = await accept_messages(db, arrived, returned, now)
    waiting = [message for message, answer in zip(said, taken.answers, strict=False) if answer is None]
    await park_messages(db, [message for message in waiting if message.hooked], now)
    fresh = [arrival for place, arrival in enumerate(arrivals) if place not in replayed]
    tickets, signalled = await take_signals(db, [signal for arrival in fresh for signal in arrival.signals])
    told = [report for arrival in fresh for report in arrival.reports]
    settled = await settle_files(db, [one for arrival in fresh for one in arrival.fetched], now)
    states, reported = await take_reports(db, [*told, *failures(said, returned)], now)
    outcomes, messages, signals, reports = [], iter(taken.answers), iter(tickets), iter(states)
    for place, arrival in enumerate(arrivals):
        again = place in replayed
        outcomes.append(
            Outcome(
                messages=tuple(next(messages) for _ in arrival.messages),
                signals=() if again else tuple(next(signals) for _ in arrival.signals),
                reports=() if again else tuple(next(reports) for _ in arrival.reports),
                replayed=again,
            )
        )
    await _close_quarantine(db, arrivals, outcomes, now)
    return outcomes, [*taken.emissions, *signalled, *reported, *settled]


async def _replayed(db: Database, arrivals: Sequence[Arrival], now: Instant) -> set[int]:
    """The places of the arrivals whose token is known, from the table or from earlier in the group."""
    first: dict[tuple[str, str, str], int] = {}
    for place, arrival in enumerate(arrivals):
        if arrival.token is not None:
            first.setdefault((arrival.workspace, arrival.connector, arrival.token), place)
    if not first:
        return set()
    keys = sorted(first)
    rows = await db.fetch(_TOKENS, *map(list, zip(*keys, strict=True)), now)
    new = {first[tuple(row)] for row in rows}
    return {place for place, arrival in enumerate(arrivals) if arrival.token is not None and place not in new}


async def _close_quarantine(
    db: Database, arrivals: Sequence[Arrival], outcomes: Sequence[Outcome], now: Instant
) -> None:
    """Of those that were read again and taken, as far as they had messages."""
    replays = [
        (arrival.workspace, arrival.quarantine_id)
        for arrival, outcome in zip(arrivals, outcomes, strict=True)
        if arrival.quarantine_id and (any(outcome.messages) or not arrival.messages)
    ]
    if replays:
        await db.execute(_CLOSE_QUARANTINE, *map(list, zip(*replays, strict=True)), now)
