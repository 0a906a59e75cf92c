"""HTML to plain text, for reading and classifying; the original is kept beside it.

One pass over the tags, without a tree: what builds a tree as browsers do takes seconds for a few hundred kilobytes of
open tags or of attributes. Nothing here looks at a stretch of the text twice.
"""

from dataclasses import dataclass, field
from html import unescape

import re2

HTML_LENGTH_MAX = 524_288
TAGS_MAX = 10_000
"""Of one mail."""
TEXT_LENGTH_MAX = 65_537
TAG_LENGTH_MAX = 4_096
"""So much of a tag is looked at for its attributes."""
LOOKS_MAX = 500
"""Tags that may hide something; what comes after is shown."""
NAME_LENGTH_MAX = 40
QUOTES_MAX = 400
NAMESAKES_MAX = 5
"""In one tag."""

_SKIPPED = frozenset({"script", "style", "title", "template", "noscript", "textarea", "xmp", "iframe", "object", "svg"})
_RAW = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noscript"})
"""Inside these a tag is text."""
_BLOCKS = frozenset(
    {
        "address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "form",
        "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table",
        "tr", "ul",
    }
)  # fmt: skip
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_ENDED_BY_THE_NEXT = frozenset({"p", "li", "td", "th", "tr", "dd", "dt", "option"})
_SHORT = ("<span", "<small", "<font", "<pstyle", "<pclass")
_SIGNS_OF_HIDING = ("display:none", "visibility:hidden", "mso-hide:all", "opacity:0", "max-height:0", "font-size:0")
_HIDDEN = re2.compile(
    r"display:none|visibility:hidden|mso-hide:all|(?:^|;)(?:opacity:0(?:\.0+)?|max-height:0(?:px|pt|em|%)?)(?:;|!|$)"
)
_NO_SIZE = re2.compile(r"font-size:0(?:px|pt|em|%)?(?:;|!|$)")
_QUOTED = re2.compile(r""""[^"]*"|'[^']*'""")
_HIDDEN_ATTRIBUTE = re2.compile(r"(?i)[\s/\"']hidden(?:[\s/=>]|$)")
_LONG_NUMBER = re2.compile(r"&#0*[0-9]{8}[0-9]*;?")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader sees; `whole` unless the limits cut it; how many tags were looked at."""

    text: str
    whole: bool
    tags: int


def text_of_html(html: str) -> str:
    """`read_html`'s text."""
    return read_html(html).text


def read_html(html: str, tags_max: int = TAGS_MAX) -> Shown:
    """The text that a reader sees, one block a line; images by their alternative text, `<pre>` with its lines. What is
    hidden (a preheader) is left out, unless nothing else is there."""
    tags = _Tags(html[:HTML_LENGTH_MAX], tags_max)
    lines = _read(tags, hidden=False)
    used = tags_max - tags.left
    if not (shown := lines.text()) and lines.hidden:
        tags = _Tags(html[:HTML_LENGTH_MAX], tags.left)
        shown = _read(tags, hidden=True).text()
        used = tags_max - tags.left
    return Shown(shown, tags.end == len(html), used)


def _read(tags: "_Tags", *, hidden: bool) -> "_Lines":
    """The lines; without `hidden` they leave out, and count, what a reader does not see."""
    html, lines = tags.html, _Lines()
    skipped: tuple[str, int] | None = None
    pre = position = 0
    for start, end, name, closing in tags:
        if skipped is not None:
            skipped = _after(skipped, name, closing)
            position = end
            continue
        lines.add(html[position:start], pre=pre > 0)
        position = end
        if lines.length >= TEXT_LENGTH_MAX:
            return lines
        looking = not hidden and lines.looks < LOOKS_MAX
        if not closing and (name in _SKIPPED or (looking and _is_hidden(lines, html, start, end))):
            lines.hidden += name not in _SKIPPED
            skipped = None if name in _VOID or html.endswith("/>", start, end) else (name, 1)
            if name in _RAW:
                tags.go_to_end_of(name)
            continue
        if name == "br":
            lines.end()
        elif name in _BLOCKS:
            lines.begin()
        elif name in ("td", "th"):
            lines.space()
        elif name == "img" and not closing:
            lines.add(_attribute(html[start : min(end, start + TAG_LENGTH_MAX)], "alt"), pre=False)
        if name == "pre":
            pre = max(0, pre + (-1 if closing else 1))
            if not closing:
                position += 2 if html.startswith("\r\n", end) else html.startswith("\n", end)
    if skipped is None:
        lines.add(html[position : tags.end], pre=pre > 0)
    return lines


def _after(skipped: tuple[str, int], name: str, closing: bool) -> tuple[str, int] | None:
    """What is skipped still, after a tag inside it."""
    skipping, depth = skipped
    if name != skipping:
        return skipped
    depth += -1 if closing or name in _ENDED_BY_THE_NEXT else 1
    return (skipping, depth) if depth else None


def _is_hidden(lines: "_Lines", html: str, start: int, end: int) -> bool:
    tag = html[start : min(end, start + TAG_LENGTH_MAX)]
    packed = "".join(tag.split()).lower()
    if "hidden" in packed and _HIDDEN_ATTRIBUTE.search(_QUOTED.sub('""', tag)) is not None:
        return True
    if not any(sign in packed for sign in _SIGNS_OF_HIDING):
        return False
    lines.looks += 1
    style = "".join(_attribute(tag, "style").split()).lower()
    if _HIDDEN.search(style) is not None:
        return True
    # A cell or block without a size of text is how layouts close gaps: what is in it names its own.
    return packed.startswith(_SHORT) and _NO_SIZE.search(style) is not None


def _attribute(tag: str, name: str) -> str:
    """The value of an attribute; empty where there is none."""
    lower, position = tag.lower(), 0
    for _ in range(NAMESAKES_MAX):
        place = lower.find(name, position)
        if place == -1:
            break
        position = place + len(name)
        rest = tag[position:].lstrip()
        if tag[place - 1] in " \t\r\n\"'/" and rest.startswith("="):
            rest = rest[1:].lstrip()
            value = rest[1:].partition(rest[0])[0] if rest[:1] in ("'", '"') else rest.partition(">")[0].split(" ")[0]
            return _unescaped(value)
    return ""


def _unescaped(text: str) -> str:
    """Character references as what they stand for; numbers that stand for nothing as U+FFFD."""
    return unescape(_LONG_NUMBER.sub("&#65533;", text)) if "&" in text else text


@dataclass(slots=True)
class _Lines:
    """The text so far; `hidden` counts what was left out, `looks` what may have been."""

    done: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    spaced: bool = True
    length: int = 0
    hidden: int = 0
    looks: int = 0

    def add(self, text: str, *, pre: bool) -> None:
        """Text between tags: with its own lines inside `<pre>`, else as one."""
        if not text:
            return
        text = _unescaped(text[:TEXT_LENGTH_MAX])
        if pre:
            first, *rest = text.replace("\r\n", "\n").split("\n")
            self._put(first)
            for line in rest:
                self.end()
                self._put(line)
            return
        words = " ".join(text.split())
        if text[:1].isspace() and not self.spaced:
            self.space()
        if words:
            self._put(words)
            self.spaced = False
            if text[-1:].isspace():
                self.space()

    def _put(self, text: str) -> None:
        if text:
            self.line.append(text)
            self.length += len(text)
            self.spaced = False

    def space(self) -> None:
        """A space, unless the line begins here or has one."""
        if not self.spaced:
            self.line.append(" ")
            self.spaced = True

    def end(self) -> None:
        """The line ends, be it empty."""
        self.done.append("".join(self.line).rstrip())
        self.line, self.spaced = [], True
        self.length += 1

    def begin(self) -> None:
        """A line begins, if it does not already."""
        if self.line:
            self.end()

    def text(self) -> str:
        """All of it, with at most one empty line in a row outside `<pre>`."""
        self.begin()
        kept: list[str] = []
        for line in self.done:
            if line or (kept and kept[-1]):
                kept.append(line)
        return "\n".join(kept).strip("\n")


class _Tags:
    """The tags of a text in their order, as (start, end, name in lower case, whether it closes). `end` is how far they
    were read: `left` more are looked at, each `<` counted."""

    def __init__(self, html: str, left: int) -> None:
        self.html, self.end, self.left = html, len(html), left
        self._position = 0
        self._next: dict[str, int] = {}

    def __iter__(self) -> "_Tags":
        return self

    def __next__(self) -> tuple[int, int, str, bool]:
        html = self.html
        while (start := self._find("<", self._position)) < len(html):
            if self.left == 0:
                self.end = start
                break
            self.left -= 1
            after = html[start + 1 : start + 2]
            if after in ("!", "?"):
                return start, self._over_comment(start), "!", False
            closing = after == "/"
            if closing or (after.isascii() and after.isalpha()):
                end = self._over_tag(start + 1)
                words = html[start + 1 + closing : min(end - 1, start + NAME_LENGTH_MAX)].split(None, 1)
                return start, end, words[0].partition("/")[0].lower() if words else "", closing
            self._position = start + 1
        raise StopIteration

    def go_to_end_of(self, name: str) -> None:
        """Passes over what is inside an element whose content is text."""
        ends = (f"</{name}", f"</{name.upper()}", f"</{name.capitalize()}")
        self._position = min(self._find(end, self._position) for end in ends)

    def _find(self, wanted: str, position: int) -> int:
        """Where it is next, remembered, so that what is missing is not looked for again and again."""
        known = self._next.get(wanted, -1)
        if known < position:
            known = self.html.find(wanted, position)
            known = self._next[wanted] = len(self.html) if known == -1 else known
        return known

    def _over_comment(self, start: int) -> int:
        if self.html.startswith("<!--", start) and not self.html.startswith("<!-->", start):
            end = self._find("-->", start + 4) + 3
        else:
            end = self._find(">", start) + 1
        self._position = min(len(self.html), end)
        return self._position

    def _over_tag(self, position: int) -> int:
        """After the `>` that ends the tag: one inside a quoted value does not."""
        for _ in range(QUOTES_MAX):
            quote = min(self._find('"', position), self._find("'", position))
            if self._find(">", position) <= quote:
                break
            position = quote + 1
            if self.html[max(0, quote - 8) : quote].rstrip().endswith("="):
                position = self._find(self.html[quote], position) + 1
        self._position = min(len(self.html), self._find(">", position) + 1)
        return self._position
