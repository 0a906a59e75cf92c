"""The part of a message that its customer wrote: without quoted mail, signature and greeting, at most 2,000 characters.

Light on purpose: it drops what is certainly not about the matter, and gives the whole text when nothing would be left.
"""

import re

CHARACTERS_MAX = 2_000

_QUOTE_BEGINS = re.compile(
    r"^(?:"
    r"-{2,} ?(?:original message|forwarded message|messaggio originale|messaggio inoltrato|ursprüngliche nachricht"
    r"|исходное сообщение|пересылаемое сообщение|mensaje original|message d'origine|原始郵件|原始邮件) ?-{2,}"
    r"|on .{6,120} wrote:|il .{6,120} ha scritto:|am .{6,120} schrieb.{0,80}:|.{6,120} (?:пишет|написал|написала):"
    r"|el .{6,120} escribió:|le .{6,120} a écrit ?:|.{4,120}(?:寫道|写道)[:：]"
    r")\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE = re.compile(
    r"^(?:-- ?|sent from my .{2,40}|inviato da(?:l mio)? .{2,40}|von meinem .{2,40} gesendet"
    r"|отправлено с .{2,40}|enviado desde mi .{2,40}|envoyé de mon .{2,40}|從我的 .{2,40}傳送)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSING = re.compile(
    r"^(?:(?:kind|best|warm)? ?regards|best|cheers|sincerely|yours .{2,20}|cordiali saluti|distinti saluti|saluti"
    r"|mit freundlichen grüßen|freundliche grüße|viele grüße|liebe grüße|с уважением|saludos|atentamente|cordialement"
    r"|bien à vous|敬上|此致)[,.! ]*$",
    re.IGNORECASE | re.MULTILINE,
)
_GREETING = re.compile(
    r"\A\s*(?:hi|hello|hey|good (?:morning|afternoon|evening)|ciao|salve|buon ?giorno|buona ?sera|gentile|gentili"
    r"|spett\.?le|hallo|guten (?:tag|morgen|abend)|sehr geehrte\w*|здравствуйте|добрый (?:день|вечер)"
    r"|доброе утро|привет|уважаем\w+|hola|buenos días|buenas tardes|estimad[oa]s?|bonjour|bonsoir|您好|你好)"
    r"\b[^\n,.!?，！。]{0,40}(?:[,!，！]|\n)\s*",
    re.IGNORECASE,
)
_QUOTED_LINE = re.compile(r"^[>|].*(?:\n|\Z)", re.MULTILINE)


def cleaned(text: str) -> str:
    """What the customer wrote this time."""
    whole = text[: CHARACTERS_MAX * 10].strip()
    kept = whole
    if "\n" in kept:
        for begins in (_QUOTE_BEGINS, _SIGNATURE):
            found = begins.search(kept)
            if found and kept[: found.start()].strip():
                kept = kept[: found.start()]
        kept = _QUOTED_LINE.sub("", kept)
        closing = _CLOSING.search(kept)
        if closing and len(kept) - closing.end() <= 300 and kept[: closing.start()].strip():
            kept = kept[: closing.start()]
    kept = _GREETING.sub("", kept, count=1).strip()
    return (kept or whole)[:CHARACTERS_MAX]
