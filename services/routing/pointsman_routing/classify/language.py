"""Which language a message is in, of those that its workspace speaks.

First by script: Han with kana is Japanese, Hangul Korean, Han alone Chinese (traditional and simplified by their
characters); Cyrillic, Greek, Arabic, … where the workspace speaks one language in it. What is left, mostly Latin, goes
to `py3langid`'s model (a naive Bayes over byte n-grams, BSD licence), restricted to those languages. Unsure is `und`.
"""

import math
import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import LanguageIdentifier

from pointsman.contracts.shapes import Evidence
from pointsman_routing.classify.chinese import script_of

UNSURE_BELOW = 0.55
"""The model's probability below which it is not believed."""
BYTES_READ = 400
"""How much of a text the model reads; more tells no more."""

GRAM_BYTES_MAX = 6
"""The longest n-gram of the model."""
_NO_LETTER = b"\xff"
"""A byte that no UTF-8 has: the automaton stays at its beginning."""

UNDETERMINED = "und"

_SCRIPT_OF_LANGUAGE = {
    **dict.fromkeys(("ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "mn", "tg"), "cyrillic"),
    **dict.fromkeys(("ar", "fa", "ur", "ps", "ug"), "arabic"),
    **dict.fromkeys(("hi", "mr", "ne"), "devanagari"),
    "el": "greek", "he": "hebrew", "th": "thai", "ka": "georgian", "hy": "armenian", "ko": "hangul", "ja": "kana",
    "zh": "han", "bn": "bengali", "ta": "tamil", "te": "telugu",
}  # fmt: skip

_SCRIPTS = {
    "latin": "A-Za-z\u00c0-\u024f\u1e00-\u1eff",
    "cyrillic": "\u0400-\u052f",
    "han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",
    "kana": "\u3040-\u30ff",
    "hangul": "\uac00-\ud7af\u1100-\u11ff",
    "greek": "\u0370-\u03ff",
    "arabic": "\u0600-\u06ff",
    "hebrew": "\u0590-\u05ff",
    "thai": "\u0e00-\u0e7f",
    "devanagari": "\u0900-\u097f",
    "georgian": "\u10a0-\u10ff",
    "armenian": "\u0530-\u058f",
    "bengali": "\u0980-\u09ff",
    "tamil": "\u0b80-\u0bff",
    "telugu": "\u0c00-\u0c7f",
}
_RUNS = re.compile("|".join(f"(?P<{name}>[{letters}]+)" for name, letters in _SCRIPTS.items()))
_LATIN = re.compile(f"[{_SCRIPTS['latin']}]+")
_NUMBER = r"\b[^\W\d]*\d\w*"
_NUMBERS = re.compile(_NUMBER)
_NOISE = re.compile(rf"https?://\S+|\S+@\S+|{_NUMBER}")


class Spoken(NamedTuple):
    """A language (BCP 47, one of the workspace's, or `und`), how sure, and why."""

    language: str
    confidence: float
    evidence: Evidence | None


class _Model:
    """The tables of py3langid's model, loaded once; kept at half precision beside its automaton."""

    def __init__(self) -> None:
        identifier: Any = LanguageIdentifier.from_model_file("data/model.npz.xz", norm_probs=True)
        self.labels: list[str] = list(identifier.nb_classes)
        self.weights: NDArray[np.float16] = identifier.nb_ptc.astype(np.float16)
        self.priors: NDArray[np.float32] = identifier.nb_pc.astype(np.float32)
        self._next: NDArray[np.uint32] = np.frombuffer(identifier.tk_nextmove, dtype=np.uint32)
        self._row: NDArray[np.intp] = np.array(identifier._rowbase, dtype=np.intp)
        self._output: NDArray[np.int32] = np.array(identifier.tk_output, dtype=np.int32)

    def features(self, text: bytes) -> Counter[int]:
        """How often each n-gram of the model occurs.

        The automaton's state after a byte depends on the last `GRAM_BYTES_MAX` bytes alone. So all places of the text
        are walked at once, each from its own beginning: the tables are much larger than the processor's cache, and the
        places need not wait for one another's.
        """
        read = np.frombuffer(_NO_LETTER * (GRAM_BYTES_MAX - 1) + text, dtype=np.uint8)
        states = np.zeros(len(text), dtype=np.uint32)
        for place in range(GRAM_BYTES_MAX):
            states = self._next.take(self._row.take(states) + read[place : place + len(text)])
        found = self._output.take(states)
        return Counter(found[found >= 0].tolist())


@lru_cache(maxsize=1)
def _model() -> _Model:
    return _Model()


@lru_cache(maxsize=64)
def speaker(languages: tuple[str, ...]) -> "LanguageGuess":
    """The guess for workspaces that speak these languages; workspaces that speak the same share it."""
    return LanguageGuess(languages)


def _without_noise(text: str) -> str:
    """A text without addresses and words that have a digit, which are in no language."""
    has_addresses = "@" in text or "://" in text
    return (_NOISE if has_addresses else _NUMBERS).sub(" ", text)


def _only_latin(text: str) -> bool:
    """Whether all letters of a text are Latin, and there are some; false also when that takes a closer look."""
    rest = _LATIN.sub("", text)
    return len(rest) < len(text) and rest.isascii()


class LanguageGuess:
    """Guesses among the given languages."""

    def __init__(self, languages: tuple[str, ...]) -> None:
        self._languages = languages
        self._by_script: dict[str, list[str]] = {}
        for language in languages:
            base = language.partition("-")[0]
            self._by_script.setdefault(_SCRIPT_OF_LANGUAGE.get(base, "latin"), []).append(language)
        self._columns: dict[str, tuple[tuple[str, ...], Any, Any]] = {}

    def guess(self, text: str) -> Spoken:
        """The language of a message."""
        cleaned = _without_noise(text)
        if "latin" in self._by_script and _only_latin(cleaned):
            return self._by_model(cleaned, "latin", self._by_script["latin"])
        letters: Counter[str] = Counter()
        for run in _RUNS.finditer(cleaned):
            script = str(run.lastgroup)
            # A Han or kana character says about as much as half a word.
            letters[script] += (run.end() - run.start()) * (3 if script in ("han", "kana") else 1)
        if not letters:
            return Spoken(UNDETERMINED, 0.0, None)
        script = max(letters, key=lambda name: letters[name])
        if script == "han" and letters["kana"] * 10 >= letters["han"]:
            script = "kana"
        candidates = self._by_script.get(script, [])
        if not candidates:
            return Spoken(UNDETERMINED, 0.0, Evidence(kind="script", id=script, says="a script of no language here"))
        if script == "han":
            return self._chinese(cleaned, candidates)
        if len(candidates) == 1 and script != "latin":
            return Spoken(candidates[0], 0.99, Evidence(kind="script", id=script, says=f"written in {script} letters"))
        return self._by_model(cleaned, script, candidates)

    def _chinese(self, text: str, candidates: list[str]) -> Spoken:
        script = script_of(text)
        for candidate in candidates:
            if script is not None and candidate.endswith(script):
                says = "traditional characters" if script == "Hant" else "simplified characters"
                return Spoken(candidate, 0.99, Evidence(kind="script", id=script, says=says))
        sure = 0.9 if len(candidates) == 1 else 0.6
        return Spoken(candidates[0], sure, Evidence(kind="script", id="han", says="Chinese characters"))

    def _by_model(self, text: str, script: str, candidates: list[str]) -> Spoken:
        languages, weights, priors = self._restricted(script, candidates)
        if not languages:
            return Spoken(candidates[0], 0.6, Evidence(kind="script", id=script, says=f"written in {script} letters"))
        composed = unicodedata.normalize("NFC", text.lower() if text.isupper() else text)
        encoded = composed.encode("utf-8", "replace")[:BYTES_READ]
        features = _model().features(encoded)
        if not features:
            return Spoken(UNDETERMINED, 0.0, None)
        places = np.fromiter(features.keys(), dtype=np.intp, count=len(features))
        counts = np.fromiter(features.values(), dtype=np.float32, count=len(features))
        scores = (np.log1p(counts) @ weights.take(places, axis=0) + priors) / math.sqrt(len(encoded))
        # Of a handful of languages: from here plain numbers are faster than arrays.
        logs = scores.tolist()
        best = logs.index(max(logs))
        confidence = 1 / sum(math.exp(log - logs[best]) for log in logs)
        evidence = Evidence(kind="language_model", id=languages[best], says=f"py3langid, probability {confidence:.2f}")
        if confidence < UNSURE_BELOW:
            return Spoken(UNDETERMINED, confidence, evidence)
        return Spoken(languages[best], confidence, evidence)

    def _restricted(self, script: str, candidates: list[str]) -> tuple[tuple[str, ...], Any, Any]:
        """The model's columns of the candidates that it knows."""
        if script not in self._columns:
            model = _model()
            known = [(one, model.labels.index(base)) for one in candidates if (base := one[:2]) in model.labels]
            columns = [column for _, column in known]
            weights = np.ascontiguousarray(model.weights[:, columns], dtype=np.float32)
            self._columns[script] = (tuple(one for one, _ in known), weights, model.priors[columns])
        return self._columns[script]
