"""Customers: who wrote, found by what is known of them, and made when nobody is.

The first identity that is known decides, in the order id, email, phone, handle; the others are learnt. Two processes
that meet a new customer at once wait for each other on the identity's row, and the later one takes the other's
customer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pointsman.core.ids import derived_id
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_intake.model import Inbound, Person

_FIND = """
SELECT i.workspace, i.kind, i.value, c.id, c.name, c.language, c.tier, c.organization
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, kind, value)
JOIN identity i USING (workspace, kind, value)
JOIN customer c ON c.workspace = i.workspace AND c.id = i.customer_id
"""

_FIND_BY_ID = """
SELECT c.workspace, c.id, c.name, c.language, c.tier, c.organization
FROM unnest($1::text[], $2::text[]) AS k (workspace, id) JOIN customer c USING (workspace, id)
"""

_LEARN = """
INSERT INTO identity (workspace, kind, value, customer_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS k (workspace, kind, value, customer_id)
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
RETURNING workspace, kind, value
"""

_MOVE = """
UPDATE identity SET customer_id = k.winner
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, loser, winner)
WHERE identity.workspace = k.workspace AND identity.customer_id = k.loser
"""

_MAKE = """
INSERT INTO customer (workspace, id, name, language, tier, created_at, updated_at)
SELECT workspace, id, name, language, tier, $6, $6
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS k (workspace, id, name, language, tier)
ORDER BY 1, 2
"""

_UPDATE = """
WITH locked AS (
    SELECT c.workspace, c.id, k.name, k.language, k.tier
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS k (workspace, id, name, language, tier)
    JOIN customer c USING (workspace, id)
    ORDER BY 1, 2 FOR UPDATE OF c
)
UPDATE customer c
SET name = l.name, language = l.language, tier = l.tier, version = c.version + 1, updated_at = $6
FROM locked l WHERE c.workspace = l.workspace AND c.id = l.id
"""

Identity = tuple[str, str, str]
"""(workspace, kind, lower-cased value)."""


@dataclass(frozen=True, slots=True)
class Known:
    """A customer as the table (or this transaction) has it."""

    id: str
    name: str | None
    language: str | None
    tier: str | None
    organization: str | None = None


class Customers:
    """The customers of one transaction."""

    def __init__(self, db: Database, now: Instant) -> None:
        self._db = db
        self._now = now
        self._by_identity: dict[Identity, Known] = {}
        self._made: dict[tuple[str, str], Known] = {}
        self._changed: dict[tuple[str, str], Known] = {}

    async def find(self, messages: Sequence[Inbound]) -> list[Known | None]:
        """The customer of each message, made if need be; None for one whose author gave no identity."""
        asked = [
            [(message.workspace, kind, value) for kind, value in message.person.identities()] for message in messages
        ]
        await self._look_up({identity for identities in asked for identity in identities})
        learnt: dict[Identity, str] = {}
        chosen = [
            self._choose(message, identities, learnt) if identities else None
            for message, identities in zip(messages, asked, strict=True)
        ]
        moved = await self._learn(learnt) if learnt else {}
        await self._make()
        await self._write_changed()
        return [
            None if known is None else self._latest(message.workspace, moved.get(known.id, known))
            for message, known in zip(messages, chosen, strict=True)
        ]

    async def anonymous(self, made: Iterable[tuple[Inbound, str]]) -> None:
        """Customers of whom nothing is known but their conversation, under ids that the caller derived from it."""
        rows = [(m.workspace, id, m.person.name, m.person.language, m.person.tier) for m, id in made]
        if rows:
            await self._db.execute(_MAKE, *map(list, zip(*rows, strict=True)), self._now)

    async def of_ids(self, ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """The customers with these (workspace, id)."""
        keys = sorted(set(ids))
        if not keys:
            return {}
        rows = await self._db.fetch(_FIND_BY_ID, *map(list, zip(*keys, strict=True)))
        return {(row[0], row[1]): Known(*tuple(row)[1:]) for row in rows}

    async def _look_up(self, identities: set[Identity]) -> None:
        if not identities:
            return
        for row in await self._db.fetch(_FIND, *map(list, zip(*sorted(identities), strict=True))):
            self._by_identity[(row[0], row[1], row[2])] = Known(*tuple(row)[3:])
        ours = [(workspace, value) for workspace, kind, value in identities if kind == "id" and value[:4] == "cus_"]
        for (workspace, id), known in (await self.of_ids(ours)).items():
            self._by_identity[(workspace, "id", id)] = known

    def _choose(self, message: Inbound, identities: list[Identity], learnt: dict[Identity, str]) -> Known:
        by_identity = self._by_identity
        known = next((by_identity[identity] for identity in identities if identity in by_identity), None)
        workspace, person = message.workspace, message.person
        if known is None:
            id = derived_id("cus", message.received_at, *identities[0])
            known = Known(id, person.name, person.language, person.tier)
            self._made[(workspace, id)] = known
        else:
            known = self._improved(workspace, self._latest(workspace, known), person)
        for identity in identities:
            if identity not in by_identity:
                learnt[identity] = known.id
                by_identity[identity] = known
        return known

    def _improved(self, workspace: str, known: Known, person: Person) -> Known:
        """What the connector says now of a known customer: a name only where there is none, language, tier always."""
        better = replace(
            known,
            name=known.name or person.name,
            language=person.language or known.language,
            tier=person.tier or known.tier,
        )
        if better != known:
            key = (workspace, known.id)
            (self._made if key in self._made else self._changed)[key] = better
        return better

    def _latest(self, workspace: str, known: Known) -> Known:
        key = (workspace, known.id)
        return self._made.get(key) or self._changed.get(key) or known

    async def _learn(self, learnt: dict[Identity, str]) -> dict[str, Known]:
        """Inserts the identities. Where another process was first, its customer replaces ours: loser id → winner."""
        rows = [(*identity, learnt[identity]) for identity in sorted(learnt)]
        won = {tuple(row) for row in await self._db.fetch(_LEARN, *map(list, zip(*rows, strict=True)))}
        lost = [identity for identity in learnt if identity not in won]
        if not lost:
            return {}
        moved: dict[str, Known] = {}
        moves = []
        for row in await self._db.fetch(_FIND, *map(list, zip(*sorted(lost), strict=True))):
            workspace, loser, winner = row[0], learnt[(row[0], row[1], row[2])], Known(*tuple(row)[3:])
            if (workspace, loser) in self._made:
                del self._made[(workspace, loser)]
                moved[loser] = winner
                moves.append((workspace, loser, winner.id))
        if moves:
            await self._db.execute(_MOVE, *map(list, zip(*sorted(moves), strict=True)))
        return moved

    async def _make(self) -> None:
        rows = [
            (workspace, known.id, known.name, known.language, known.tier)
            for (workspace, _), known in sorted(self._made.items(), key=lambda item: item[0])
        ]
        if rows:
            await self._db.execute(_MAKE, *map(list, zip(*rows, strict=True)), self._now)

    async def _write_changed(self) -> None:
        rows = [
            (workspace, known.id, known.name, known.language, known.tier)
            for (workspace, _), known in sorted(self._changed.items(), key=lambda item: item[0])
        ]
        if rows:
            await self._db.execute(_UPDATE, *map(list, zip(*rows, strict=True)), self._now)
