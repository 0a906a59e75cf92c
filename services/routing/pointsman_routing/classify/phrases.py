"""The shipped lexicon: phrases of support messages in seven languages, found all at once (Aho–Corasick).

A file `lexicon/<language>.txt` has sections `[category]`, `[!priority]`, `[+]` and `[-]` (sentiment), and a phrase a
line. `+` before it: strong (weight 3); `~`: weak (1); else 2. A word that ends in `*` is a beginning of words. `a & b`
holds when both are anywhere in the message. Phrases are compared in the form of `normal.normalised`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

import ahocorasick

from pointsman.contracts.shapes import Priority
from pointsman_routing.classify.normal import is_han, normalised

LANGUAGES = ("en", "it", "de", "ru", "zh", "es", "fr")
FOREIGN_SHARE = 0.5
"""What a phrase of another language than the message's counts."""

_WEIGHTS = {"+": 3.0, "~": 1.0}


@dataclass(frozen=True)
class Phrase:
    """One line of a lexicon: what it says when all its `parts` are there."""

    language: str
    section: str
    written: str
    weight: float
    parts: int


@dataclass
class Found:
    """What the lexicon found in one message: per section the weight and the phrases, heaviest first."""

    weights: dict[str, float] = field(default_factory=dict)
    phrases: dict[str, list[str]] = field(default_factory=dict)
    priority: Priority | None = None
    sentiment: float = 0.0


class Lexicon:
    """All languages in one automaton. `find` is linear in the text."""

    def __init__(self, phrases: list[tuple[Phrase, tuple[str, ...]]]) -> None:
        self._phrases = [phrase for phrase, _ in phrases]
        by_part: dict[str, list[tuple[int, int]]] = {}
        for number, (_, parts) in enumerate(phrases):
            for place, part in enumerate(parts):
                by_part.setdefault(part, []).append((number, place))
        self._automaton = ahocorasick.Automaton()
        for part, uses in by_part.items():
            self._automaton.add_word(part, tuple(uses))
        self._automaton.make_automaton()

    def find(self, text: str, language: str) -> Found:
        """What the phrases say of a message (already normalised) that is in `language`."""
        seen: dict[int, int] = {}
        for _, uses in self._automaton.iter(text):
            for number, place in uses:
                seen[number] = seen.get(number, 0) | 1 << place
        found = Found()
        heaviest: dict[str, list[tuple[float, str]]] = {}
        spoken = language.partition("-")[0]
        for number, places in seen.items():
            phrase = self._phrases[number]
            if places != (1 << phrase.parts) - 1:
                continue
            weight = phrase.weight if phrase.language == spoken else phrase.weight * FOREIGN_SHARE
            heaviest.setdefault(phrase.section, []).append((weight, phrase.written))
        for section, said in heaviest.items():
            said.sort(key=lambda one: (-one[0], one[1]))
            total = sum(weight for weight, _ in said)
            if section in ("+", "-"):
                found.sentiment += total if section == "+" else -total
            elif section[0] == "!":
                found.phrases[section] = [written for _, written in said]
                found.priority = "urgent" if "!urgent" in heaviest else "high"
            else:
                found.weights[section] = total
                found.phrases[section] = [written for _, written in said]
        return found


@lru_cache(maxsize=1)
def shipped_lexicon() -> Lexicon:
    """The lexicon of all languages, built once in a process (about 30 ms)."""
    return Lexicon([entry for language in LANGUAGES for entry in _read(language)])


def _read(language: str) -> Iterator[tuple[Phrase, tuple[str, ...]]]:
    source = files("pointsman_routing.classify").joinpath("lexicon", f"{language}.txt").read_text("utf-8")
    section = ""
    for line in source.splitlines():
        written = line.strip()
        if not written or written.startswith("#"):
            continue
        if written.startswith("["):
            section = written.strip("[]")
            continue
        weight = _WEIGHTS.get(written[0], 2.0)
        written = written.lstrip("+~").strip()
        parts = tuple(_part(part) for part in written.split("&"))
        yield Phrase(language, section, written, weight, len(parts)), parts


def _part(written: str) -> str:
    """How a phrase stands in normalised text: Chinese bare, words between spaces, a beginning open at its end."""
    begins_word = written.rstrip().endswith("*")
    plain = normalised(written.replace("*", " "))
    if is_han(plain):
        return plain.strip()
    return plain.rstrip() if begins_word else plain
