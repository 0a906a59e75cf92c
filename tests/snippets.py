"""The fenced snippets of the pages, as readers see them.

A comment right above a fence says what is exceptional about it, and nothing else does:

    <!-- not run: WHY -->         it cannot run here (Docker, hours); it is only parsed
    <!-- example of: WHAT -->     what a piece of YAML or JSON is, where it is no part of a workspace document
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(
    r"^(?:<!-- (?P<mark>[^>]+?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """`language` is the fence's word, empty for pictures; `not_run` says why it only is parsed."""

    page: str
    line: int
    language: str
    text: str
    not_run: str | None
    example_of: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every page of the project that people read."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def snippets(page: Path | str) -> Iterator[Snippet]:
    """The snippets of one page, in order."""
    path = ROOT / page
    text = path.read_text()
    for found in _FENCE.finditer(text):
        kind, _, why = (found["mark"] or "").partition(": ")
        assert kind in ("", "not run", "example of"), f"{path}: {kind!r} is no mark of a snippet"
        yield Snippet(
            str(path.relative_to(ROOT)),
            text.count("\n", 0, found.start("text")),
            found["language"],
            found["text"],
            why if kind == "not run" else None,
            why if kind == "example of" else None,
        )


ALL = [snippet for page in pages() for snippet in snippets(page)]
