"""The expressions of rules: RE2, so linear in time, with word boundaries that know every script.

RE2's own `\\b` and `\\w` see only ASCII, so that `\\bвозврат\\b` would never match. Here `\\w` is any letter, mark,
digit or `_`, and `\\b` stands where a word begins or ends; each character of a script without spaces (Chinese,
Japanese, Thai) counts as a word of its own. RE2 has no look-around, so the text is marked instead: where an expression
uses `\\b`, a private character stands at every boundary of the text, `\\b` matches it, and every other part may step
over one.
Upper and lower case are the same unless the expression says `(?-i)`.

Linear in time is not cheap: what an expression may be in the midst of at once are its steps, and in bad cases each
character costs as much as there are steps. Repetitions are spelled out, so that few characters make thousands:
`too_large` says which expressions a document may not have.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property, lru_cache

import re2

_MARK = "\ue000"
_WORD = r"\p{L}\p{M}\p{N}_"
_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff"  # Thai, Lao, Burmese, Khmer, Japanese
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_WORDS = re.compile(rf"[{_ALONE}]|(?:[^\W{_ALONE}]|[\u0300-\u036f])+")
_MEMORY_MAX = 4 << 20

STEPS_MAX = 1_000
"""Characters that an expression spells out, and ways between them. A step costs up to 10 ns a character of text."""
PROGRAM_MAX = 30_000
"""Instructions of the compiled expression: a class of all letters has about 140. Compiling so many takes 30 ms."""

_TOKEN = re.compile(
    r"""(?P<quoted>\\Q.*?(?:\\E|\Z))
      | (?P<property>\\[pP](?:\{\^?\w+\}|\w))
      | (?P<literal>\\x\{[0-9A-Fa-f]+\} | \\x[0-9A-Fa-f]{2} | \\0[0-7]{0,2})
      | (?P<escape>\\.)
      | (?P<set>\[\^?\]?(?:\[:\^?\w+:\] | \\. | [^\]\\])*\])
      | (?P<group>\(\?P?<\w+> | \(\?[a-zA-Z-]*[:)] | [()|])
      | (?P<repeat>[*+?] | \{\d+(?:,\d*)?\})
      | (?P<anchor>[\^$])
      | (?P<dot>\.)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class ExpressionRefused(ValueError):
    """The text is no expression: what is wrong, in one line."""


class Searched:
    """A text to search with many expressions: composed (NFC), and marked at its boundaries when first wanted."""

    def __init__(self, text: str) -> None:
        self._text = unicodedata.normalize("NFC", text).replace(_MARK, "")

    # Bytes, as RE2 searches them: from a text its wrapper would encode and count every time.
    @cached_property
    def plain(self) -> bytes:
        return self._text.encode()

    @property
    def size(self) -> int:
        """How long the text is, in bytes."""
        return len(self.plain)

    @cached_property
    def marked(self) -> bytes:
        return _WORDS.sub(rf"{_MARK}\g<0>{_MARK}", self._text).replace(_MARK * 2, _MARK).encode()


class Expression:
    """A compiled expression. `search` is linear in the text, at a cost of up to `steps` a character."""

    def __init__(self, source: str) -> None:
        self.source = source
        tokens = [
            (str(token.lastgroup), token.group()) for token in _TOKEN.finditer(unicodedata.normalize("NFC", source))
        ]
        self._marked = ("escape", r"\b") in tokens
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        options.max_mem = _MEMORY_MAX
        try:
            self._compiled = re2.compile("".join(_translated(tokens, self._marked)), options)
            spelled_out = re2.compile("".join(map(_step, tokens)), options)
        except re2.error as error:
            reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
            raise ExpressionRefused(f"{source!r} is no linear-time expression: {reason}") from error
        self.program: int = self._compiled.programsize
        self.steps: int = min(self.program, spelled_out.programsize)

    @property
    def too_large(self) -> str | None:
        """Why a document may not have it; None when it may."""
        if self.steps > STEPS_MAX:
            said = f"spells out to {self.steps:,} steps, at most {STEPS_MAX:,}"
        elif self.program > PROGRAM_MAX:
            said = f"compiles to {self.program:,} instructions, at most {PROGRAM_MAX:,}"
        else:
            return None
        return f"{self.source!r} {said}: repeat less, or make rules of its parts"

    def search(self, text: Searched) -> str | None:
        """The text of the first match, None when there is none."""
        found = self._compiled.search(text.marked if self._marked else text.plain)
        return None if found is None else bytes(found.group()).decode().replace(_MARK, "")


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """The expression. Raises `ExpressionRefused`."""
    return Expression(source)


def _step(token: tuple[str, str]) -> str:
    """The token with one character for whatever it stands for: an expression of these has as many steps, whatever
    script they are in."""
    kind, text = token
    if kind in ("group", "repeat"):
        return text
    if kind == "anchor" or text in (r"\b", r"\A", r"\z"):
        return "(?:)"
    return "a" * len(text[2:].removesuffix(r"\E")) if kind == "quoted" else "a"


def _translated(tokens: list[tuple[str, str]], marked: bool) -> Iterator[str]:
    """RE2's spelling of the tokens; with marks every part that takes a character may step over a mark first."""
    dot = "." if not marked else f"[^{_MARK}]" if _dot_takes_lines(tokens) else f"[^\n{_MARK}]"
    for kind, token in tokens:
        match kind:
            case "group" | "repeat":
                yield token
            case "anchor":
                yield f"{_MARK}?$" if marked and token == "$" else token
            case "quoted":
                yield from (_stepping(re.escape(letter), marked) for letter in token[2:].removesuffix(r"\E"))
            case "dot":
                yield _stepping(dot, marked)
            case "set":
                yield _stepping(_set(token), marked)
            case "property" if token[1] == "P":
                yield _stepping(f"[^{_MARK}\\p{token[2:]}]", marked)
            case "escape":
                yield _escape(token, marked)
            case _:
                yield _stepping(token, marked)


def _stepping(atom: str, marked: bool) -> str:
    return f"(?:{_MARK}?{atom})" if marked else atom


def _escape(token: str, marked: bool) -> str:
    match token:
        case r"\b":
            return f"{_MARK}"
        case r"\B" | r"\C":
            raise ExpressionRefused(f"{token} is not supported in an expression")
        case r"\A":
            return token
        case r"\z":
            return f"{_MARK}?{token}" if marked else token
        case r"\w":
            return _stepping(f"[{_WORD}]", marked)
        case r"\W":
            return _stepping(f"[^{_MARK}{_WORD}]", marked)
        case r"\D" | r"\S":
            return _stepping(f"[^{_MARK}{token.lower()}]", marked)
    return _stepping(token, marked)


def _set(token: str) -> str:
    inner = token.replace(r"\w", _WORD)
    return f"[^{_MARK}{inner[2:]}" if inner.startswith("[^") else inner


def _dot_takes_lines(tokens: list[tuple[str, str]]) -> bool:
    return any(kind == "group" and "s" in token.split("-")[0] and "<" not in token for kind, token in tokens)
