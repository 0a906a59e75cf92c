"""A reply as it leaves: pulled by its connector or pushed to it, the same, and with nothing in its HTML that runs.

Replies are written in agents' apps, which are browsers: what was pasted into one may hold scripts. They are kept as
they were given, and cleaned here, the one place through which a reply goes out.
"""

from typing import Any

import nh3

DEPTH_MAX = 500
TAGS_MAX = 20_000
_VOID = ("br", "img", "hr", "col", "wbr", "!")

_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left", "border-radius",
    "border-right", "border-spacing", "border-style", "border-top", "border-width", "color", "display", "float",
    "font", "font-family", "font-size", "font-style", "font-variant", "font-weight", "height", "letter-spacing",
    "line-height", "list-style", "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right",
    "margin-top", "max-width", "min-width", "padding", "padding-bottom", "padding-left", "padding-right",
    "padding-top", "table-layout", "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align",
    "white-space", "width", "word-break",
}  # fmt: skip
_CLEANER = nh3.Cleaner(
    tags=nh3.ALLOWED_TAGS | {"font"},
    attributes={
        **nh3.ALLOWED_ATTRIBUTES,
        "*": {"dir", "lang", "style", "title"},
        "font": {"color", "face", "size"},
    },
    url_schemes={"http", "https", "mailto", "tel", "cid"},
    filter_style_properties=_STYLES,
)


def reply_of(row: Any) -> dict[str, Any]:
    """What a connector is told of a reply. `row` has `id`, `connector`, `thread`, `ticket_id` and the stored `body`."""
    reply = {
        **row["body"],
        "id": row["id"],
        "connector": row["connector"],
        "thread": row["thread"],
        "ticket_id": row["ticket_id"],
    }
    if isinstance(html := reply.get("html"), str):
        reply["html"] = cleaned(html)
    return reply


def cleaned(html: str) -> str | None:
    """The HTML without scripts, handlers, forms, frames, and addresses that run; None for what is nested too deep to be
    anything that a person wrote (its text says it)."""
    return None if _too_deep(html) else _CLEANER.clean(html)


def _too_deep(html: str) -> bool:
    """Whether a tree of it would be a bomb: the time of making one grows with the square of its depth."""
    depth, at = 0, html.find("<")
    for _ in range(TAGS_MAX):
        if at == -1:
            return False
        if html.startswith("/", at + 1):
            depth = max(0, depth - 1)
        elif not html[at + 1 : at + 4].lower().startswith(_VOID):
            depth += 1
        if depth > DEPTH_MAX:
            return True
        at = html.find("<", at + 1)
    return at != -1
