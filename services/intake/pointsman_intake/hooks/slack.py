"""Slack's Events API. Source: Slack, "Events API" and the event type `message` with its subtypes.

A message is its channel and `ts`, so that the `message` and `app_mention` events of one message are one. A conversation
is the thread's root message; in a direct message the channel, whatever threads are made in it.
"""

import orjson

from pointsman_intake.hooks.fields import Fields, instant_of, object_of, text_of
from pointsman_intake.hooks.slack_text import text_said
from pointsman_intake.model import Person
from pointsman_intake.parsed import File, Ignored, NotUnderstood, ParsedMessage, ParsedWebhook, Unclear

_ABOUT = (
    "bot_", "channel_", "group_", "ekm_", "file_", "huddle_", "sh_room_", "document_", "reminder_", "list_record_",
    "pinned_item", "unpinned_item", "message_replied", "reply_broadcast", "tombstone", "assistant_app_",
)  # fmt: skip
"""How the subtypes begin that tell of the channel, or of a message again."""
_SAID = frozenset({"", "file_share", "thread_broadcast", "me_message"})


def read_slack(body: bytes, content_type: str) -> ParsedWebhook:
    """What the webhook says. Raises `NotUnderstood` when it is no event of Slack at all."""
    if content_type.startswith("application/x-www-form-urlencoded"):
        return ParsedWebhook(ignored=(Ignored("form", "slash commands and interactive payloads are no messages"),))
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotUnderstood("not-json", f"the body is not JSON: {error}") from error
    if not isinstance(payload, dict):
        raise NotUnderstood("not-slack", "the body is not a JSON object")
    kind = text_of(payload, "type")
    if kind == "url_verification":
        return ParsedWebhook(reply={"challenge": text_of(payload, "challenge")})
    if kind != "event_callback":
        return ParsedWebhook(ignored=(Ignored(kind or "unknown", "not an event"),))
    event = payload.get("event")
    if not isinstance(event, dict):
        raise NotUnderstood("not-slack", "/event is not an object")
    token = text_of(payload, "event_id") or None
    found = _event(event, token)
    if isinstance(found, Ignored):
        return ParsedWebhook(ignored=(found,), token=token)
    if isinstance(found, Unclear):
        return ParsedWebhook(unclear=(found,))
    return ParsedWebhook(messages=(found,), token=token)


def _event(event: Fields, event_id: str | None) -> ParsedMessage | Ignored | Unclear:
    kind, subtype = text_of(event, "type"), _subtype(event)
    if kind in ("reaction_added", "reaction_removed"):
        return _reaction(event, kind, event_id)
    if kind not in ("message", "app_mention"):
        return Ignored(kind or "unknown", "not a support message")
    if subtype == "message_changed":
        return _changed(event, event_id)
    if subtype == "message_deleted":
        return _deleted(event, event_id)
    if subtype not in _SAID and subtype.startswith(_ABOUT):
        return Ignored(subtype, "not said by a customer")
    if event.get("bot_id"):
        return Ignored("bot_message", "said by a bot")
    channel, ts = text_of(event, "channel"), text_of(event, "ts")
    if subtype not in _SAID:
        return Unclear(subtype, "of a kind that is not known")
    if not channel or not ts or not text_of(event, "user"):
        return Unclear("message", "it has no channel, ts or user")
    return ParsedMessage(
        external_id=f"{channel}:{ts}",
        thread=_thread(event, channel, ts),
        person=_person(event),
        text=text_said(event),
        occurred_at=instant_of(ts),
        files=_files(event),
        reference=f"{channel}:{ts}",
    )


def _subtype(event: Fields) -> str:
    """What kind of a message it is; empty for none. One that is no text is of a kind that nobody knows."""
    subtype = event.get("subtype") or ""
    return subtype if isinstance(subtype, str) else "unknown"


def _changed(event: Fields, event_id: str | None) -> ParsedMessage | Ignored | Unclear:
    message, before = event.get("message"), event.get("previous_message")
    channel = text_of(event, "channel")
    if not isinstance(message, dict) or not channel or not text_of(message, "ts") or not event_id:
        return Unclear("message_changed", "it names no message")
    if message.get("bot_id") or not text_of(message, "user"):
        return Ignored("message_changed", "said by a bot")
    if isinstance(before, dict) and text_said(before) == text_said(message):
        return Ignored("message_changed", "the text is the same (a link was unfurled)")
    ts = text_of(message, "ts")
    return ParsedMessage(
        external_id=event_id,
        thread=_thread(message | {"channel_type": event.get("channel_type")}, channel, ts),
        person=_person(message),
        text=text_said(message),
        kind="edit",
        replaces=f"{channel}:{ts}",
        occurred_at=instant_of(text_of(event, "event_ts")),
        cites=(f"{channel}:{ts}",),
        joins_only=True,
    )


def _deleted(event: Fields, event_id: str | None) -> ParsedMessage | Ignored:
    channel, ts = text_of(event, "channel"), text_of(event, "deleted_ts")
    before = object_of(event, "previous_message")
    if not channel or not ts or not event_id:
        return Ignored("message_deleted", "it names no message")
    return ParsedMessage(
        external_id=event_id,
        thread=_thread(before | {"channel_type": event.get("channel_type")}, channel, ts),
        person=_person(before),
        kind="delete",
        replaces=f"{channel}:{ts}",
        occurred_at=instant_of(text_of(event, "event_ts")),
        cites=(f"{channel}:{ts}",),
        joins_only=True,
    )


def _reaction(event: Fields, kind: str, event_id: str | None) -> ParsedMessage | Ignored:
    item = object_of(event, "item")
    channel, ts, user = text_of(item, "channel"), text_of(item, "ts"), text_of(event, "user")
    if not channel or not ts or not user or not event_id:
        return Ignored(kind, "it names no message")
    name = text_of(event, "reaction")
    return ParsedMessage(
        external_id=event_id,
        thread=_thread({}, channel, ts),
        person=Person(handle=f"slack:{user}"),
        text=f":{name}:" if kind == "reaction_added" else "",
        kind="reaction",
        replaces=f"{channel}:{ts}",
        occurred_at=instant_of(text_of(event, "event_ts")),
        cites=(f"{channel}:{ts}",),
        joins_only=True,
    )


def _thread(event: Fields, channel: str, ts: str) -> str:
    if text_of(event, "channel_type") == "im" or channel.startswith("D"):
        return channel
    return f"{channel}:{text_of(event, 'thread_ts') or ts}"


def _person(event: Fields) -> Person:
    user = text_of(event, "user")
    profile = event.get("user_profile")
    name = text_of(profile, "real_name") or text_of(profile, "display_name") if isinstance(profile, dict) else ""
    return Person(handle=f"slack:{user}" if user else None, name=name or None)


def _files(event: Fields) -> tuple[File, ...]:
    listed = event.get("files")
    if not isinstance(listed, list):
        return ()
    return tuple(
        File(
            name=text_of(file, "name") or None,
            content_type=text_of(file, "mimetype") or None,
            size=file["size"] if isinstance(file.get("size"), int) else None,
            url=text_of(file, "url_private") or None,
        )
        for file in listed[:50]
        if isinstance(file, dict)
    )
