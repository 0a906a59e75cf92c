"""What a mailer needs to send a reply as a mail: to whom, its subject, its own Message-ID and those that it answers.

All of it is decided once, when the reply is queued, so that every try sends the same mail. The Message-ID is ours; when
the mailer reports another, both lead to the conversation.

Source: RFC 5322, section 3.6.4.
"""

from collections.abc import Sequence
from typing import Any

import re2

from pointsman.contracts.desk import TicketReplied
from pointsman.runtime.logic import Database
from pointsman_intake.accept.gather import text_of

REFERENCES_MAX = 20

# Of the conversation, the message that the reply answers, else the customer's last one; no program's.
_ANSWERED = """
SELECT k.place, p.reference, p.subject, p.email, p.reply_to, p.chain, t.recipient ->> 'email' AS recipient,
       c.connectors -> k.connector -> 'addresses' AS own,
       (SELECT min(i.value) FROM identity i
        WHERE i.workspace = k.workspace AND i.customer_id = t.customer_id AND i.kind = 'email') AS known
FROM json_to_recordset($1::text::json)
    AS k (place int, workspace text, connector text, thread text, reply_to_message text)
LEFT JOIN thread t ON t.workspace = k.workspace AND t.connector = k.connector AND t.thread = k.thread
LEFT JOIN LATERAL (
    SELECT connectors FROM config WHERE config.workspace = k.workspace ORDER BY version DESC LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT m.reference, m.body ->> 'subject' AS subject, m.body #>> '{customer,email}' AS email,
           CASE WHEN m.body #> '{headers,list-id}' IS NULL THEN m.body #>> '{headers,reply-to}' END AS reply_to,
           ARRAY(SELECT e.reference FROM message e
                 WHERE e.workspace = m.workspace AND e.connector = m.connector AND e.thread = m.thread
                   AND e.reference IS NOT NULL AND e.thread_number <= m.thread_number
                   AND e.body ->> 'automatic' IS NULL
                 ORDER BY e.thread_number DESC LIMIT $2) AS chain
    FROM message m
    WHERE m.workspace = k.workspace AND m.connector = k.connector AND m.thread = k.thread
        AND m.body #>> '{author,kind}' = 'customer' AND m.body ->> 'automatic' IS NULL
    ORDER BY m.id = k.reply_to_message DESC NULLS LAST, m.thread_number DESC LIMIT 1
) p ON true
"""

_NAME = """
INSERT INTO sent_as (workspace, connector, reference, message_id)
SELECT * FROM json_to_recordset($1::text::json)
    AS k (workspace text, connector text, reference text, message_id text)
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
"""

_ADDRESS = re2.compile(r"[^\s<>()\[\],;:\"@]{1,128}@[^\s<>()\[\],;:\"@]{1,255}")
_ANSWERS = re2.compile(r"(?i)^(re|aw|sv|vs|antw|r)(\[\d+\])?\s*:")


async def as_mails(db: Database, replied: Sequence[tuple[str, TicketReplied]]) -> dict[str, dict[str, Any]]:
    """The mail's fields of each of these (workspace, reply) on a channel of mail, by the reply's id; their Message-IDs
    lead to their conversations from now on."""
    mails = [(workspace, reply) for workspace, reply in replied if reply.channel == "email"]
    if not mails:
        return {}
    asked = [
        {
            "place": place,
            "workspace": workspace,
            "connector": reply.connector,
            "thread": reply.thread,
            "reply_to_message": reply.reply_to_message,
        }
        for place, (workspace, reply) in enumerate(mails)
    ]
    fields: dict[str, dict[str, Any]] = {}
    names = []
    for row in await db.fetch(_ANSWERED, text_of(asked), REFERENCES_MAX):
        workspace, reply = mails[row["place"]]
        own = [address.lower() for address in row["own"] or ()]
        name = f"{reply.message_id}@{_domain(own, workspace)}"
        fields[reply.message_id] = _fields(reply, row, own) | {"message_id": f"<{name}>"}
        names.append(
            {
                "workspace": workspace,
                "connector": reply.connector,
                "reference": name,
                "message_id": reply.message_id,
            }
        )
    await db.execute(_NAME, text_of(names))
    return fields


def _fields(reply: TicketReplied, row: Any, own: Sequence[str]) -> dict[str, Any]:
    chain = [f"<{one}>" for one in reversed(row["chain"] or ()) if _real(one)]
    answered = row["reference"]
    subject = row["subject"] or reply.subject or ""
    fields: dict[str, Any] = {"to": _to(row, own), "cc": list(reply.cc), "references": chain}
    if answered is not None:
        fields["subject"] = subject if _ANSWERS.search(subject) else f"Re: {subject}".strip()
    else:
        fields["subject"] = subject
    if answered is not None and _real(answered):
        fields["in_reply_to"] = f"<{answered}>"
    return fields


def _to(row: Any, own: Sequence[str]) -> list[str]:
    """Where the customer wants answers, else where they wrote from, else where an agent wrote to them. Never ourselves,
    nor a list that the mail came through."""
    asked = [found.lower() for found in _ADDRESS.findall(row["reply_to"] or "")]
    for address in (*asked, row["email"], row["recipient"], row["known"]):
        if address and address.lower() not in own:
            return [address]
    return []


def _real(reference: str) -> bool:
    """Whether it is a Message-ID that a mail had."""
    return "@" in reference and not reference.endswith("@no-message-id")


def _domain(own: Sequence[str], workspace: str) -> str:
    """The right side of our Message-IDs: the domain of the mailbox."""
    return next((address.rpartition("@")[2] for address in own if "@" in address), f"{workspace}.invalid")
