"""Customers: found by what is known of them, read, and corrected."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Body, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.shapes import EVERYWHERE
from pointsman.runtime.auth import Caller
from pointsman.runtime.http.idempotency import version_of_etag
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import Problem, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.logic import Database
from pointsman_intake.api.callers import ConnectorOrAgent, gate_of, seen_by
from pointsman_intake.shapes import CustomerPut

router = routes_under("/v1/customers", "customers")

# $2 is the connector that asks: of handles it sees its own and those that are names everywhere. None: all are seen.
_SHOWN = """
SELECT c.id, c.name, c.language, c.tier, c.organization, c.owner, c.version, c.created_at, c.updated_at,
       coalesce(array_agg(DISTINCT i.value ORDER BY i.value) FILTER (WHERE i.kind = 'email'), '{}') AS emails,
       coalesce(array_agg(DISTINCT i.value ORDER BY i.value) FILTER (WHERE i.kind = 'phone'), '{}') AS phones,
       coalesce(array_agg(DISTINCT i.value ORDER BY i.value)
                FILTER (WHERE i.kind = 'handle' AND ($2::text IS NULL OR i.place IN ('', $2))), '{}') AS handles
"""
_OF_ALL = f"{_SHOWN} FROM customer c LEFT JOIN identity i ON i.workspace = c.workspace AND i.customer_id = c.id"
_OF_ITS_OWN = f"""
{_SHOWN} FROM acquaintance a JOIN customer c ON c.workspace = a.workspace AND c.id = a.customer_id
LEFT JOIN identity i ON i.workspace = c.workspace AND i.customer_id = c.id
"""
_ONE = f"""
{_OF_ALL} WHERE c.workspace = $1 AND c.id = $3 AND ($2::text IS NULL OR EXISTS (
    SELECT FROM acquaintance a WHERE a.workspace = $1 AND a.connector = $2 AND a.customer_id = c.id))
GROUP BY c.workspace, c.id
"""
_KNOWN_BY = """
    AND NOT EXISTS (
        SELECT 1 FROM unnest($4::text[], $5::text[]) AS k (kind, value)
        WHERE NOT EXISTS (
            SELECT 1 FROM identity x
            WHERE x.workspace = c.workspace AND x.kind = k.kind AND x.customer_id = c.id
                AND (x.value = k.value OR x.folded AND x.value = lower(k.value))
                AND ($2::text IS NULL OR x.place IN ('', $2))))
GROUP BY c.workspace, c.id ORDER BY c.id LIMIT $6
"""
_LIST = f"{_OF_ALL} WHERE c.workspace = $1 AND c.id > $3 {_KNOWN_BY}"
_LIST_OF_ITS_OWN = f"""
{_OF_ITS_OWN} WHERE a.workspace = $1 AND a.connector = $2 AND a.customer_id > $3 {_KNOWN_BY}
"""
# An identity at another connector is no business of the one that asks ($5; empty: an agent, who sees all).
_FORGET = """
DELETE FROM identity WHERE workspace = $1 AND customer_id = $2 AND kind IN ('email', 'phone', 'handle')
    AND (kind, value) NOT IN (SELECT * FROM unnest($3::text[], $4::text[])) AND ($5 = '' OR place IN ('', $5))
"""
# What is known already stays at the connector where it is known.
_LEARN = """
INSERT INTO identity (workspace, place, kind, value, customer_id)
SELECT $1, CASE k.kind WHEN 'handle' THEN $5 ELSE '' END, k.kind, k.value, $2
FROM unnest($3::text[], $4::text[]) AS k (kind, value)
WHERE NOT EXISTS (
    SELECT FROM identity i WHERE i.workspace = $1 AND i.customer_id = $2 AND i.kind = k.kind AND i.value = k.value
        AND ($5 = '' OR i.place IN ('', $5)))
ORDER BY 1, 2, 3, 4
ON CONFLICT DO NOTHING
"""
_OTHERS = """
SELECT i.kind, i.value, i.customer_id, $5 = '' OR EXISTS (
    SELECT FROM acquaintance a WHERE a.workspace = $1 AND a.connector = $5 AND a.customer_id = i.customer_id) AS seen
FROM unnest($3::text[], $4::text[]) AS k (kind, value)
JOIN identity i ON i.workspace = $1 AND i.kind = k.kind AND i.value = k.value AND i.customer_id <> $2
    AND (i.place = '' OR $5 = '' OR i.place = $5)
WHERE NOT EXISTS (
    SELECT FROM identity own
    WHERE own.workspace = $1 AND own.customer_id = $2 AND own.kind = k.kind AND own.value = k.value
        AND ($5 = '' OR own.place IN ('', $5)))
"""
_WRITE = """
UPDATE customer SET name = $3, language = $4, version = version + 1, updated_at = clock_timestamp(),
                    tier = CASE WHEN $6 THEN $7 ELSE tier END,
                    organization = CASE WHEN $6 THEN $8 ELSE organization END,
                    owner = CASE WHEN $6 THEN $9 ELSE owner END
WHERE workspace = $1 AND id = $2 AND ($5::int IS NULL OR version = $5) RETURNING version
"""

RANKING = ("tier", "organization", "owner")
"""What rules, policies and affinity go by: a connector changes it only with `customers: write`."""

Known = Annotated[str | None, Query(max_length=320)]


class CustomerOut(BaseModel):
    """A customer and by what they are known."""

    id: str
    name: str | None
    emails: list[str]
    phones: list[str]
    handles: list[str]
    language: str | None
    tier: str | None
    organization: str | None
    owner: str | None
    version: int
    created_at: datetime
    updated_at: datetime


@router.get("", response_model=Page[CustomerOut])
async def customers(
    request: Request,
    caller: ConnectorOrAgent,
    email: Known = None,
    phone: Known = None,
    handle: Known = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The customers who have all of the given email, phone and handle; a connector finds those of its conversations."""
    after = decode_cursor(cursor, str)[0] if cursor else ""
    given = (("email", email), ("phone", phone), ("handle", handle))
    asked = [(kind, _as_kept(kind, value)) for kind, value in given if value]
    own = seen_by(caller)
    kinds, values = [kind for kind, _ in asked], [value for _, value in asked]
    rows = await gate_of(request).process.pool.fetch(
        _LIST if own is None else _LIST_OF_ITS_OWN, caller.workspace, own, after, kinds, values, limit + 1
    )
    return page_of(rows, limit, dict, lambda row: (row["id"],))


@router.get("/{id}", response_model=CustomerOut)
async def customer(request: Request, caller: ConnectorOrAgent, id: str) -> Response:
    """One customer; a connector's token sees those of its conversations."""
    return _answer(await gate_of(request).process.pool.fetchrow(_ONE, caller.workspace, seen_by(caller), id))


@router.put("/{id}", response_model=CustomerOut)
async def put_customer(
    request: Request, caller: ConnectorOrAgent, id: str, given: Annotated[CustomerPut, Body()]
) -> Response:
    """Sets what is known of a customer, whole. 409 when an identity is another customer's; 412 by `If-Match`. Handles
    that a connector sets are names at that connector; those that an agent sets are names everywhere. `tier`,
    `organization` and `owner` stay as they are when a connector without `customers: write` leaves them out, and are
    refused (403) when it changes them."""
    expected = _version(request.headers.get("if-match"))
    identities = sorted(
        {
            (kind, _as_kept(kind, value))
            for kind, values in (("email", given.emails), ("phone", given.phones), ("handle", given.handles))
            for value in values
        }
    )
    gate, own = gate_of(request), seen_by(caller)
    ranks = own is None or (await gate.connector(caller.workspace, own))[1].ranks_customers
    async with gate.process.pool.acquire() as db, db.transaction():
        known = await db.fetchrow(_ONE, caller.workspace, own, id)
        if known is None:
            raise not_found("customer")
        if not ranks:
            _refuse_ranking(caller, given, known)
        await _identify(db, caller.workspace, id, identities, EVERYWHERE if own is None else own)
        ranking = (given.tier, given.organization, given.owner)
        fields = (given.name, given.language, expected, ranks, *ranking)
        if await db.fetchval(_WRITE, caller.workspace, id, *fields) is None:
            raise Problem(412, "version-mismatch", "the customer is at another version", id=id)
        return _answer(await db.fetchrow(_ONE, caller.workspace, own, id))


def _refuse_ranking(caller: Caller, given: CustomerPut, known: Any) -> None:
    """Raises `Problem` 403 for what would change; what is as it was may come along."""
    changed = [name for name in RANKING if name in given.model_fields_set and getattr(given, name) != known[name]]
    if changed:
        errors = [{"pointer": f"/{name}", "detail": "needs `customers: write` on the connector"} for name in changed]
        detail = f"the connector {caller.sub} has no `customers: write`: leave out {', '.join(changed)}"
        raise Problem(403, "customers-not-writable", detail, errors)


async def _identify(db: Database, workspace: str, id: str, identities: list[tuple[str, str]], place: str) -> None:
    kinds, values = [kind for kind, _ in identities], [value for _, value in identities]
    await db.execute(_LEARN, workspace, id, kinds, values, place)
    others = await db.fetch(_OTHERS, workspace, id, kinds, values, place)
    if others:
        errors = [{"pointer": f"/{row['kind']}s", "detail": f"{row['value']} is {_whose(row)}"} for row in others]
        raise Problem(409, "identity-taken", "an identity is another customer's", errors)
    await db.execute(_FORGET, workspace, id, kinds, values, place)


def _whose(row: Any) -> str:
    return f"the customer {row['customer_id']}'s" if row["seen"] else "another customer's"


def _answer(row: Any) -> Response:
    if row is None:
        raise not_found("customer")
    return Json(dict(row), headers={"ETag": f'"{row["version"]}"'})


def _version(header: str | None) -> int | None:
    if header is None or header.strip() == "*":
        return None
    return version_of_etag(header)


def _as_kept(kind: str, value: str) -> str:
    kept = value.replace("\x00", "").strip()
    return kept.lower() if kind == "email" else kept
