"""Bytes to text, whatever charset the sender named or forgot. The text always survives."""

import codecs

from charset_normalizer import from_bytes

GUESSED_BYTES_MAX = 65_536
SURE_BYTES = 12
"""Fewer bytes beyond ASCII say nothing about a charset."""

_ALIASES = {
    "cp-850": "cp850",
    "cp-437": "cp437",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "x-unknown": "utf-8",
    "unknown-8bit": "utf-8",
    "8bit": "utf-8",
    "binary": "utf-8",
}
"""Names that Python does not know, and names that senders use for a larger set (WHATWG Encoding, section 4.2)."""


def decode(content: bytes, declared: str | None) -> str:
    """The text: by the declared charset, else UTF-8, else what the bytes look like. Never raises."""
    named = (declared or "utf-8").strip().strip("\"'").lower()
    named = _ALIASES.get(named, named)
    multibyte = named in ("gb18030", "cp949", "cp932", "big5", "euc-jp")
    # Text that is good UTF-8 is UTF-8, whatever legacy charset was declared: hardly anything else looks like it.
    order = ["utf-8", named] if multibyte or not _known(named) else [named, "utf-8"]
    for charset in order:
        try:
            return content.decode(charset)
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return _guess(content)


def _known(charset: str) -> bool:
    try:
        return codecs.lookup(charset)._is_text_encoding
    except (LookupError, ValueError):
        return False


def _guess(content: bytes) -> str:
    """Western, unless the bytes look more like something else: most undeclared mail is, and short texts mislead."""
    eight_bit = sum(byte >= 0x80 for byte in content[:GUESSED_BYTES_MAX])
    letters = sum(byte > 0x40 for byte in content[:GUESSED_BYTES_MAX]) or 1
    if eight_bit > SURE_BYTES and eight_bit / letters > 0.3:
        best = from_bytes(content[:GUESSED_BYTES_MAX]).best()
        if best is not None:
            return content.decode(best.encoding, "replace")
    return content.decode("cp1252", "replace")
