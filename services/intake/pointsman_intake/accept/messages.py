"""Messages: dedupe, threading to a ticket, numbering, storing. The heart of intake."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pointsman.core.decision import Emission
from pointsman.core.ids import derived_id
from pointsman.runtime.logic import Database
from pointsman_intake.accept.customers import Customers, Known
from pointsman_intake.accept.facts import Place, Ready, message_received
from pointsman_intake.model import Accepted, Inbound

_EXISTING = """
SELECT m.workspace, m.connector, m.external_id, m.id, m.ticket_id, m.body_hash
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, connector, external_id)
JOIN message m USING (workspace, connector, external_id)
"""

# A cited id is that of a message that came, or of a reply that went out.
_CITED = """
SELECT k.workspace, k.connector, k.reference, m.thread
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, connector, reference)
JOIN message m USING (workspace, connector, reference)
UNION ALL
SELECT k.workspace, k.connector, k.reference, d.thread
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, connector, reference)
JOIN delivery d ON d.workspace = k.workspace AND d.connector = k.connector AND d.external_id = k.reference
"""

_KNOWN_THREADS = """
SELECT t.workspace, t.connector, t.thread
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, connector, thread)
JOIN thread t USING (workspace, connector, thread)
"""

# The row lock of each thread is held from here to the commit, so the numbers that it hands out are contiguous and two
# first messages of a conversation make one ticket.
_THREADS = """
INSERT INTO thread AS t (workspace, connector, thread, ticket_id, customer_id, number)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[])
    AS k (workspace, connector, thread, ticket_id, customer_id, number)
ORDER BY 1, 2, 3
ON CONFLICT (workspace, connector, thread) DO UPDATE SET
    number = t.number + excluded.number,
    opened_at_number = CASE WHEN t.closed THEN t.number ELSE t.opened_at_number END,
    follow_up_of = CASE WHEN t.closed THEN t.ticket_id ELSE t.follow_up_of END,
    ticket_id = CASE WHEN t.closed THEN excluded.ticket_id ELSE t.ticket_id END,
    closed = false
RETURNING workspace, connector, thread, ticket_id, customer_id, number, opened_at_number, follow_up_of
"""

_STORE = """
INSERT INTO message (workspace, connector, external_id, id, ticket_id, thread, thread_number, body_hash, reference,
                     raw_id, body, received_at)
SELECT workspace, connector, external_id, id, ticket_id, thread, thread_number, body_hash, reference, raw_id,
       body::json, received_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::timestamptz[])
    AS k (workspace, connector, external_id, id, ticket_id, thread, thread_number, body_hash, reference, raw_id, body,
          received_at)
ORDER BY 1, 2, 3
ON CONFLICT (workspace, connector, external_id) DO NOTHING
RETURNING id
"""

_GIVE_BACK = """
UPDATE thread t SET number = t.number - k.number
FROM unnest($1::text[], $2::text[], $3::text[], $4::int[]) AS k (workspace, connector, thread, number)
WHERE t.workspace = k.workspace AND t.connector = k.connector AND t.thread = k.thread
RETURNING t.workspace, t.connector, t.thread, t.ticket_id, t.customer_id, t.number, t.opened_at_number, t.follow_up_of
"""

_RENUMBER = """
UPDATE message m SET thread_number = k.thread_number, body = k.body::json
FROM unnest($1::text[], $2::int[], $3::text[]) AS k (id, thread_number, body)
WHERE m.id = k.id
"""

_FILES = """
INSERT INTO attachment (workspace, id, connector, name, content_type, size, sha256, content, created_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::bytea[],
                     $9::timestamptz[])
ON CONFLICT DO NOTHING
"""

Key = tuple[str, str, str]
"""(workspace, connector, external id or thread)."""


@dataclass(slots=True)
class _New:
    """A message that is not in the table yet, on its way to its place."""

    key: Key
    thread: Key
    message: Inbound
    raw_id: str | None
    id: str
    customer: Known | None
    place: Place | None = None
    fact: Ready | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """Where each message went, the facts, and the ids of the raw rows that the new messages refer to."""

    answers: Sequence[Accepted | None] = ()
    emissions: Sequence[Emission] = ()
    raw_ids: frozenset[str] = frozenset()


async def accept_messages(db: Database, customers: Customers, arrived: Sequence[tuple[Inbound, str | None]]) -> Stored:
    """Puts each message, which comes with the id that its raw row will have, on its ticket."""
    if not arrived:
        return Stored()
    first: dict[Key, tuple[Inbound, str | None]] = {}
    for message, raw_id in arrived:
        first.setdefault((message.workspace, message.connector, message.external_id), (message, raw_id))
    existing = await _existing(db, list(first))
    fresh = {key: value for key, value in first.items() if key not in existing}
    new = await _place(db, customers, fresh) if fresh else {}
    lost = await _store(db, list(new.values())) if new else []
    if lost:
        existing.update(await _existing(db, [one.key for one in lost]))
        for one in lost:
            del new[one.key]
    return Stored(
        answers=_answers(arrived, existing, new),
        emissions=[_emission(one) for one in new.values()],
        raw_ids=frozenset(one.raw_id for one in new.values() if one.raw_id),
    )


async def _existing(db: Database, keys: Sequence[Key]) -> dict[Key, tuple[str, str, str]]:
    """Messages that are there: key → (id, ticket, body hash)."""
    rows = await db.fetch(_EXISTING, *map(list, zip(*keys, strict=True)))
    return {(row[0], row[1], row[2]): (row[3], row[4], row[5]) for row in rows}


async def _place(db: Database, customers: Customers, fresh: dict[Key, tuple[Inbound, str | None]]) -> dict[Key, _New]:
    """Customer, thread, ticket and number of each new message, in the order in which they came."""
    cited = await _cited(db, [message for message, _ in fresh.values()])
    threads = {key: (key[0], key[1], _thread_of(message, cited)) for key, (message, _) in fresh.items()}
    fresh = await _joining(db, fresh, threads)
    if not fresh:
        return {}
    found = await customers.find([message for message, _ in fresh.values()])
    new: dict[Key, _New] = {}
    for (key, (message, raw_id)), customer in zip(fresh.items(), found, strict=True):
        id = derived_id("msg", message.received_at, *key)
        new[key] = _New(key, threads[key], message, raw_id, id, customer)
    by_thread: dict[Key, list[_New]] = {}
    for one in new.values():
        by_thread.setdefault(one.thread, []).append(one)
    rows = await _lock_threads(db, by_thread)
    await _anonymous(customers, by_thread, rows)
    for place, row in rows.items():
        _number(by_thread[place], row, row["number"] - len(by_thread[place]))
    return new


async def _joining(
    db: Database, fresh: dict[Key, tuple[Inbound, str | None]], threads: dict[Key, Key]
) -> dict[Key, tuple[Inbound, str | None]]:
    """Those that have a conversation to join, or may begin one."""
    asked = sorted({threads[key] for key, (message, _) in fresh.items() if message.joins_only})
    if not asked:
        return fresh
    known = {tuple(row) for row in await db.fetch(_KNOWN_THREADS, *map(list, zip(*asked, strict=True)))}
    known |= {threads[key] for key, (message, _) in fresh.items() if not message.joins_only}
    return {key: value for key, value in fresh.items() if not value[0].joins_only or threads[key] in known}


def _thread_of(message: Inbound, cited: dict[Key, str]) -> str:
    for reference in message.cites:
        known = cited.get((message.workspace, message.connector, reference))
        if known is not None:
            return known
    return message.thread


async def _cited(db: Database, messages: Sequence[Inbound]) -> dict[Key, str]:
    keys = sorted({(m.workspace, m.connector, reference) for m in messages for reference in m.cites})
    if not keys:
        return {}
    rows = await db.fetch(_CITED, *map(list, zip(*keys, strict=True)))
    return {(row[0], row[1], row[2]): row[3] for row in rows}


async def _lock_threads(db: Database, by_thread: dict[Key, list[_New]]) -> dict[Key, Any]:
    rows = []
    for thread, members in sorted(by_thread.items(), key=lambda item: item[0]):
        opening = members[0]
        customer = opening.customer.id if opening.customer else _anonymous_id(opening.message, thread)
        ticket = derived_id("tkt", opening.message.received_at, opening.id)
        rows.append((*thread, ticket, customer, len(members)))
    locked = await db.fetch(_THREADS, *map(list, zip(*rows, strict=True)))
    return {(row[0], row[1], row[2]): row for row in locked}


def _anonymous_id(message: Inbound, thread: Key) -> str:
    return derived_id("cus", message.received_at, "thread", *thread)


async def _anonymous(customers: Customers, by_thread: dict[Key, list[_New]], rows: dict[Key, Any]) -> None:
    """Messages without an identity are their thread's customer's; a new thread without one makes a customer."""
    nameless = {thread: members for thread, members in by_thread.items() if any(m.customer is None for m in members)}
    if not nameless:
        return
    made = [
        (members[0].message, rows[thread]["customer_id"])
        for thread, members in nameless.items()
        if rows[thread]["number"] == len(members)
        and rows[thread]["customer_id"] == _anonymous_id(members[0].message, thread)
    ]
    await customers.anonymous(made)
    known = await customers.of_ids((thread[0], rows[thread]["customer_id"]) for thread in nameless)
    for thread, members in nameless.items():
        id = rows[thread]["customer_id"]
        for one in members:
            if one.customer is None:
                person = one.message.person
                one.customer = known.get((thread[0], id)) or Known(id, person.name, person.language, person.tier)


def _number(members: Sequence[_New], row: Any, number: int) -> None:
    """Gives the members of a thread the numbers after `number`."""
    for one in members:
        number += 1
        opens = number == row["opened_at_number"] + 1
        one.place = Place(one.id, row["ticket_id"], one.thread[2], number, opens, row["follow_up_of"])
        assert one.customer is not None
        one.fact = message_received(one.message, one.place, one.customer)


async def _store(db: Database, new: Sequence[_New]) -> list[_New]:
    """Inserts the messages; returns those that another process stored between our look and our insert."""
    rows = []
    for one in new:
        assert one.place is not None
        message, place = one.message, one.place
        rows.append(
            (
                *one.key,
                one.id,
                place.ticket_id,
                place.thread,
                place.thread_number,
                message.body_hash,
                message.reference,
                one.raw_id,
                _json(one),
                message.received_at,
            )
        )
    stored = {row[0] for row in await db.fetch(_STORE, *map(list, zip(*rows, strict=True)))}
    if len(stored) == len(new):
        await _store_files(db, new)
        return []
    lost = [one for one in new if one.id not in stored]
    kept = [one for one in new if one.id in stored]
    await _give_back(db, lost, kept)
    await _store_files(db, kept)
    return lost


async def _give_back(db: Database, lost: Sequence[_New], kept: Sequence[_New]) -> None:
    """The numbers of lost messages go back to their threads, whose rows we hold, and those kept are numbered again."""
    counts: dict[Key, int] = {}
    for one in lost:
        counts[one.thread] = counts.get(one.thread, 0) + 1
    given = [(*thread, count) for thread, count in sorted(counts.items())]
    moved = []
    for row in await db.fetch(_GIVE_BACK, *map(list, zip(*given, strict=True))):
        members = [one for one in kept if one.thread == (row["workspace"], row["connector"], row["thread"])]
        _number(members, row, row["number"] - len(members))
        moved += [(one.id, one.place.thread_number, _json(one)) for one in members if one.place]
    if moved:
        await db.execute(_RENUMBER, *map(list, zip(*moved, strict=True)))


def _json(one: _New) -> str:
    assert one.fact is not None
    return orjson.dumps(one.fact.data, option=orjson.OPT_UTC_Z).decode()


async def _store_files(db: Database, new: Sequence[_New]) -> None:
    rows = [
        (
            one.message.workspace,
            file.attachment_id,
            one.message.connector,
            file.name,
            file.content_type,
            len(file.content),
            file.sha256,
            file.content,
            one.message.received_at,
        )
        for one in new
        for file in one.message.files
    ]
    if rows:
        await db.execute(_FILES, *map(list, zip(*rows, strict=True)))


def _answers(
    arrived: Sequence[tuple[Inbound, str | None]], existing: dict[Key, tuple[str, str, str]], new: dict[Key, _New]
) -> list[Accepted | None]:
    """One answer for each message that came, repeats within the group included; None for one that was dropped."""
    answers: list[Accepted | None] = []
    given: set[Key] = set()
    for message, _ in arrived:
        key = (message.workspace, message.connector, message.external_id)
        if key in existing:
            id, ticket, hash = existing[key]
            answers.append(Accepted(id, ticket, True, hash != message.body_hash))
            continue
        one = new.get(key)
        if one is None:
            answers.append(None)
            continue
        assert one.place is not None
        again = key in given
        given.add(key)
        answers.append(
            Accepted(one.id, one.place.ticket_id, again, again and one.message.body_hash != message.body_hash)
        )
    return answers


def _emission(one: _New) -> Emission:
    assert one.place is not None
    assert one.fact is not None
    return Emission(one.key[0], one.place.ticket_id, one.message.received_at, (one.fact,))
