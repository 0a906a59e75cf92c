"""Customers: who wrote, found by what is known of them, and made when nobody is.

The first identity that is known decides, in the order id, email, phone, handle; the others are learnt. Two processes
that meet a new customer at once wait for each other on the identity's row, and the later one takes the other's
customer.

Rows of a release that did not tell letters' cases apart are `folded`: the first who comes with one is meant, and has it
from then on as they write it.
"""

from dataclasses import replace

from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_intake.accept.gather import Gathered, Identity, Known, text_of
from pointsman_intake.model import Inbound

_LEARN = """
WITH learnt AS (
    INSERT INTO identity (workspace, place, kind, value, customer_id)
    SELECT * FROM json_to_recordset($1::text::json)
        AS k (workspace text, place text, kind text, value text, customer_id text)
    ORDER BY 1, 2, 3, 4
    ON CONFLICT DO NOTHING
    RETURNING workspace, place, kind, value
), made AS (
    INSERT INTO customer (workspace, id, name, language, tier, created_at, updated_at)
    SELECT workspace, id, name, language, tier, $3, $3
    FROM json_to_recordset($2::text::json) AS k (workspace text, id text, name text, language text, tier text)
    ORDER BY 1, 2
    ON CONFLICT DO NOTHING
)
SELECT * FROM learnt
"""

_WINNERS = """
SELECT i.workspace, i.place, i.kind, i.value, c.id, c.name, c.language, c.tier, c.organization, c.owner
FROM json_to_recordset($1::text::json) AS k (workspace text, place text, kind text, value text)
JOIN identity i USING (workspace, place, kind, value)
JOIN customer c ON c.workspace = i.workspace AND c.id = i.customer_id
"""

_MOVE = """
WITH gone AS (
    DELETE FROM customer c USING json_to_recordset($1::text::json) AS k (workspace text, loser text)
    WHERE c.workspace = k.workspace AND c.id = k.loser
)
UPDATE identity i SET customer_id = k.winner
FROM json_to_recordset($1::text::json) AS k (workspace text, loser text, winner text)
WHERE i.workspace = k.workspace AND i.customer_id = k.loser
"""

_JOIN = """
UPDATE identity i SET customer_id = k.customer_id
FROM json_to_recordset($1::text::json) AS k (workspace text, place text, kind text, value text, customer_id text)
WHERE (i.workspace, i.place, i.kind, i.value) = (k.workspace, k.place, k.kind, k.value)
"""

# Taken as it is written, or gone, since it was learnt as it is written.
_UNFOLD = """
WITH k AS (SELECT * FROM json_to_recordset($1::text::json)
    AS k (workspace text, place text, kind text, value text, same boolean)
), gone AS (
    DELETE FROM identity i USING k
    WHERE (i.workspace, i.place, i.kind, i.value) = (k.workspace, k.place, k.kind, k.value) AND i.folded AND NOT k.same
)
UPDATE identity i SET folded = false FROM k
WHERE (i.workspace, i.place, i.kind, i.value) = (k.workspace, k.place, k.kind, k.value) AND i.folded AND k.same
"""

_CHANGE = """
WITH locked AS (
    SELECT c.workspace, c.id, k.name, k.language, k.tier
    FROM json_to_recordset($1::text::json) AS k (workspace text, id text, name text, language text, tier text)
    JOIN customer c USING (workspace, id)
    ORDER BY 1, 2 FOR UPDATE OF c
)
UPDATE customer c
SET name = l.name, language = l.language, tier = l.tier, version = c.version + 1, updated_at = $2
FROM locked l WHERE c.workspace = l.workspace AND c.id = l.id
"""


class Customers:
    """The customers of one transaction: `choose` decides on what was gathered, `write` makes it so."""

    def __init__(self, gathered: Gathered) -> None:
        self._known = gathered.identities
        self._folded = gathered.folded
        self._taken: dict[Identity, Identity] = {}
        self._learnt: dict[Identity, str] = {}
        self._joined: dict[Identity, str] = {}
        self._made: dict[tuple[str, str], Known] = {}
        self._changed: dict[tuple[str, str], Known] = {}
        self._moved: dict[tuple[str, str], Known] = {}

    def choose(self, message: Inbound, id: str) -> str | None:
        """The id of the message's customer, `id` when nobody is known; None when its author gave no identity."""
        workspace = message.workspace
        identities = [(workspace, *identity) for identity in message.identities]
        if not identities:
            return None
        for identity in identities:
            old = self._folded.get(identity)
            if old is not None and self._taken.get(old, identity) != identity:
                self._known.pop(identity, None)
                del self._folded[identity]
        if message.names:
            self._join(identities)
        known = next((self._known[identity] for identity in identities if identity in self._known), None)
        if known is None:
            person = message.person
            known = Known(id, person.name, person.language, person.tier)
            self._made[(workspace, known.id)] = known
        else:
            known = self._improved(workspace, known, message)
        for identity in identities:
            old = self._folded.get(identity)
            if old is not None:
                self._taken[old] = identity
            if identity not in self._known or (old is not None and old != identity):
                self._learnt[identity] = known.id
                self._known[identity] = known
        return known.id

    def _join(self, identities: list[Identity]) -> None:
        """The provider says that these are one person's: they are from now on the one's who is known for longest."""
        met = {self._known[identity].id: self._known[identity] for identity in identities if identity in self._known}
        if len(met) < 2:
            return
        oldest = met[min(met)]
        for identity in identities:
            if identity in self._known and self._known[identity].id != oldest.id:
                self._known[identity] = oldest
                if identity in self._learnt:
                    self._learnt[identity] = oldest.id
                else:
                    self._joined[identity] = oldest.id

    def _improved(self, workspace: str, known: Known, message: Inbound) -> Known:
        """What the connector says now of a known customer: a name only where there is none, and so a tier, unless the
        connector may change it; the language always."""
        key, person = (workspace, known.id), message.person
        known = self._made.get(key) or self._changed.get(key) or known
        name, language = known.name or person.name, person.language or known.language
        tier = (person.tier or known.tier) if message.ranks else (known.tier or person.tier)
        if (name, language, tier) != (known.name, known.language, known.tier):
            known = replace(known, name=name, language=language, tier=tier)
            (self._made if key in self._made else self._changed)[key] = known
        return known

    def now(self, message: Inbound, id: str) -> Known:
        """The customer that was chosen for the message, as it is after `write`."""
        key = (message.workspace, id)
        known = self._moved.get(key) or self._made.get(key) or self._changed.get(key)
        if known is not None:
            return known
        identities = ((message.workspace, *identity) for identity in message.identities)
        return next(self._known[identity] for identity in identities if identity in self._known)

    async def write(self, db: Database, now: Instant) -> None:
        """Writes what is new. Where another process was first with an identity, its customer replaces ours."""
        if self._learnt:
            learnt = [
                {"workspace": workspace, "place": place, "kind": kind, "value": value, "customer_id": id}
                for (workspace, place, kind, value), id in sorted(self._learnt.items())
            ]
            won = {tuple(row) for row in await db.fetch(_LEARN, text_of(learnt), text_of(_rows(self._made)), now)}
            lost = [identity for identity in self._learnt if identity not in won]
            if lost:
                await self._give_way(db, lost)
        if self._joined:
            columns = ("workspace", "place", "kind", "value", "customer_id")
            joined = [dict(zip(columns, (*one, id), strict=True)) for one, id in sorted(self._joined.items())]
            await db.execute(_JOIN, text_of(joined))
        if self._taken:
            names = ("workspace", "place", "kind", "value", "same")
            taken = sorted((*old, old == by) for old, by in self._taken.items())
            rows = [dict(zip(names, row, strict=True)) for row in taken]
            await db.execute(_UNFOLD, text_of(rows))
        if self._changed:
            await db.execute(_CHANGE, text_of(_rows(self._changed)), now)

    async def _give_way(self, db: Database, lost: list[Identity]) -> None:
        names = ("workspace", "place", "kind", "value")
        asked = [dict(zip(names, identity, strict=True)) for identity in sorted(lost)]
        moves = []
        for workspace, place, kind, value, *winner in await db.fetch(_WINNERS, text_of(asked)):
            loser = (workspace, self._learnt[workspace, place, kind, value])
            if loser in self._made:
                del self._made[loser]
                self._moved[loser] = Known(*winner)
                if winner[0] != loser[1]:  # in the same millisecond both derived the same id
                    moves.append({"workspace": workspace, "loser": loser[1], "winner": winner[0]})
        if moves:
            await db.execute(_MOVE, text_of(moves))


def _rows(customers: dict[tuple[str, str], Known]) -> list[dict[str, str | None]]:
    return [
        {"workspace": key[0], "id": known.id, "name": known.name, "language": known.language, "tier": known.tier}
        for key, known in sorted(customers.items(), key=lambda item: item[0])
    ]
