"""Each problem has its page: docs/problems/<code>.md says what it means and what to do."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pointsman.runtime.http.problems import HTTP_CODES

CHECKOUT = Path(__file__).parents[3]
PAGES = CHECKOUT / "docs/problems"
MAKERS = frozenset({"Problem", "refuse", "Refusal"})


def codes_in(path: Path) -> Iterator[str]:
    """The codes that a source file names: `Problem(404, "code", …)`, `{"status": 404, "code": "code"}`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and len(node.args) > 1:
            maker = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if maker in MAKERS:
                yield from _texts(node.args[1])
        elif isinstance(node, ast.Dict):
            fields = {getattr(key, "value", None): value for key, value in zip(node.keys, node.values, strict=True)}
            if {"status", "code"} <= set(fields):
                yield from _texts(fields["code"])


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


@cache
def used_codes() -> dict[str, str]:
    """Code → a file that uses it."""
    found = dict.fromkeys((*HTTP_CODES.values(), "bad-request", "internal-error"), "runtime/http/problems.py")
    for folder in ("libs", "services"):
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                found |= dict.fromkeys(codes_in(path), str(path.relative_to(CHECKOUT)))
    found.pop("abandoned", None)  # kept with outcomes, answered as not-applied
    return found


def test_each_code_has_a_page() -> None:
    missing = {code: path for code, path in used_codes().items() if not (PAGES / f"{code}.md").is_file()}
    assert not missing


def test_each_page_is_of_a_code() -> None:
    used = used_codes()
    for page in sorted(PAGES.glob("*.md")):
        if page.stem == "README":
            continue
        assert page.stem in used, f"{page.name}: nothing answers this problem any more"
        text = page.read_text()
        assert text.startswith(f"# {page.stem.replace('-', ' ').capitalize()}\n"), page.name
        assert len(text.split("\n\n")) > 2, f"{page.name} says too little"
