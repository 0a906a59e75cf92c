"""The new part of a reply, for display and classifying. The whole text is always kept beside it.

Only what trails is cut: a quotation between answers stays, so that inline answers never vanish. What somebody forwards
is what they want us to read: there is no new part then. If nothing is left, there is none either.
"""

import re2

LENGTH_MAX = 65_537
"""So much of a text is looked at: more than is kept."""
ATTRIBUTION_LENGTHS = range(12, 420)

_DASHED = (
    r"(?:Original(?: Message|nachricht)|Ursprüngliche Nachricht|Messaggio originale|Message d'origine|Mensaje original|"
    r"Исходное сообщение|原始邮件)"
)
_WROTE = (
    r"On\s[^\n]+(?:\n[^\n]*)?\swrote:|Am\s[^\n]+(?:\n[^\n]*)?\sschrieb\b[^\n]*:|Il\s[^\n]+(?:\n[^\n]*)?\sha scritto:|"
    r"Le\s[^\n]+(?:\n[^\n]*)?\sa écrit\s?:|El\s[^\n]+(?:\n[^\n]*)?\sescribió:|Em\s[^\n]+(?:\n[^\n]*)?\sescreveu:|"
    r"Op\s[^\n]+(?:\n[^\n]*)?\sschreef\b[^\n]*:|\d{1,4}[./-][^\n]+\sпишет:|[^\s>][^\n]+\sписал\(?а?\)?:|"
    r"在[^\n]+写道[:：]|[^\s>][^\n]+于[^\n]+写道[:：]"
)
_ATTRIBUTION = re2.compile(
    rf"(?im)^[\s\x{{a0}}]*(?:{_WROTE}|-{{2,}}[ \t]*{_DASHED}[ \t]*-{{2,}}|_{{20,}})[\s\x{{a0}}]*$"
)
_HEADER_BLOCK = re2.compile(
    r"(?m)^[\s\x{a0}]*\*?(?:From|Von|Da|De|От кого|От|发件人)\s?[:：]\*?\s[^\n]+\n(?:[^\n]*\n)?"
    r"\s*\*?(?:Sent|Gesendet|Inviato|Envoyé|Enviado|Date|Datum|Data|To|An|A|Дата|发送时间)\s?[:：]"
)
_FORWARD = re2.compile(
    r"(?im)^[\s\x{a0}]*(?:-{2,}[ \t]*(?:Forwarded message|Weitergeleitete Nachricht|Messaggio inoltrato|"
    r"Message transféré|Mensaje reenviado|Пересылаемое сообщение|转发邮件)[^\n-]*-{2,}|Begin forwarded message:|"
    r"Anfang der weitergeleiteten Nachricht:|Inizio messaggio inoltrato:|Début du message réexpédié)"
)
_FORWARDED = re2.compile(r"(?i)^\s*\[?(?:fwd?|wg|tr|rv|i|enc|doorst|пересл|转发|轉寄)\s?[:：]")


def is_forward(subject: str) -> bool:
    """Whether a subject says that the mail hands on another one, rather than answering it."""
    return _FORWARDED.search(subject) is not None


def new_part(text: str, *, forwarded: bool = False) -> str | None:
    """The text above and between the quotations; None when it is the whole, or nothing, or when the mail is a
    forward."""
    text = text[:LENGTH_MAX].replace("\r\n", "\n")
    end = len(text) if forwarded else _quotation(text)
    if forwarded or _FORWARD.search(text[:end]) is not None:
        return None
    part = "\n".join(_without_trailing_quote(text[:end].split("\n"))).strip()
    return part if part and part != text.strip() else None


def _quotation(text: str) -> int:
    """Where the quotation of the earlier mail begins, if nothing but quotation follows; else the end."""
    quoted, own = _last_lines(text)
    begins: list[int] = [
        found.start()
        for found in _ATTRIBUTION.finditer(text)
        if len(found[0].strip()) in ATTRIBUTION_LENGTHS and (quoted < found.end() or own < found.end())
    ]
    block = _HEADER_BLOCK.search(text)
    if block is not None:
        begins.append(block.start())
    return min(begins, default=len(text))


def _last_lines(text: str) -> tuple[int, int]:
    """Where the last quoted line begins, and the last that is neither quoted nor empty; -1 for none."""
    quoted = own = -1
    position = len(text)
    while position > 0 and (quoted < 0 or own < 0):
        start = text.rfind("\n", 0, position) + 1
        line = text[start:position].lstrip()
        if line.startswith(">"):
            quoted = max(quoted, start)
        elif line:
            own = max(own, start)
        position = start - 1
    return quoted, own


def _without_trailing_quote(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith(">")):
        end -= 1
    return lines[:end]
