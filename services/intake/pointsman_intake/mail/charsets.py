"""Bytes to text, whatever charset the sender named or forgot. The text always survives, and never has half a character.

A charset is what the WHATWG Encoding Standard (section 4.2, "Names and labels") takes a label for, and a few that only
mail uses. Python knows more codecs: one that is no charset, or that is slow on some inputs, is never named by a sender.
"""

from functools import lru_cache

from charset_normalizer import from_bytes

GUESSED_BYTES_MAX = 1_024
SURE_BYTES = 12
"""Fewer bytes beyond ASCII say nothing about a charset."""
LABEL_LENGTH_MAX = 40

_WHATWG = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "cp866": "866 cp866 csibm866 ibm866",
    "iso-8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso-8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso-8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso-8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    "iso-8859-6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e "
    "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    "iso-8859-7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 "
    "iso_8859-7:1987 sun_eu_greek",
    "iso-8859-8": "csiso88598e csiso88598i csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-8859-8-i iso-ir-138 "
    "iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 logical visual",
    "iso-8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso-8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso-8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso-8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "iso-8859-16": "iso-8859-16",
    "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8-u": "koi8-ru koi8-u",
    "mac-roman": "csmacintosh mac macintosh x-mac-roman",
    "cp874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "cp1250": "cp1250 windows-1250 x-cp1250",
    "cp1251": "cp1251 windows-1251 x-cp1251",
    "cp1252": "cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 "
    "latin1 windows-1252 x-cp1252",
    "cp1253": "cp1253 windows-1253 x-cp1253",
    "cp1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 "
    "windows-1254 x-cp1254",
    "cp1255": "cp1255 windows-1255 x-cp1255",
    "cp1256": "cp1256 windows-1256 x-cp1256",
    "cp1257": "cp1257 windows-1257 x-cp1257",
    "cp1258": "cp1258 windows-1258 x-cp1258",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "gb18030": "chinese csgb2312 csiso58gb231280 gb18030 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc-jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "iso-2022-jp": "csiso2022jp iso-2022-jp",
    "cp932": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "cp949": "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 "
    "windows-949",
    "utf-16-be": "unicodefffe utf-16be",
    "utf-16-le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
}
"""Python's codec → the labels of the standard. ASCII is not among them: it says nothing about bytes beyond it."""

_ONLY_IN_MAIL = {
    "cp437": "437 cp-437 cp437 csibm437 ibm437",
    "cp850": "850 cp-850 cp850 csibm850 ibm850",
    "cp852": "852 cp-852 cp852 csibm852 ibm852",
    "cp858": "cp858 ibm858",
    "cp949": "ks_c_5601 cp949",
    "cp932": "cp932",
    "cp1252": "latin-1",
    "gb18030": "cp936 euc-cn",
    "hz": "hz-gb-2312",
    "iso-2022-kr": "csiso2022kr iso-2022-kr",
    "iso-2022-jp-2": "iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-ms",
    "utf-7": "unicode-1-1-utf-7 utf-7 x-unicode-2-0-utf-7",
    "utf-8": "utf8mb4",
}

_CODECS = {
    label: codec for known in (_WHATWG, _ONLY_IN_MAIL) for codec, labels in known.items() for label in labels.split()
}
_SHORT_OF_UTF_8 = frozenset({"gb18030", "cp949", "cp932", "big5hkscs", "euc-jp"})
"""Text that is good UTF-8 is UTF-8 even when one of these was declared: hardly anything else looks like it."""


def codec_of(label: str | None) -> str | None:
    """The name of Python's codec for a charset that a mail names; None for none, and for what is no charset."""
    return None if label is None else _CODECS.get(label[:LABEL_LENGTH_MAX].strip().strip("\"'").lower())


def decode(content: bytes, declared: str | None) -> str:
    """The text: by the declared charset, else UTF-8, else what the bytes look like. Never raises; the one place where
    half characters, which some codecs give, are replaced."""
    codec = codec_of(declared)
    order = ["utf-8"] if codec is None else ["utf-8", codec] if codec in _SHORT_OF_UTF_8 else [codec, "utf-8"]
    for charset in order:
        try:
            return _whole(content.decode(charset))
        except ValueError:
            continue
    return _whole(content.decode(_guess(content[:GUESSED_BYTES_MAX]), "replace"))


def _whole(text: str) -> str:
    """The text with U+FFFD for half a character. NUL stays: that is the business of whoever keeps it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


@lru_cache(maxsize=64)
def _guess(sample: bytes) -> str:
    """Western, unless the bytes look more like something else: most undeclared mail is, and short texts mislead."""
    eight_bit = sum(byte >= 0x80 for byte in sample)
    letters = sum(byte > 0x40 for byte in sample) or 1
    if eight_bit > SURE_BYTES and eight_bit / letters > 0.3:
        best = from_bytes(sample).best()
        if best is not None:
            return best.encoding
    return "cp1252"
