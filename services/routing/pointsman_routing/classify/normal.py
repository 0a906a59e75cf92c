"""Text as the lexicon compares it: lower case, no accents, words apart by one space, Chinese simplified.

A Latin or Cyrillic word stands between spaces (also the first and the last), Chinese characters stand together without;
so a phrase of words begins and ends with a space and matches whole words only, a Chinese phrase matches anywhere.
"""

import re
import unicodedata

from pointsman_routing.classify.chinese import simplified

_NOT_WORD = re.compile(r"[^\w]+|_+")
_MARKS = re.compile("[\u0300-\u036f\u20d0-\u20ff]")
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAS_HAN = re.compile(f"[{_HAN}]")
_HAN_RUN = re.compile(f"([{_HAN}][{_HAN} ]*)")


def normalised(text: str) -> str:
    """The text in the form above; idempotent but for the outer spaces."""
    folded = text.casefold()
    if not folded.isascii():
        folded = _MARKS.sub("", unicodedata.normalize("NFKD", folded))
        if _HAS_HAN.search(folded):
            words = _NOT_WORD.sub(" ", simplified(folded))
            return f" {' '.join(_HAN_RUN.sub(_apart, words).split())} "
    return f" {_NOT_WORD.sub(' ', folded).strip()} "


def _apart(run: re.Match[str]) -> str:
    return f" {run.group().replace(' ', '')} "


def is_han(phrase: str) -> bool:
    """Whether the phrase is Chinese, so that it has no word boundaries."""
    return _HAS_HAN.search(phrase) is not None
