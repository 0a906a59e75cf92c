"""The command `pointsman`. Each of its commands is an entry point `pointsman.commands` of its name: `register(app)`,
which may register others beside it.

Help and mistyped names are answered from the front page, without loading anything.

Exit code 0 done, 1 the check or the action failed, 2 wrong usage or input: one line on standard error that says what
and where, never a traceback (`POINTSMAN_TRACEBACK=1` shows it).
"""

import os
import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, NoReturn

from pointsman.cli import front_page
from pointsman.cli.errors import CommandFailed, WrongInput

if TYPE_CHECKING:
    import typer

GROUP = "pointsman.commands"
TRACEBACK_VARIABLE = "POINTSMAN_TRACEBACK"


def build(entries: Iterable[EntryPoint] | None = None) -> "typer.Typer":
    """The app with the commands of these entry points; without any, with every command that is installed."""
    import typer

    app = typer.Typer(
        name="pointsman",
        help=front_page.TITLE,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    # With one command only typer would leave its name out.
    app.callback()(lambda: None)
    if entries is None:
        entries = installed().values()
    for value, entry in {entry.value: entry for entry in entries}.items():
        try:
            entry.load()(app)
        except ImportError as error:
            print(f"pointsman: {value} cannot be loaded: {error}", file=sys.stderr)
    return app


def installed() -> dict[str, EntryPoint]:
    """The commands of this installation by their names, as they are typed."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def main() -> NoReturn:
    """Runs the command line; does not return."""
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output left (`| head`). Nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Runs one command; its exit code."""
    commands = installed()
    if (answer := front_page.answer(arguments, list(commands))) is not None:
        print(answer.text, file=sys.stderr if answer.code else sys.stdout)
        return answer.code
    return _run_command(arguments, commands[arguments[0]])


def _run_command(arguments: list[str], entry: EntryPoint) -> int:
    # Loaded only where a command is run: help must come at once.
    import typer
    from typer.exceptions import TyperException
    from typer.main import get_command

    from pointsman.local.process import LocalStackError

    try:
        code = get_command(build([entry])).main(arguments, prog_name="pointsman", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except TyperException as error:
        message = error.format_message()
        context = getattr(error, "ctx", None)
        return _said(f"{context.command_path if context else 'pointsman'}: {message}", 2)
    except (typer.Abort, KeyboardInterrupt):
        return _said("pointsman: interrupted", 1)
    except WrongInput as error:
        return _said(f"pointsman: {error}", 2)
    except (CommandFailed, LocalStackError) as error:
        return _said(f"pointsman: {error}", 1)
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        return _said(f"pointsman: unexpected {type(error).__name__}: {error} ({TRACEBACK_VARIABLE}=1 shows where)", 1)


def _said(line: str, code: int) -> int:
    print(" ".join(line.split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
