"""Delivery reports find the reply that they are about: by its Message-ID, else by the recipient.

Found, the report goes on the reply's conversation, whoever sent it, and the reply's delivery has failed. A report that
is about nothing of ours has no conversation and opens none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pointsman.runtime.logic import Database
from pointsman_intake.accept.gather import Key, text_of
from pointsman_intake.model import Inbound, Report

# Of several replies that a report names, the one that it names first; of those to a recipient, the newest of some days.
_FIND = """
SELECT DISTINCT ON (k.place) k.place, d.id, d.thread
FROM json_to_recordset($1::text::json)
    AS k (place int, workspace text, connector text, key text, rank int, known boolean)
CROSS JOIN LATERAL (
    SELECT d.id, d.thread, d.number FROM sent_as s JOIN delivery d ON d.workspace = s.workspace AND d.id = s.message_id
    WHERE k.known AND s.workspace = k.workspace AND s.connector = k.connector AND s.reference = k.key
    UNION ALL
    SELECT d.id, d.thread, d.number FROM identity i JOIN delivery d
        ON d.workspace = i.workspace AND d.customer_id = i.customer_id AND d.connector = k.connector
    WHERE NOT k.known AND i.workspace = k.workspace AND i.kind = 'email' AND i.value = k.key
        AND d.created_at > clock_timestamp() - interval '7 days'
) AS d
ORDER BY k.place, k.rank, d.number DESC
"""


@dataclass(frozen=True, slots=True)
class Returned:
    """The reply that a delivery report is about, and its conversation."""

    message_id: str
    thread: Key


async def find_returned(db: Database, messages: Sequence[Inbound]) -> Mapping[Key, Returned]:
    """Those delivery reports among the messages that are about a reply of ours, by the message's key."""
    reports = [message for message in messages if message.bounced is not None]
    asked = []
    for place, message in enumerate(reports):
        bounced = message.bounced
        assert bounced is not None
        names = [(name, True) for name in bounced.references]
        names += [(address, False) for address in bounced.recipients]
        for rank, (name, known) in enumerate(names):
            where = {"place": place, "workspace": message.workspace, "connector": message.connector}
            asked.append(where | {"key": name, "rank": rank, "known": known})
    if not asked:
        return {}
    found: dict[Key, Returned] = {}
    for place, id, thread in await db.fetch(_FIND, text_of(asked)):
        message = reports[place]
        key = (message.workspace, message.connector, message.external_id)
        found[key] = Returned(id, (message.workspace, message.connector, thread))
    return found


def failures(messages: Sequence[Inbound], returned: Mapping[Key, Returned]) -> list[Report]:
    """What the delivery reports say of the replies that they found; a delay says nothing yet."""
    reports = []
    for message in messages:
        found = returned.get((message.workspace, message.connector, message.external_id))
        if found is not None and message.bounced is not None and message.bounced.failed:
            why = message.bounced.reason
            reports.append(
                Report(message.workspace, message.connector, "failed", found.message_id, reason=why, permanent=True)
            )
    return reports


def as_reports(message: Inbound, returned: Mapping[Key, Returned]) -> Inbound:
    """The message as it is put on its conversation: one that is about a reply of ours is a delivery report, though its
    headers left that open."""
    if (message.workspace, message.connector, message.external_id) not in returned or message.joins_only:
        return message
    return replace(message, content=message.content | {"automatic": "bounce"}, joins_only=True)
