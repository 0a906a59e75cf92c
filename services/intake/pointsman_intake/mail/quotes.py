"""The new part of a reply, for display and classifying. The whole text is always kept beside it.

Only what trails is cut: a quotation between answers stays, so that inline answers never vanish. If nothing is left,
there is no new part.
"""

import re

_ATTRIBUTION = re.compile(
    r"^\s*(?:"
    r"On\s.{6,200}\swrote:|Am\s.{6,200}\sschrieb\b.{0,200}:|Il\s.{6,200}\sha scritto:|Le\s.{6,200}\sa écrit\s?:|"
    r"El\s.{6,200}\sescribió:|\d{1,4}[./-].{6,200}\sпишет:|.{6,200}\sписал\(?а?\)?:|在.{6,200}写道：|"
    r"-{2,}\s*(?:Original Message|Originalnachricht|Ursprüngliche Nachricht|Messaggio originale|Исходное сообщение"
    r"|原始邮件|Forwarded message)\s*-{2,}|_{20,}"
    r")\s*$",
    re.IGNORECASE,
)
_HEADER_BLOCK = re.compile(r"^\s*\*?(?:From|Von|Da|De|От кого|От|发件人)\s?[:：]\*?\s.+$")
_HEADER_NEXT = re.compile(
    r"^\s*\*?(?:Sent|Gesendet|Inviato|Envoyé|Enviado|Date|Datum|Data|To|An|A|Дата|发送时间)\s?[:：]"
)
LINES_MAX = 5_000


def new_part(text: str) -> str | None:
    """The text above and between the quotations; None when it is the whole, or nothing."""
    lines = text.replace("\r\n", "\n").split("\n")[:LINES_MAX]
    kept = _without_trailing_quote(lines[: _attribution(lines)])
    part = "\n".join(kept).strip()
    return part if part and part != text.strip() else None


def _attribution(lines: list[str]) -> int:
    """Where the quotation of the earlier mail begins, if nothing but quotation follows; else the end."""
    for number, line in enumerate(lines):
        joined = line if line.rstrip().endswith((":", "：")) else line + " " + "".join(lines[number + 1 : number + 2])
        starts = _ATTRIBUTION.match(line) or _ATTRIBUTION.match(joined)
        if not starts and _HEADER_BLOCK.match(line) and any(map(_HEADER_NEXT.match, lines[number + 1 : number + 3])):
            return number
        if starts:
            rest = [after for after in lines[number + (1 if _ATTRIBUTION.match(line) else 2) :] if after.strip()]
            quoted = [after for after in rest if after.lstrip().startswith(">")]
            if not quoted or all(after.lstrip().startswith(">") for after in rest[len(rest) - len(quoted) :]):
                own = [after for after in rest if not after.lstrip().startswith(">")]
                if not quoted or not own:
                    return number
    return len(lines)


def _without_trailing_quote(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith(">")):
        end -= 1
    return lines[:end]
