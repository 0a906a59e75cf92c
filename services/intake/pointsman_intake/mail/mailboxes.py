"""Mailboxes in a header's value (RFC 5322 section 3.4), as people and programs write them.

What stands in angles is the address, whatever else looks like one: `ceo@victim.example <mallory@evil.example>` is of
Mallory. A comma that no address precedes belongs to a name: `Joe Foo, PhD <joe@example.com>`.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name, still in encoded words, and an address; `in_angles` when it stood so."""

    name: str
    address: str
    in_angles: bool


@dataclass(slots=True)
class _Reading:
    """One mailbox under way. `comments` are what stood in parentheses."""

    words: str = ""
    comments: str = ""
    address: str | None = None


def mailboxes_in(value: str) -> Iterator[Mailbox]:
    """The mailboxes in their order; one pass, whatever is in it."""
    one = _Reading()
    position = 0
    while position < len(value):
        character = value[position]
        if character == '"':
            text, position = _quoted(value, position)
            # A quoted local part is part of its address, quotes and all.
            one.words += f'"{text}"' if value.startswith("@", position) else text
        elif character == "(":
            text, position = _comment(value, position)
            one.comments += text
        elif character == "<":
            end = value.find(">", position)
            end = len(value) if end == -1 else end
            inside = _address(value[position + 1 : end])
            if inside is not None:
                one.address = inside
            position = end + 1
        elif character in ",;":
            if one.address is not None or "@" in one.words or character == ";":
                yield from _mailbox(one)
                one = _Reading()
            else:
                one.words += ","
            position += 1
        elif character == ":" and one.address is None:
            one = _Reading()
            position += 1
        else:
            one.words += character
            position += 1
    yield from _mailbox(one)


def _mailbox(one: _Reading) -> Iterator[Mailbox]:
    words = " ".join(one.words.split()).lstrip(", ")
    if one.address is not None:
        yield Mailbox(words or one.comments.strip(), one.address, True)
        return
    if words.startswith('"') and '"@' in words:
        yield Mailbox(one.comments.strip(), words, False)
        return
    found = (_address(word) for word in words.replace(",", " ").split())
    address = next((word for word in found if word is not None), None)
    if address is not None:
        yield Mailbox(one.comments.strip(), address, False)


def _address(text: str) -> str | None:
    """An address without the route before it (`@relay:joe@example.com`), comments and blanks; None when it is none."""
    while (start := text.find("(")) != -1:
        text = text[:start] + text[_comment(text, start)[1] :]
    text = text.strip() if '"' in text else "".join(text.split())
    text = text.rpartition(":")[2] if text.startswith("@") else text
    local, _, domain = text.rpartition("@")
    return text if local and domain.strip(".;") else None


def _quoted(value: str, position: int) -> tuple[str, int]:
    """The text in quotes, and where it goes on."""
    return _enclosed(value, position, '"', None)


def _comment(value: str, position: int) -> tuple[str, int]:
    """The text in parentheses, those inside it included."""
    return _enclosed(value, position, ")", "(")


def _enclosed(value: str, position: int, closing: str, opening: str | None) -> tuple[str, int]:
    parts: list[str] = []
    depth, position = 1, position + 1
    while position < len(value):
        character = value[position]
        position += 1
        if character == "\\":
            character = value[position : position + 1]
            position += 1
        elif character == closing:
            depth -= 1
            if depth == 0:
                break
        elif character == opening:
            depth += 1
        parts.append(character)
    return "".join(parts), position
