"""Trying a classifier on labelled or unlabelled messages: predictions, and how good they are.

Figures: `accuracy`; `macro_f1`, the mean F1 of the labels that occur; `ece`, the expected calibration error over ten
equal bins of confidence (Naeini 2015); `coverage_at_98`, the largest share of messages, taken by falling confidence, of
which at least 98 % are right; `out_of_scope_recall`, of messages labelled out of scope the share that no category
claimed (null without such messages); `messages_per_second` of one core.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from pointsman.contracts.document import CATCH_ALL, Document
from pointsman.contracts.requests import CustomerSeen, MessageReceived
from pointsman.contracts.shapes import Author
from pointsman.core.instant import EPOCH
from pointsman_routing.classify.classifier import Classification, Classifier, load

OUT_OF_SCOPE = frozenset({"oos", "out_of_scope", "out-of-scope", "NO_NODES_DETECTED", CATCH_ALL})
LANGUAGES = ("en", "it", "de", "ru", "zh-Hant", "zh-Hans", "es", "fr")
"""What a trial's messages may be written in: the languages of the shipped lexicon."""
PRECISION = 0.98


class TrialInputError(ValueError):
    """The file cannot be used: what and where, in one line."""


@dataclass(frozen=True)
class Sample:
    """A message of a trial; `label` None when nobody said what it is about."""

    text: str
    label: str | None


def read_samples(path: Path, *, labelled: bool) -> list[Sample]:
    """The rows of a CSV with the column `text`, and `label` when `labelled`. Raises `TrialInputError`, `OSError`."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        try:
            wanted = ["text", "label"] if labelled else ["text"]
            missing = [name for name in wanted if name not in (rows.fieldnames or ())]
            if missing:
                raise TrialInputError(f"{path}: line 1: no column {missing[0]!r}")
            return [Sample(_cell(row, "text", path, rows.line_num), row.get("label")) for row in rows]
        except UnicodeDecodeError as error:
            raise TrialInputError(f"{path}: is not UTF-8") from error
        except csv.Error as error:
            raise TrialInputError(f"{path}: line {rows.line_num}: {error}") from error


def _cell(row: dict[str, str | None], name: str, path: Path, line: int) -> str:
    value = row.get(name)
    if value is None:
        raise TrialInputError(f"{path}: line {line}: no {name}")
    return value


def shipped_classifier() -> Classifier:
    """The shipped rules and lexicon, without a workspace's own."""
    return Classifier(Document(workspace="trial", languages=LANGUAGES))


def predictions(samples: Iterable[Sample], classifier: Classifier) -> Iterator[dict[str, Any]]:
    """One prediction a sample, as `pointsman classify predict` prints it."""
    for sample in samples:
        label = classifier.classify(_message(sample.text))
        yield {
            "text": sample.text,
            "language": label.language,
            "category": label.category,
            "confidence": label.confidence,
            "top": [{"category": category, "confidence": confidence} for category, confidence in label.top],
            "priority": label.priority,
            "sentiment": label.sentiment,
            "band": label.band,
            "evidence": [evidence.model_dump() for evidence in label.evidence],
        }


def evaluate(samples: Sequence[Sample], classifier: Classifier) -> dict[str, Any]:
    """The figures named above."""
    messages = [_message(sample.text) for sample in samples]
    load()
    start = perf_counter()
    labels = [classifier.classify(message) for message in messages]
    seconds = perf_counter() - start
    right = [_is_right(sample, label) for sample, label in zip(samples, labels, strict=True)]
    outside = [label for sample, label in zip(samples, labels, strict=True) if sample.label in OUT_OF_SCOPE]
    return {
        "n": len(samples),
        "accuracy": _rounded(sum(right), len(samples)),
        "macro_f1": _macro_f1(samples, labels),
        "ece": _calibration_error([label.confidence for label in labels], right),
        "coverage_at_98": _coverage([label.confidence for label in labels], right),
        "out_of_scope_recall": _rounded(sum(label.category == CATCH_ALL for label in outside), len(outside)),
        "messages_per_second": round(len(samples) / seconds) if samples else None,
    }


def _message(text: str) -> MessageReceived:
    return MessageReceived(
        message_id="msg_trial",
        ticket_id="tkt_trial",
        thread_number=1,
        opens=True,
        connector="trial",
        channel="chat",
        external_id="trial",
        thread="trial",
        author=Author(kind="customer", id="trial"),
        customer=CustomerSeen(id="trial"),
        text=text,
        occurred_at=EPOCH,
        received_at=EPOCH,
    )


def _is_right(sample: Sample, label: Classification) -> bool:
    return label.category == sample.label or (sample.label in OUT_OF_SCOPE and label.category == CATCH_ALL)


def _rounded(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _macro_f1(samples: Sequence[Sample], labels: Sequence[Classification]) -> float | None:
    wanted = Counter(CATCH_ALL if sample.label in OUT_OF_SCOPE else str(sample.label) for sample in samples)
    given = Counter(label.category for label in labels)
    hits = Counter(label.category for sample, label in zip(samples, labels, strict=True) if _is_right(sample, label))
    return _rounded(sum(2 * hits[name] / (wanted[name] + given[name]) for name in wanted), len(wanted))


def _calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, hit in zip(confidences, right, strict=True):
        bins.setdefault(min(int(confidence * 10), 9), []).append((confidence, hit))
    gaps = (abs(sum(confidence for confidence, _ in said) - sum(hit for _, hit in said)) for said in bins.values())
    return _rounded(sum(gaps), len(right))


def _coverage(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    ranked = sorted(zip(confidences, right, strict=True), key=lambda one: -one[0])
    hits, covered = 0, 0
    for taken, (confidence, hit) in enumerate(ranked, start=1):
        hits += hit
        last_of_its_confidence = taken == len(ranked) or ranked[taken][0] < confidence
        if last_of_its_confidence and hits >= PRECISION * taken:
            covered = taken
    return _rounded(covered, len(ranked))
