"""WhatsApp's part of Meta's webhooks. A conversation is a contact at one of our numbers.

A contact has a phone number, a user id of the business's own (`from_user_id`), or both: then they are one person's, and
so are the conversations.

Source: Meta, "WhatsApp Cloud API: webhooks, components and examples", "Business-scoped user IDs".
"""

from collections.abc import Iterator
from typing import Any, Literal

from pointsman_intake.hooks.fields import Fields, instant_of, object_of, objects_of, text_of
from pointsman_intake.model import Person, Report
from pointsman_intake.parsed import File, Ignored, ParsedMessage, Unclear

_MEDIA = ("image", "video", "audio", "document", "sticker", "voice")
_STATES: dict[str, Literal["sent", "delivered", "read", "failed"]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}


def read_change(
    field: str, value: Fields, workspace: str, connector: str
) -> Iterator[ParsedMessage | Report | Ignored | Unclear]:
    """The messages and statuses of one change of a business account."""
    number = text_of(object_of(value, "metadata"), "phone_number_id")
    contacts = objects_of(value, "contacts")
    empty = True
    for message in objects_of(value, "messages"):
        empty = False
        yield _message(message, number, contacts)
    for status in objects_of(value, "statuses"):
        empty = False
        yield _status(status, workspace, connector)
    for _ in objects_of(value, "message_echoes"):
        empty = False
        yield Ignored("echo", "said from the business's own app")
    if empty and value.get("messages"):
        yield Unclear("messages", "it holds no object")
    elif empty:
        yield Ignored(field or "change", "not a message")


def _status(status: Fields, workspace: str, connector: str) -> Report | Ignored:
    state, id = _STATES.get(text_of(status, "status")), text_of(status, "id")
    if state is None or not id:
        return Ignored("status", "of a kind that says nothing about delivery")
    errors = objects_of(status, "errors")
    reason = text_of(errors[0], "title") or text_of(errors[0], "message") if errors else None
    return Report(workspace, connector, state, external_id=id, reason=reason, permanent=state == "failed")


def _message(message: Fields, number: str, contacts: list[Fields]) -> ParsedMessage | Ignored | Unclear:
    id, kind = (text_of(message, name) for name in ("id", "type"))
    if kind in ("system", "request_welcome"):
        return Ignored(kind, "not said by a customer")
    ids, person = _sender(message, contacts)
    if not ids or not id:
        return Unclear(kind or "message", "it has no id or sender")
    names = tuple(f"{number}:{sender}" for sender in ids)
    values: dict[str, Any] = {
        "external_id": id,
        "thread": names[0],
        "names": names,
        "person": person,
        "occurred_at": instant_of(message.get("timestamp")),
    }
    part = object_of(message, kind)
    if kind == "reaction":
        reacted = text_of(part, "message_id")
        return ParsedMessage(**values, text=text_of(part, "emoji"), kind="reaction", replaces=reacted, joins_only=True)
    if kind in ("revoke", "edit"):
        original = text_of(part, "original_message_id")
        edited = object_of(part, "message")
        text = text_of(object_of(edited, "text"), "body")
        return ParsedMessage(
            **values, text=text, kind="edit" if kind == "edit" else "delete", replaces=original, joins_only=True
        )
    metadata: dict[str, Any] = {}
    if cited := text_of(object_of(message, "context"), "id"):
        metadata["replies_to"] = cited
    if kind in ("unsupported", "unknown") or objects_of(message, "errors"):
        metadata["unsupported"] = True
    return ParsedMessage(**values, text=_text(kind, part), files=_files(kind, part), metadata=metadata)


def _sender(message: Fields, contacts: list[Fields]) -> tuple[list[str], Person]:
    """What the contact is called by, the number first, and who that is."""
    phone, user = text_of(message, "from"), text_of(message, "from_user_id")
    for contact in contacts:
        wa_id, user_id = text_of(contact, "wa_id"), text_of(contact, "user_id")
        if (phone and wa_id == phone) or (user and user_id == user):
            phone, user = phone or wa_id, user or user_id
            break
    else:
        contact = {}
    profile = object_of(contact, "profile")
    ids = [known for known in (phone, user) if known]
    return ids, Person(
        id=f"whatsapp:{user}" if user else None,
        handle=f"whatsapp:{ids[0]}" if ids else None,
        phone=f"+{phone}" if phone.isdigit() else None,
        name=text_of(profile, "name") or text_of(profile, "username") or None,
    )


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
