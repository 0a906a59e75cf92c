"""Every command says what it does, with an example."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from pointsman.cli.main import build


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield " ".join(path), command
        return
    for name, child in children.items():
        yield from commands(child, (*path, name))


ALL = dict(commands(get_command(build())))


@pytest.mark.parametrize("path", sorted(ALL))
def test_a_command_has_help_and_an_example(path: str) -> None:
    command = ALL[path]
    assert command.help, path
    assert f"Example: pointsman {path}" in f"{command.help} {command.epilog}", path
