"""The command `pointsman`. Its commands come from the entry points `pointsman.commands`: `register(app)` each.

Exit code 0 done, 1 the check or the action failed, 2 wrong usage or input: one line on standard error that says what
and where, never a traceback (`POINTSMAN_TRACEBACK=1` shows it).
"""

import os
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import NoReturn

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.local.process import LocalStackError

TRACEBACK_VARIABLE = "POINTSMAN_TRACEBACK"


def build(command: str | None = None) -> typer.Typer:
    """The app with every command that is installed.

    With the name of a command, modules are loaded only until one of them registers it: the libraries of the others
    would cost more time than most commands.
    """
    app = typer.Typer(
        name="pointsman",
        help="Pointsman gives each customer request to the agent who can best serve it now.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for entry in sorted(entry_points(group="pointsman.commands"), key=_light_first):
        if command is not None and command in _names(app):
            break
        try:
            entry.load()(app)
        except ImportError as error:
            if error.name == entry.module:
                continue  # An image may carry a service without its commands.
            print(f"pointsman: the commands of {entry.name} cannot be loaded: {error}", file=sys.stderr)
    return app


def _light_first(entry: EntryPoint) -> tuple[bool, bool, str]:
    return entry.name not in ("stack", "installation"), entry.value.startswith("pointsman_"), entry.name


def _names(app: typer.Typer) -> set[str]:
    """What was registered so far, as it is typed."""
    commands = {
        one.name or one.callback.__name__.replace("_", "-")
        for one in app.registered_commands
        if one.callback is not None
    }
    return commands | {one.name for one in app.registered_groups if isinstance(one.name, str)}


def main() -> NoReturn:
    """Runs the command line; does not return."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command; its exit code."""
    try:
        command = get_command(build(arguments[0] if arguments else None))
        code = command.main(arguments or ["--help"], prog_name="pointsman", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except TyperException as error:
        message = error.format_message()
        if "\n" in message:
            # A group that was called without its command: its help.
            print(message, file=sys.stderr)
            return 2
        context = getattr(error, "ctx", None)
        return _said(f"{context.command_path if context else 'pointsman'}: {message}", 2)
    except (typer.Abort, KeyboardInterrupt):
        return _said("pointsman: interrupted", 1)
    except WrongInput as error:
        return _said(f"pointsman: {error}", 2)
    except (CommandFailed, LocalStackError) as error:
        return _said(f"pointsman: {error}", 1)
    except BrokenPipeError:
        # The reader of our output left (`| head`). Nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        return _said(f"pointsman: unexpected {type(error).__name__}: {error} ({TRACEBACK_VARIABLE}=1 shows where)", 1)


def _said(line: str, code: int) -> int:
    print(" ".join(line.split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
