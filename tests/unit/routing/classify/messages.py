"""Messages and classifiers for tests."""

from typing import Any

from pointsman.contracts.document import read_document
from pointsman.contracts.requests import CustomerSeen, MessageReceived
from pointsman.contracts.shapes import Author, Hints
from pointsman.core.instant import parse_rfc3339
from pointsman_routing.classify import Classifier


def a_message(text: str = "Hello", *, at: str = "2026-11-23T10:00:00Z", **fields: Any) -> MessageReceived:
    """A customer's message on the connector `site` (chat); `tier`, `organization`, `speaks` are the customer's."""
    customer = CustomerSeen(
        id="cus_1",
        tier=fields.pop("tier", None),
        organization=fields.pop("organization", None),
        language=fields.pop("speaks", None),
    )
    hints = fields.pop("hints", None)
    defaults: dict[str, Any] = {"connector": "site", "channel": "chat", "text": text, "customer": customer}
    return MessageReceived(
        message_id="msg_1",
        ticket_id="tkt_1",
        thread_number=1,
        opens=True,
        external_id="1",
        thread="t",
        author=Author(kind="customer", id="cus_1"),
        hints=Hints(**hints) if hints else None,
        occurred_at=parse_rfc3339(at),
        received_at=parse_rfc3339(at),
        **{**defaults, **fields},
    )


def a_classifier(*rules: dict[str, Any], **sections: Any) -> Classifier:
    """The classifier of a workspace with the queues `general`, `billing` and `technical`, and these rules."""
    document = {
        "workspace": "acme",
        "languages": ["en", "it", "de", "ru", "zh-Hant"],
        "queues": {"general": {}, "billing": {}, "technical": {}},
        "skills": ["billing", "technical", "lang-it", "lang-zh-Hant"],
        "connectors": {"site": {"channel": "chat", "kind": "json", "hints": True}},
        **sections,
    }
    classify = {"rules": list(rules), **sections.get("classify", {})}
    return Classifier(read_document({**document, "classify": classify}))
