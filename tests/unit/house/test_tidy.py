"""What CONTRIBUTING.md asks of every file."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from tests.unit.house.checkout import ROOT, files, nodes_of, shown, tree_of

LINES_MAX = 400
FORBIDDEN_NAMES = {"utils", "util", "common", "misc", "helpers", "helper", "manager", "managers"}
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
TEXTS = (".py", ".md", ".toml", ".yml", ".yaml", ".xml", "Makefile", "Dockerfile")

SOURCES = [*files("libs", "services", "tests", suffix=".py")]


def test_no_file_is_longer_than_one_can_read() -> None:
    lengths = {shown(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX} == {}


def test_a_modules_name_says_what_it_holds() -> None:
    unsaying = [shown(path) for path in SOURCES if FORBIDDEN_NAMES.intersection(path.with_suffix("").parts)]
    assert unsaying == []


def test_every_module_says_what_it_is() -> None:
    modules = files("libs", "services", suffix=".py")
    silent = [shown(path) for path in modules if path.stat().st_size and not ast.get_docstring(tree_of(path))]
    assert silent == []


def test_nothing_is_left_to_be_done() -> None:
    found = []
    for suffix in TEXTS:
        for path in files(suffix=suffix):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                if UNFINISHED.search(line):
                    found.append(f"{shown(path)}:{number}: {line.strip()}")
    assert found == []


@cache
def _calls(path: Path) -> tuple[tuple[int, str, ast.Call], ...]:
    """(line, what is called, the call) of each call in the file."""
    calls = [node for node in nodes_of(path) if isinstance(node, ast.Call)]
    return tuple((call.lineno, _name_of(call.func), call) for call in calls)


def _name_of(called: ast.expr) -> str:
    """As it is written. Names, which most are, are put together here: unparsing takes ten times as long."""
    match called:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=owner, attr=name):
            return f"{_name_of(owner)}.{name}"
        case _:
            return ast.unparse(called)


def test_no_test_sleeps() -> None:
    """A test waits on a condition (pointsman.testing.waiting) or turns a clock of its own. `sleep(0)` is fine."""
    found = [
        f"{shown(path)}:{line}"
        for path in files("tests", suffix=".py")
        for line, name, call in _calls(path)
        if name.split(".")[-1] == "sleep" and not (call.args and ast.unparse(call.args[0]) == "0")
    ]
    assert found == []


def test_nobody_waits_in_a_way_that_loses_a_cancellation() -> None:
    """`asyncio.wait_for` of Python 3.11 goes on as if nothing were when the cancellation comes with the result
    (python/cpython#86296): a task that was to end lives on. `asyncio.timeout` does not."""
    found = [
        f"{shown(path)}:{line}"
        for path in files("libs", "services", suffix=".py")
        for line, name, _ in _calls(path)
        if name == "asyncio.wait_for"
    ]
    assert found == []


STARTS_TASKS = "libs/pointsman/pointsman/runtime/tasks.py"


def test_a_task_is_started_in_one_place_only() -> None:
    """A task that dies unseen leaves a process that answers as if it were whole (pointsman.runtime.tasks). The tasks of
    an `asyncio.TaskGroup` are fine: the group raises what they raise."""
    found = []
    for path in files("libs", "services", suffix=".py"):
        if shown(path) == STARTS_TASKS:
            continue
        groups = _task_groups(path)
        for line, name, _ in _calls(path):
            owner, _, function = name.rpartition(".")
            if function in ("create_task", "ensure_future") and owner not in groups:
                found.append(f"{shown(path)}:{line}: {name}")
    assert found == []


def _task_groups(path: Path) -> set[str]:
    """The names that the file gives to task groups."""
    groups = set()
    for node in nodes_of(path):
        match node:
            case ast.withitem(context_expr=ast.Call() as made, optional_vars=ast.expr() as name):
                pass
            case ast.Assign(targets=[name], value=ast.Call() as made):
                pass
            case ast.AsyncWith(items=[ast.withitem(context_expr=group, optional_vars=ast.expr() as name)]):
                if ast.unparse(group) in groups:
                    groups.add(ast.unparse(name))
                continue
            case _:
                continue
        if ast.unparse(made.func) == "asyncio.TaskGroup":
            groups.add(ast.unparse(name))
    return groups


def test_only_commands_print() -> None:
    found = [
        f"{shown(path)}:{line}"
        for path in files("libs", "services", suffix=".py")
        if not {"cli", "__main__"}.intersection(path.with_suffix("").parts)
        for line, name, _ in _calls(path)
        if name == "print"
    ]
    assert found == []


def test_no_unexpected_error_is_swallowed() -> None:
    found = []
    for path in files("libs", "services", suffix=".py"):
        for node in nodes_of(path):
            if isinstance(node, ast.ExceptHandler) and _is_everything(node.type) and _does_nothing(node.body):
                found.append(f"{shown(path)}:{node.lineno}")
    assert found == []


def _is_everything(kind: ast.expr | None) -> bool:
    return kind is None or ast.unparse(kind) in ("Exception", "BaseException")


def _does_nothing(body: list[ast.stmt]) -> bool:
    return all(isinstance(statement, ast.Pass | ast.Continue) for statement in body)


_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*files(suffix=".md")], ids=shown)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.findall(re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in _anchors(file)):
            dead.append(link)
    assert dead == []


def test_the_decisions_are_numbered_without_gap_or_twin() -> None:
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert page.read_text().startswith(f"# {int(page.name[:4])}. "), page.name


def test_the_locks_name_no_index() -> None:
    locks = [ROOT / "requirements.lock", ROOT / "requirements-bench.lock", *files(suffix="package-lock.json")]
    assert [shown(lock) for lock in locks if "://" in lock.read_text("utf-8")] == []


_SLUG_CALLS = {"Problem": 1, "refuse": 1, "Refusal": 1}


def test_every_problem_has_its_page() -> None:
    """The `type` of a problem is /problems/<code>: docs/problems/<code>.md explains it."""
    missing = set()
    for path in files("libs", "services", suffix=".py"):
        for _, name, call in _calls(path):
            place = _SLUG_CALLS.get(name.split(".")[-1])
            if place is None or len(call.args) <= place:
                continue
            code = call.args[place]
            if not isinstance(code, ast.Constant) or not isinstance(code.value, str):
                continue
            if not (ROOT / "docs" / "problems" / f"{code.value}.md").exists():
                missing.add(f"{code.value} ({shown(path)}:{call.lineno})")
    assert sorted(missing) == []


def test_mail_is_read_with_linear_expressions_only() -> None:
    """One expression of `re` on one mail held a process for seconds: it backtracks, and nobody else runs meanwhile."""
    found = [
        shown(path)
        for path in files("services/intake/pointsman_intake/mail", suffix=".py")
        for node in nodes_of(path)
        if isinstance(node, ast.Import) and any(name.name == "re" for name in node.names)
    ]
    assert found == []
