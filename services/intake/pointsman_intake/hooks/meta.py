"""Meta's webhooks: Messenger, Instagram, WhatsApp and comments on pages and media; one body may hold many.

Source: Meta, "Messenger Platform: webhook events", "Instagram Messaging webhooks", "WhatsApp Cloud API: webhooks".
Statuses, receipts and echoes are no messages: statuses become reports on replies.
"""

from collections.abc import Iterator

import orjson

from pointsman.core.instant import Instant
from pointsman_intake.hooks.fields import Fields, instant_of, object_of, objects_of, text_of
from pointsman_intake.hooks.whatsapp import read_change
from pointsman_intake.model import Person, Report
from pointsman_intake.parsed import File, Ignored, NotUnderstood, ParsedMessage, ParsedWebhook, Unclear

Found = ParsedMessage | Report | Ignored | Unclear
_OBJECTS = {"page": "messenger", "instagram": "instagram", "whatsapp_business_account": "whatsapp"}


def read_meta(body: bytes, workspace: str, connector: str) -> ParsedWebhook:
    """What the webhook says. Raises `NotUnderstood` when it is none of Meta's."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotUnderstood("not-json", f"the body is not JSON: {error}") from error
    entries = payload.get("entry") if isinstance(payload, dict) else None
    if not isinstance(entries, list):
        raise NotUnderstood("not-meta", "/entry is not a list")
    network = _OBJECTS.get(str(payload.get("object")), "meta")
    found = [
        one for entry in entries if isinstance(entry, dict) for one in _entry(entry, network, workspace, connector)
    ] or [Ignored("empty", "it has no entry that says anything")]
    return ParsedWebhook(
        messages=tuple(one for one in found if isinstance(one, ParsedMessage)),
        reports=tuple(one for one in found if isinstance(one, Report)),
        ignored=tuple(one for one in found if isinstance(one, Ignored)),
        unclear=tuple(one for one in found if isinstance(one, Unclear)),
    )


def _entry(entry: Fields, network: str, workspace: str, connector: str) -> Iterator[Found]:
    for event in objects_of(entry, "messaging"):
        yield from _messaging(event, network, workspace, connector)
    for _ in objects_of(entry, "standby"):
        yield Ignored("standby", "another app has the conversation")
    for change in objects_of(entry, "changes"):
        value = change.get("value")
        value = value if isinstance(value, dict) else {}
        field = text_of(change, "field")
        if network == "whatsapp":
            yield from read_change(field, value, workspace, connector)
        elif field in ("feed", "comments"):
            yield _comment(value, field, network)
        else:
            yield Ignored(field or "change", "not a message")


def _messaging(event: Fields, network: str, workspace: str, connector: str) -> Iterator[Found]:
    sender, page = (text_of(object_of(event, who), "id") for who in ("sender", "recipient"))
    at = instant_of(event.get("timestamp"))
    person, thread = Person(handle=f"{network}:{sender}"), f"{page}:{sender}"
    message, reaction, edit = (
        object_of(event, "message"),
        object_of(event, "reaction"),
        object_of(event, "message_edit"),
    )
    if delivered := object_of(event, "delivery"):
        mids = delivered.get("mids")
        for mid in mids if isinstance(mids, list) else []:
            yield Report(workspace, connector, "delivered", external_id=str(mid))
    elif message and not message.get("is_echo"):
        yield _message(message, person, thread, at) if sender else Unclear("message", "it has no sender")
    elif message:
        yield Ignored("echo", "said by the page itself")
    elif (postback := object_of(event, "postback")) and sender:
        mid = text_of(postback, "mid") or f"postback:{sender}:{event.get('timestamp')}"
        yield ParsedMessage(
            mid, thread, person, text_of(postback, "title") or text_of(postback, "payload"), occurred_at=at
        )
    elif reaction and text_of(reaction, "mid") and sender:
        mid = text_of(reaction, "mid")
        removed = text_of(reaction, "action") == "unreact"
        yield ParsedMessage(
            external_id=f"{mid}:reaction:{sender}:{event.get('timestamp')}",
            thread=thread,
            person=person,
            text="" if removed else text_of(reaction, "emoji") or text_of(reaction, "reaction"),
            kind="reaction",
            replaces=mid,
            occurred_at=at,
            joins_only=True,
        )
    elif edit and text_of(edit, "mid") and sender:
        mid = text_of(edit, "mid")
        yield ParsedMessage(
            external_id=f"{mid}:edit:{edit.get('num_edit', 1)}",
            thread=thread,
            person=person,
            text=text_of(edit, "text"),
            kind="edit",
            replaces=mid,
            occurred_at=at,
            joins_only=True,
        )
    elif said := next((name for name in ("message", "postback", "reaction", "message_edit") if event.get(name)), None):
        yield Unclear(said, "it does not say who said what")
    else:
        kind = next((name for name in ("read", "optin", "referral", "pass_thread_control") if name in event), "event")
        yield Ignored(kind, "not a message")


def _message(message: Fields, person: Person, thread: str, at: Instant | None) -> Found:
    mid = text_of(message, "mid")
    if not mid:
        return Unclear("message", "it has no mid")
    if message.get("is_deleted"):
        return ParsedMessage(
            f"{mid}:delete", thread, person, kind="delete", replaces=mid, occurred_at=at, joins_only=True
        )
    files = tuple(
        File(
            content_type=None,
            name=text_of(file, "type") or None,
            url=text_of(object_of(file, "payload"), "url") or None,
        )
        for file in objects_of(message, "attachments")
    )
    metadata = {"unsupported": True} if message.get("is_unsupported") else {}
    return ParsedMessage(
        mid, thread, person, text_of(message, "text"), occurred_at=at, files=files[:50], metadata=metadata
    )


def _comment(value: Fields, field: str, network: str) -> Found:
    if field == "feed" and (value.get("item") != "comment" or value.get("verb") not in ("add", "edited", "remove")):
        return Ignored(text_of(value, "item") or "feed", "not a comment")
    author, media = object_of(value, "from"), object_of(value, "media")
    id, sender = text_of(value, "comment_id") or text_of(value, "id"), text_of(author, "id")
    post = text_of(value, "post_id") or text_of(media, "id")
    if not id or not sender:
        return Unclear("comment", "it has no id or author")
    at = instant_of(value.get("created_time"))
    person = Person(handle=f"{network}:{sender}", name=text_of(author, "name") or text_of(author, "username") or None)
    verb = value.get("verb", "add")
    return ParsedMessage(
        external_id=id if verb == "add" else f"{id}:{verb}:{value.get('created_time')}",
        thread=f"{post}:{sender}",
        person=person,
        text=text_of(value, "message") or text_of(value, "text"),
        kind="comment" if verb == "add" else "edit" if verb == "edited" else "delete",
        replaces=None if verb == "add" else id,
        occurred_at=at,
        joins_only=verb != "add",
    )
