"""WhatsApp's part of Meta's webhooks. A conversation is a contact at one of our numbers.

Source: Meta, "WhatsApp Cloud API: webhooks, components and examples".
"""

from collections.abc import Iterator
from typing import Any, Literal

from pointsman_intake.hooks.fields import Fields, instant_of, object_of, objects_of, text_of
from pointsman_intake.model import Person, Report
from pointsman_intake.said import File, Ignored, Said

_MEDIA = ("image", "video", "audio", "document", "sticker", "voice")
_STATES: dict[str, Literal["sent", "delivered", "read", "failed"]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}


def read_change(field: str, value: Fields, workspace: str, connector: str) -> Iterator[Said | Report | Ignored]:
    """The messages and statuses of one change of a business account."""
    number = text_of(object_of(value, "metadata"), "phone_number_id")
    names = {
        text_of(contact, "wa_id"): text_of(object_of(contact, "profile"), "name")
        for contact in objects_of(value, "contacts")
    }
    empty = True
    for message in objects_of(value, "messages"):
        empty = False
        yield _message(message, number, names)
    for status in objects_of(value, "statuses"):
        empty = False
        yield _status(status, workspace, connector)
    for _ in objects_of(value, "message_echoes"):
        empty = False
        yield Ignored("echo", "said from the business's own app")
    if empty:
        yield Ignored(field or "change", "not a message")


def _status(status: Fields, workspace: str, connector: str) -> Report | Ignored:
    state, id = _STATES.get(text_of(status, "status")), text_of(status, "id")
    if state is None or not id:
        return Ignored("status", "of a kind that says nothing about delivery")
    errors = objects_of(status, "errors")
    reason = text_of(errors[0], "title") or text_of(errors[0], "message") if errors else None
    return Report(workspace, connector, state, external_id=id, reason=reason, permanent=state == "failed")


def _message(message: Fields, number: str, names: dict[str, str]) -> Said | Ignored:
    sender, id, kind = (text_of(message, name) for name in ("from", "id", "type"))
    if not sender or not id:
        return Ignored(kind or "message", "it has no id or sender")
    if kind in ("system", "request_welcome"):
        return Ignored(kind, "not said by a customer")
    digits = sender if sender.isdigit() else None
    person = Person(handle=f"whatsapp:{sender}", phone=f"+{digits}" if digits else None, name=names.get(sender) or None)
    values: dict[str, Any] = {
        "external_id": id,
        "thread": f"{number}:{sender}",
        "person": person,
        "occurred_at": instant_of(message.get("timestamp")),
    }
    part = object_of(message, kind)
    if kind == "reaction":
        reacted = text_of(part, "message_id")
        return Said(**values, text=text_of(part, "emoji"), kind="reaction", replaces=reacted, joins_only=True)
    if kind in ("revoke", "edit"):
        original = text_of(part, "original_message_id")
        edited = object_of(part, "message")
        text = text_of(object_of(edited, "text"), "body")
        return Said(
            **values, text=text, kind="edit" if kind == "edit" else "delete", replaces=original, joins_only=True
        )
    metadata: dict[str, Any] = {}
    if cited := text_of(object_of(message, "context"), "id"):
        metadata["replies_to"] = cited
    if kind in ("unsupported", "unknown") or objects_of(message, "errors"):
        metadata["unsupported"] = True
    return Said(**values, text=_text(kind, part), files=_files(kind, part), metadata=metadata)


def _text(kind: str, part: Fields) -> str:
    """What a message says in words; media by their caption, choices by their title."""
    match kind:
        case "text":
            return text_of(part, "body")
        case "button":
            return text_of(part, "text")
        case "interactive":
            chosen = object_of(part, text_of(part, "type"))
            return text_of(chosen, "title") or text_of(chosen, "body") or text_of(chosen, "response_json")
        case "location":
            place = [text_of(part, "name"), text_of(part, "address"), f"{part.get('latitude')},{part.get('longitude')}"]
            return "\n".join(line for line in place if line)
        case "contacts":
            return ""
        case "order":
            products = objects_of(part, "product_items")
            lines = [f"{item.get('quantity', 1)} x {text_of(item, 'product_retailer_id')}" for item in products[:100]]
            return "\n".join(line for line in [text_of(part, "text"), *lines] if line)
    return text_of(part, "caption")


def _files(kind: str, part: Fields) -> tuple[File, ...]:
    if kind not in _MEDIA:
        return ()
    name = text_of(part, "filename") or text_of(part, "id") or None
    return (File(name=name, content_type=text_of(part, "mime_type") or None, url=text_of(part, "url") or None),)
