"""Conversations that have several names: WhatsApp knows a contact by number, by user id, or by both.

The first name that is known decides, and the others lead to its conversation from then on.
"""

from collections.abc import Mapping, Sequence

from pointsman.runtime.logic import Database
from pointsman_intake.accept.gather import Key, keyed, text_of
from pointsman_intake.model import Inbound

_KNOWN = """
SELECT k.workspace, k.connector, k.key, coalesce(a.thread, t.thread)
FROM json_to_recordset($1::text::json) AS k (workspace text, connector text, key text)
LEFT JOIN alias a ON a.workspace = k.workspace AND a.connector = k.connector AND a.alias = k.key
LEFT JOIN thread t ON t.workspace = k.workspace AND t.connector = k.connector AND t.thread = k.key
WHERE a.thread IS NOT NULL OR t.thread IS NOT NULL
"""

_LEARN = """
INSERT INTO alias (workspace, connector, alias, thread)
SELECT * FROM json_to_recordset($1::text::json) AS k (workspace text, connector text, alias text, thread text)
ORDER BY 1, 2, 3
ON CONFLICT (workspace, connector, alias) DO UPDATE SET thread = excluded.thread
"""


async def threads_by_name(db: Database, messages: Mapping[Key, Inbound]) -> dict[Key, Key]:
    """The conversation of each of these messages that has names, by the message's key."""
    asked = {(*key[:2], name) for key, message in messages.items() for name in message.names}
    if not asked:
        return {}
    rows = await db.fetch(_KNOWN, keyed(sorted(asked)))
    known: dict[Key, Key] = {(row[0], row[1], row[2]): (row[0], row[1], row[3]) for row in rows}
    found: dict[Key, Key] = {}
    learnt: dict[Key, str] = {}
    for key, message in messages.items():
        names: Sequence[Key] = [(*key[:2], name) for name in message.names]
        if not names:
            continue
        thread = next((known[name] for name in names if name in known), names[0])
        found[key] = thread
        for name in names:
            if known.get(name) != thread and name != thread:
                learnt[name] = thread[2]
            known[name] = thread
    if learnt:
        columns = ("workspace", "connector", "alias", "thread")
        rows = [dict(zip(columns, (*name, thread), strict=True)) for name, thread in sorted(learnt.items())]
        await db.execute(_LEARN, text_of(rows))
    return found
