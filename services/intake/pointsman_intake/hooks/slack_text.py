"""What a Slack message says, as plain text: mentions, links and entities written out, blocks and forwards read.

Sources: Slack, "Formatting text for app surfaces", "Block Kit: rich text", "Secondary message attachments".
"""

import html
import re
from collections.abc import Iterator

from pointsman_intake.hooks.fields import Fields, object_of, objects_of, text_of

DEPTH_MAX = 20
PIECES_MAX = 2_000

_MARK = re.compile(r"<([^<>|]{1,3000})(?:\|([^<>]{0,3000}))?>")


def text_said(event: Fields) -> str:
    """The text, else that of the blocks; then what is forwarded in it."""
    text = plain(text_of(event, "text")) or _of_blocks(event)
    forwarded = [_of_attachment(one, said=bool(text)) for one in objects_of(event, "attachments")[:50]]
    return "\n\n".join(part for part in (text, *forwarded) if part)


def plain(text: str) -> str:
    """Slack's marked text as a person reads it: `<@U1|ada>` is @ada, `<https://x|here>` is here (https://x)."""
    return html.unescape(_MARK.sub(_written_out, text))


def _written_out(found: re.Match[str]) -> str:
    what, label = found[1], found[2]
    if what[0] in "@#":
        return what[0] + (label or what[1:])
    if what[0] == "!":
        return _special(what[1:], label)
    return _link(what, label)


def _special(what: str, label: str | None) -> str:
    name = what.split("^")[0]
    if name in ("here", "channel", "everyone"):
        return f"@{name}"
    return label or f"@{name}"


def _link(url: str, label: str | None) -> str:
    address = url.removeprefix("mailto:").removeprefix("tel:")
    if not label or label in (url, address) or url.endswith(f"://{label}"):
        return address
    return f"{label} ({address})"


def _of_blocks(event: Fields) -> str:
    pieces = [piece for block in objects_of(event, "blocks") for piece in _block(block, DEPTH_MAX)]
    return "\n".join(piece for piece in pieces[:PIECES_MAX] if piece.strip())


def _block(block: Fields, depth: int) -> Iterator[str]:
    """The lines of a block."""
    kind = text_of(block, "type")
    if depth == 0:
        return
    if kind == "rich_text":
        for element in objects_of(block, "elements"):
            yield from _block(element, depth - 1)
    elif kind == "rich_text_list":
        for element in objects_of(block, "elements"):
            yield f"- {''.join(map(_inline, objects_of(element, 'elements')))}"
    elif kind.startswith("rich_text_"):
        yield "".join(map(_inline, objects_of(block, "elements")))
    elif kind in ("section", "header", "context", "markdown"):
        for part in (object_of(block, "text"), *objects_of(block, "fields"), *objects_of(block, "elements")):
            yield _text_object(part)
        yield plain(text_of(block, "text"))
    elif kind in ("image", "video"):
        yield _text_object(object_of(block, "title")) or text_of(block, "alt_text")


def _text_object(part: Fields) -> str:
    text = text_of(part, "text")
    return html.unescape(text) if text_of(part, "type") == "plain_text" else plain(text)


def _inline(element: Fields) -> str:
    """A piece of rich text."""
    match text_of(element, "type"):
        case "link":
            url, label = text_of(element, "url"), text_of(element, "text")
            return _link(url, label or None)
        case "user":
            return f"@{text_of(element, 'user_id')}"
        case "usergroup":
            return f"@{text_of(element, 'usergroup_id')}"
        case "channel":
            return f"#{text_of(element, 'channel_id')}"
        case "broadcast":
            return f"@{text_of(element, 'range')}"
        case "emoji":
            return f":{text_of(element, 'name')}:"
        case "date":
            return text_of(element, "fallback")
    return text_of(element, "text")


def _of_attachment(attachment: Fields, *, said: bool) -> str:
    """A forwarded message with its author; what a link unfolds to is shown only where nothing else was said."""
    shared = attachment.get("is_share") or attachment.get("is_msg_unfurl") or attachment.get("message_blocks")
    if said and not shared:
        return ""
    text = plain(text_of(attachment, "text"))
    if not text:
        inner = [object_of(one, "message") for one in objects_of(attachment, "message_blocks")]
        blocks = "\n".join(found for one in (attachment, *inner) if (found := _of_blocks(one)))
        text = blocks or plain(text_of(attachment, "fallback")) or plain(text_of(attachment, "title"))
    author = text_of(attachment, "author_name") or text_of(attachment, "author_subname")
    return f"{author}:\n{text}" if author and text else text
