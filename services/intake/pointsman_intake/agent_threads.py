"""Conversations that an agent begins: their customer is found or made, and their thread kept, before the first reply
leaves.

The thread is the desk's own name of the conversation. A connector that reports the provider's (`thread`), or the
provider's id of the first message (`external_id`, which answers cite), has the customer's answer join the ticket; so
does one that posts the answer under the desk's name. `recipient` is what a connector needs to write to them first.
"""

from collections.abc import Sequence
from typing import Any

from pointsman.contracts.desk import TicketOpened
from pointsman.core.ids import derived_id
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_intake.accept.customers import Customers
from pointsman_intake.accept.gather import gather, text_of
from pointsman_intake.accept.threads import take_part
from pointsman_intake.model import Inbound, Person

_ADDRESSES = """
SELECT k.workspace, k.customer_id, i.kind, min(i.value)
FROM json_to_recordset($1::text::json) AS k (workspace text, place text, customer_id text)
JOIN identity i ON i.workspace = k.workspace AND i.customer_id = k.customer_id
WHERE i.kind IN ('email', 'phone', 'handle') AND i.place IN (k.place, '')
GROUP BY 1, 2, 3
"""

# No message of it opens a ticket: the ticket is there.
_KEEP = """
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::text::json)
        AS k (workspace text, connector text, thread text, ticket_id text, customer_id text, recipient jsonb)
), met AS (
    INSERT INTO acquaintance (workspace, connector, customer_id)
    SELECT DISTINCT workspace, connector, customer_id FROM asked ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING
)
INSERT INTO thread (workspace, connector, thread, ticket_id, customer_id, number, opened_at_number, recipient)
SELECT workspace, connector, thread, ticket_id, customer_id, 0, -1, recipient FROM asked
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
"""


async def begin(db: Database, opened: Sequence[tuple[str, TicketOpened]], now: Instant) -> None:
    """Keeps the threads of these (workspace, fact), each with its customer."""
    asked = [_asked(workspace, fact) for workspace, fact in opened]
    customers = Customers(await gather(db, asked, by_agents=True))
    chosen = [customers.choose(inbound, _id_at_the_desk(inbound)) for inbound in asked]
    await customers.write(db, now)
    known = [customers.now(inbound, id or "") for inbound, id in zip(asked, chosen, strict=True)]
    wanted = [
        {"workspace": inbound.workspace, "place": inbound.connector, "customer_id": customer.id}
        for inbound, customer in zip(asked, known, strict=True)
    ]
    addresses: dict[tuple[str, str], dict[str, str]] = {}
    for workspace, customer_id, kind, value in await db.fetch(_ADDRESSES, text_of(wanted)):
        addresses.setdefault((workspace, customer_id), {})[kind] = value
    rows: list[dict[str, Any]] = []
    for inbound, customer in zip(asked, known, strict=True):
        recipient = {
            "id": customer.id,
            "name": customer.name or inbound.person.name,
            **addresses.get((inbound.workspace, customer.id), {}),
            **{kind: value for _, kind, value in inbound.identities if kind != "id"},
        }
        rows.append(
            {
                "workspace": inbound.workspace,
                "connector": inbound.connector,
                "thread": inbound.thread,
                "ticket_id": inbound.external_id,
                "customer_id": customer.id,
                "recipient": {name: value for name, value in recipient.items() if value is not None},
            }
        )
    await db.execute(_KEEP, text_of(rows))
    written = [(inbound, row["recipient"].get("email")) for inbound, row in zip(asked, rows, strict=True)]
    await take_part(
        db,
        [
            ((inbound.workspace, inbound.connector, inbound.thread), email)
            for inbound, email in written
            if email and inbound.channel == "email"
        ],
    )


def _id_at_the_desk(inbound: Inbound) -> str:
    """The id that the desk already shows for them, should they be new."""
    identity = next(iter(inbound.identities), ("", "", ""))
    return derived_id("cus", inbound.received_at, inbound.workspace, *identity)


def _asked(workspace: str, fact: TicketOpened) -> Inbound:
    """The customer, in the form in which accepting asks for one."""
    to = fact.recipient
    assert to is not None
    person = Person(id=to.id, name=to.name, email=to.email, phone=to.phone, handle=to.handle)
    return Inbound(
        workspace=workspace,
        connector=fact.connector,
        channel=fact.channel,
        external_id=fact.ticket_id,
        thread=fact.thread,
        person=person,
        content={},
        received_at=fact.opened_at,
    )
