"""Help comes at once: what the commands need is loaded only when one is run."""

import json
import resource
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from typer.main import get_group

from pointsman.cli import front_page
from pointsman.cli.main import GROUP, build, run

LIGHT = {
    *("pointsman", "pointsman.cli", "pointsman.cli.main", "pointsman.cli.front_page", "pointsman.cli.errors"),
    *("pointsman.core", "pointsman.core.nearest"),
}
HEAVY = ("typer", "rich", "pydantic", "httpx", "fastapi", "asyncio", "numpy", "scipy", "sqlalchemy", "asyncpg")
GROUPS = [name for name, line in front_page.LINES.items() if line.commands]
PAGES = [
    [],
    ["--help"],
    ["-h"],
    *([name, "--help"] for name in GROUPS),
    *([name] for name in GROUPS if not front_page.LINES[name].alone),
    ["no-such"],
]
CHILD = """
import contextlib, io, json, pathlib, sys
from pointsman.cli.main import run
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    for arguments in json.loads(sys.argv[1]):
        run(arguments)
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print(json.dumps({"modules": list(sys.modules), "kilobytes": int(status["VmHWM"].split()[0])}))
"""


def in_a_child(pages: list[list[str]]) -> tuple[list[str], float, float]:
    """The modules that these command lines load, the processor's seconds and the megabytes that they cost."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run([sys.executable, "-c", CHILD, json.dumps(pages)], capture_output=True, check=True, text=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    found = json.loads(told.stdout)
    return found["modules"], seconds, found["kilobytes"] / 1024


def test_help_of_the_command_and_of_each_group_loads_no_command() -> None:
    modules, _, _ = in_a_child(PAGES)
    ours = {name for name in modules if name.split(".")[0].startswith("pointsman")}
    assert ours == LIGHT
    assert [name for name in HEAVY if name in modules] == []


def test_help_costs_a_fraction_of_a_second() -> None:
    _, seconds, megabytes = in_a_child([["--help"]])
    assert seconds < 0.3
    assert megabytes < 40


def test_the_page_has_every_command_and_no_other() -> None:
    registered = get_group(build()).commands
    assert set(front_page.LINES) == set(registered) == {entry.name for entry in entry_points(group=GROUP)}
    for name, line in front_page.LINES.items():
        assert set(line.commands) == set(getattr(registered[name], "commands", {})), name


@pytest.mark.parametrize("arguments", PAGES[:-1], ids=" ".join)
def test_a_page_fits_into_80_columns(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run(arguments)
    said = capsys.readouterr()
    lines = (said.out + said.err).splitlines()
    assert max(map(len, lines)) <= 80
    # No command needs a second line: what stands alone begins in the first or third column.
    assert not [line for line in lines if line.startswith("   ")]


def test_what_people_do_first_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    page = capsys.readouterr().out
    places = [page.index(f"\n  {name} ") for name in ("demo", "up", "apply", "send", "top", "trace", "chaos")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["tickts"], "tickets"),
        (["Explain"], "explain"),
        (["quarantene"], "quarantine"),
        (["notif"], "notify or notifications"),
        (["silence"], "alerts silence"),
        (["config", "dif"], "diff"),
        (["alerts", "sylence"], "silence"),
    ],
)
def test_a_near_miss_is_told_what_was_meant(
    arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert f"Did you mean {meant}" in said
    assert said.count("\n") == 1


def test_a_mistyped_option_is_told_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tickets", "--stat", "queued"]) == 2
    assert "--state" in capsys.readouterr().err
