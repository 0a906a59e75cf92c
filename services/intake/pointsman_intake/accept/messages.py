"""Messages: dedupe, threading to a ticket, numbering, storing. The heart of intake."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.core.decision import Emission
from pointsman.core.ids import ordered_id
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_intake.accept.bounces import Returned
from pointsman_intake.accept.customers import Customers
from pointsman_intake.accept.facts import Place, Ready, message_received
from pointsman_intake.accept.files import note_cited, store_files
from pointsman_intake.accept.gather import Gathered, Key, Known, Stored, existing, gather, known_threads, text_of
from pointsman_intake.accept.threads import Destination, Destinations, destinations, remember_parties
from pointsman_intake.model import Accepted, Arrival, Inbound, NewFile

# The row lock of each thread is held from here to the commit, so the numbers that it hands out are contiguous and two
# first messages of a conversation make one ticket. `closed` comes in for messages that only join: they leave it so.
_THREADS = """
WITH locked AS (
    INSERT INTO thread AS t (workspace, connector, thread, ticket_id, customer_id, number, follow_up_of, closed)
    SELECT * FROM json_to_recordset($1::text::json)
        AS k (workspace text, connector text, thread text, ticket_id text, customer_id text, number int,
              follow_up_of text, closed boolean)
    ORDER BY 1, 2, 3
    ON CONFLICT (workspace, connector, thread) DO UPDATE SET
        number = t.number + excluded.number,
        opened_at_number = CASE WHEN t.closed AND NOT excluded.closed THEN t.number ELSE t.opened_at_number END,
        follow_up_of = CASE WHEN t.closed AND NOT excluded.closed THEN t.ticket_id ELSE t.follow_up_of END,
        ticket_id = CASE WHEN t.closed AND NOT excluded.closed THEN excluded.ticket_id ELSE t.ticket_id END,
        closed = t.closed AND excluded.closed
    RETURNING workspace, connector, thread, ticket_id, customer_id, number, opened_at_number, follow_up_of
)
SELECT l.*, c.id, c.name, c.language, c.tier, c.organization, c.owner
FROM locked l LEFT JOIN customer c ON c.workspace = l.workspace AND c.id = l.customer_id
"""

_STORE = """
WITH bytes AS (
    INSERT INTO raw (id, workspace, connector, at, content_type, headers, body)
    SELECT m ->> 'id', m ->> 'workspace', m ->> 'connector', (m ->> 'at')::timestamptz, m ->> 'content_type',
           (m -> 'headers')::text::jsonb, r.body
    FROM unnest($2::text[], $3::bytea[]) AS r (meta, body), LATERAL (SELECT r.meta::json AS m) AS meta
), nameless AS (
    INSERT INTO customer (workspace, id, name, language, tier, created_at, updated_at)
    SELECT workspace, id, name, language, tier, $5, $5
    FROM json_to_recordset($4::text::json) AS k (workspace text, id text, name text, language text, tier text)
    ON CONFLICT DO NOTHING
), met AS (
    INSERT INTO acquaintance (workspace, connector, customer_id)
    SELECT * FROM json_to_recordset($6::text::json) AS k (workspace text, connector text, customer_id text)
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING
)
INSERT INTO message (workspace, connector, external_id, id, ticket_id, thread, thread_number, body_hash, reference,
                     raw_id, body, received_at, deletes)
SELECT * FROM json_to_recordset($1::text::json)
    AS k (workspace text, connector text, external_id text, id text, ticket_id text, thread text, thread_number int,
          body_hash text, reference text, raw_id text, body json, received_at timestamptz, deletes text)
ORDER BY 1, 2, 3
ON CONFLICT (workspace, connector, external_id) DO NOTHING
RETURNING id
"""

_GIVE_BACK = """
UPDATE thread t SET number = t.number - k.number
FROM json_to_recordset($1::text::json) AS k (workspace text, connector text, thread text, number int)
WHERE t.workspace = k.workspace AND t.connector = k.connector AND t.thread = k.thread
RETURNING t.workspace, t.connector, t.thread, t.ticket_id, t.customer_id, t.number, t.opened_at_number, t.follow_up_of
"""

_RENUMBER = """
UPDATE message m SET thread_number = k.thread_number, body = k.body
FROM json_to_recordset($1::text::json) AS k (id text, thread_number int, body json)
WHERE m.id = k.id
"""

Arrived = tuple[Inbound, Arrival, str | None]
"""A message, the call that brought it, and the id that the call's bytes will have."""


@dataclass(slots=True)
class _New:
    """A message that is not in the table yet, on its way to its place; `order` is that within the commit."""

    key: Key
    thread: Key
    message: Inbound
    arrival: Arrival
    raw_id: str | None
    order: int
    id: str
    customer: Known | None = None
    nameless: str | None = None
    replaces_id: str | None = None
    place: Place | None = None
    fact: Ready | None = None

    @property
    def only_joins(self) -> bool:
        """Whether it begins nothing: it makes sense only on a conversation, or is about a message that is there."""
        return self.message.joins_only or self.replaces_id is not None


@dataclass(frozen=True, slots=True)
class Taken:
    """Where each message went (None: it had no conversation to join), and the facts."""

    answers: Sequence[Accepted | None] = ()
    emissions: Sequence[Emission] = ()


async def accept_messages(
    db: Database, arrived: Sequence[Arrived], returned: Mapping[Key, Returned], now: Instant
) -> Taken:
    """Puts each message on its ticket and stores it with its bytes. The ids of what is new ascend in the order in which
    the messages came: what waits equally long is served in it."""
    if not arrived:
        return Taken()
    gathered = await gather(db, [message for message, _, _ in arrived])
    there = gathered.messages
    first: dict[Key, Arrived] = {}
    for one in arrived:
        key = (one[0].workspace, one[0].connector, one[0].external_id)
        if one[0].earlier_id is not None and (earlier := there.get((*key[:2], one[0].earlier_id))) is not None:
            there.setdefault(key, earlier)
        if key not in there:
            first.setdefault(key, one)
    new = await _place(db, gathered, first, returned, now) if first else {}
    lost = await _store(db, list(new.values()), now) if new else []
    if lost:
        there.update(await existing(db, [one.key for one in lost]))
        for loser in lost:
            del new[loser.key]
    return Taken(_answers(arrived, there, new), [_emission(one) for one in new.values()])


async def _place(
    db: Database, gathered: Gathered, fresh: dict[Key, Arrived], returned: Mapping[Key, Returned], now: Instant
) -> dict[Key, _New]:
    """Customer, thread, ticket and number of each new message, in the order in which they came."""
    said = {key: message for key, (message, _, _) in fresh.items()}
    found = await destinations(db, said, gathered, returned)
    fresh = await _joining(db, fresh, found.of)
    if not fresh:
        return {}
    customers = Customers(gathered)
    chosen = {
        key: customers.choose(message, ordered_id("cus", now, place, *key))
        for place, (key, (message, _, _)) in enumerate(fresh.items())
    }
    await customers.write(db, now)
    new: dict[Key, _New] = {}
    by_thread: dict[Key, list[_New]] = {}
    for place, (key, (message, arrival, raw_id)) in enumerate(fresh.items()):
        one = _New(key, found.of[key].thread, message, arrival, raw_id, place, ordered_id("msg", now, place, *key))
        customer = chosen[key]
        if customer is not None:
            one.customer = customers.now(message, customer)
        new[key] = one
        by_thread.setdefault(one.thread, []).append(one)
    for one in new.values():
        if one.message.replaces is not None:
            key = (*one.key[:2], one.message.replaces)
            one.replaces_id = new[key].id if key in new else gathered.replaced.get(key, (None, ""))[0]
    for row in await _lock_threads(db, by_thread, found, now):
        members = by_thread[(row[0], row[1], row[2])]
        _name(members, row)
        _number(members, row, row["number"] - len(members))
    return new


async def _joining(db: Database, fresh: dict[Key, Arrived], to: dict[Key, Destination]) -> dict[Key, Arrived]:
    """Those that have a conversation to join, or may begin one."""
    asked = sorted({to[key].thread for key, (message, _, _) in fresh.items() if message.joins_only})
    if not asked:
        return fresh
    known = await known_threads(db, asked)
    known |= {to[key].thread for key, (message, _, _) in fresh.items() if not message.joins_only}
    return {key: one for key, one in fresh.items() if not one[0].joins_only or to[key].thread in known}


async def _lock_threads(db: Database, by_thread: dict[Key, list[_New]], found: Destinations, now: Instant) -> list[Any]:
    """The conversations' rows, made where there were none; a new one follows up the ticket that its first message
    cites, which may be new itself."""
    tickets = dict(found.tickets)
    rows: list[dict[str, Any]] = []
    cited: list[Key | None] = []
    for thread, members in sorted(by_thread.items(), key=lambda item: item[0]):
        members.sort(key=lambda one: one.only_joins)  # what begins a ticket is the first on it
        opening = members[0]
        if opening.customer is None:
            opening.nameless = ordered_id("cus", now, opening.order, "thread", opening.id)
        ticket = ordered_id("tkt", now, opening.order, opening.id)
        tickets.setdefault(thread, ticket)
        cited.append(found.of[opening.key].cited)
        rows.append(
            {
                "workspace": thread[0],
                "connector": thread[1],
                "thread": thread[2],
                "ticket_id": ticket,
                "customer_id": opening.customer.id if opening.customer else opening.nameless,
                "number": len(members),
                "closed": opening.only_joins,
            }
        )
    for row, key in zip(rows, cited, strict=True):
        row["follow_up_of"] = None if key is None else tickets[key]
    locked: list[Any] = await db.fetch(_THREADS, text_of(rows))
    return locked


def _name(members: Sequence[_New], row: Any) -> None:
    """Messages without an identity are their thread's customer's: of a new thread, one who is made with it."""
    for one in members:
        if one.customer is None and row["id"] is not None:
            known = (row[name] for name in ("id", "name", "language", "tier", "organization", "owner"))
            one.customer = Known(*known)
        elif one.customer is None:
            person = one.message.person
            one.customer = Known(row["customer_id"], person.name, person.language, person.tier)


def _number(members: Sequence[_New], row: Any, number: int) -> None:
    """Gives the members of a thread the numbers after `number`."""
    for one in members:
        number += 1
        opens = number == row["opened_at_number"] + 1
        one.place = Place(one.id, row["ticket_id"], one.thread[2], number, opens, row["follow_up_of"], one.replaces_id)
        assert one.customer is not None
        one.fact = message_received(one.message, one.place, one.customer)


async def _store(db: Database, new: Sequence[_New], now: Instant) -> list[_New]:
    """Inserts the messages with their bytes; returns those that another process stored since we looked."""
    rows = []
    for one in new:
        assert one.place is not None
        assert one.fact is not None
        rows.append(
            {
                "workspace": one.key[0],
                "connector": one.key[1],
                "external_id": one.key[2],
                "id": one.id,
                "ticket_id": one.place.ticket_id,
                "thread": one.place.thread,
                "thread_number": one.place.thread_number,
                "body_hash": one.message.body_hash,
                "reference": one.message.reference,
                "raw_id": one.raw_id,
                "body": one.fact.data,
                "received_at": one.message.received_at,
                "deletes": one.message.deletes,
            }
        )
    metas, bodies = _raw_rows(new)
    made, met = text_of(_nameless(new)), text_of(_met(new))
    stored = {row[0] for row in await db.fetch(_STORE, text_of(rows), metas, bodies, made, now, met)}
    lost = [one for one in new if one.id not in stored]
    kept = [one for one in new if one.id in stored] if lost else new
    if lost:
        await _give_back(db, lost, kept)
    await store_files(db, [file for one in kept for file in _files_of(one)])
    await note_cited(db, [cited for one in kept for cited in _cited_by(one)])
    await remember_parties(db, [(one.thread, one.message) for one in kept])
    return lost


def _raw_rows(new: Sequence[_New]) -> tuple[list[str], list[bytes]]:
    """The bytes of the calls that brought something new, each once."""
    calls = {one.raw_id: one.arrival for one in new if one.raw_id is not None}
    metas, bodies = [], []
    for id, arrival in calls.items():
        raw = arrival.raw
        assert raw is not None
        metas.append(
            text_of(
                {
                    "id": id,
                    "workspace": arrival.workspace,
                    "connector": arrival.connector,
                    "at": arrival.at,
                    "content_type": raw.content_type,
                    "headers": raw.headers,
                }
            )
        )
        bodies.append(raw.body)
    return metas, bodies


def _nameless(new: Sequence[_New]) -> list[dict[str, str | None]]:
    """The customers of new conversations of whom nothing else is known."""
    made = {}
    for one in new:
        known = one.customer
        if known is not None and known.id == one.nameless:
            made[(one.key[0], known.id)] = {
                "workspace": one.key[0],
                "id": known.id,
                "name": known.name,
                "language": known.language,
                "tier": known.tier,
            }
    return list(made.values())


def _met(new: Sequence[_New]) -> list[dict[str, str]]:
    """Which connectors have a conversation with whom from now on."""
    pairs = {(*one.key[:2], one.customer.id) for one in new if one.customer is not None}
    return [dict(zip(("workspace", "connector", "customer_id"), pair, strict=True)) for pair in sorted(pairs)]


async def _give_back(db: Database, lost: Sequence[_New], kept: Sequence[_New]) -> None:
    """The numbers of lost messages go back to their threads, whose rows we hold, and those kept are numbered again."""
    counts: dict[Key, int] = {}
    for one in lost:
        counts[one.thread] = counts.get(one.thread, 0) + 1
    given = [
        {"workspace": thread[0], "connector": thread[1], "thread": thread[2], "number": count}
        for thread, count in sorted(counts.items())
    ]
    moved = []
    for row in await db.fetch(_GIVE_BACK, text_of(given)):
        members = [one for one in kept if one.thread == (row["workspace"], row["connector"], row["thread"])]
        _number(members, row, row["number"] - len(members))
        for one in members:
            assert one.place is not None
            assert one.fact is not None
            moved.append({"id": one.id, "thread_number": one.place.thread_number, "body": one.fact.data})
    if moved:
        await db.execute(_RENUMBER, text_of(moved))


def _files_of(one: _New) -> Iterator[tuple[str, str, Instant, str, str, NewFile]]:
    assert one.place is not None
    message, ticket = one.message, one.place.ticket_id
    for file in message.files:
        yield message.workspace, message.connector, message.received_at, one.id, ticket, file


def _cited_by(one: _New) -> Iterator[tuple[str, str, str, str]]:
    assert one.place is not None
    message, own = one.message, {file.attachment_id for file in one.message.files}
    for reference in message.content.get("attachments", ()):
        id = reference.get("attachment_id")
        if id is not None and id not in own:
            yield message.workspace, id, one.id, one.place.ticket_id


def _answers(arrived: Sequence[Arrived], there: dict[Key, Stored], new: dict[Key, _New]) -> list[Accepted | None]:
    """One answer for each message that came, repeats within the group included; None for one that was dropped."""
    answers: list[Accepted | None] = []
    given: set[Key] = set()
    for message, _, _ in arrived:
        key = (message.workspace, message.connector, message.external_id)
        if (known := there.get(key)) is not None:
            answers.append(Accepted(known[0], known[1], True, known[2] != message.body_hash))
            continue
        one = new.get(key)
        if one is None or one.place is None:
            answers.append(None)
            continue
        again = key in given
        given.add(key)
        differs = again and one.message.body_hash != message.body_hash
        answers.append(Accepted(one.id, one.place.ticket_id, again, differs))
    return answers


def _emission(one: _New) -> Emission:
    assert one.place is not None
    assert one.fact is not None
    return Emission(one.key[0], one.place.ticket_id, one.message.received_at, (one.fact,))
