"""What `pointsman` shows of itself: its commands in groups, first what people do first.

It is written here once, so that help needs to load no command: the libraries behind them cost a hundred times as much
as the page. A test compares it with what is registered. Lines fit into 80 columns.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pointsman.core.nearest import nearest

TITLE = "Pointsman gives each customer request to the agent who can best serve it now."
HELP_OPTIONS = ("--help", "-h")
WIDTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One command: what it does in a few words; of a group also its commands, and whether it does something without."""

    what: str
    commands: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False


SECTIONS: Mapping[str, Mapping[str, Line]] = {
    "Begin": {
        "demo": Line("play a support day, and prove that nothing was lost"),
        "up": Line("start the local stack: PostgreSQL, a broker, the services"),
        "status": Line("what runs, and where"),
        "logs": Line("the last lines of the local stack's logs"),
        "down": Line("stop the local stack; its data stays"),
    },
    "Set up a workspace": {
        "apply": Line("make a file the workspace's document"),
        "lint": Line("find what a document probably does not mean, without a server"),
        "config": Line(
            "the document that holds, and its versions",
            {
                "show": "the document as it stands",
                "diff": "what applying a file would change",
                "versions": "who changed it, when and why",
                "rollback": "make an earlier version hold again",
            },
        ),
        "token": Line(
            "tokens: who may call, as what",
            {
                "issue": "issue a token for a connector, an agent, a supervisor, …",
                "list": "the tokens that the server issued for the workspace",
                "revoke": "take a token back",
            },
        ),
        "secret": Line(
            "the secrets that the document names",
            {
                "set": "store a secret, encrypted",
                "list": "which secrets each service has",
                "rm": "remove a secret",
            },
        ),
    },
    "Work with tickets": {
        "send": Line("post messages as a connector would"),
        "agent": Line("take work in the terminal, as an agent"),
        "tickets": Line("list tickets"),
        "ticket": Line("one ticket with its messages, timeline and clocks"),
        "explain": Line("why a ticket is where it is, and what would free it"),
    },
    "Watch": {
        "top": Line("queues, agents and what is due, live"),
        "due": Line("the clocks that breach next, and how likely each is to"),
        "alerts": Line(
            "SLA alerts and silences",
            {
                "list": "alerts, the newest first",
                "show": "one alert, its clocks and its timeline",
                "ack": "acknowledge an alert: you take care of it",
                "unack": "take an acknowledgement back",
                "silence": "silence alerts that match, for a time",
                "silences": "silences, the newest first",
                "unsilence": "end a silence before its time",
            },
        ),
        "queues": Line(
            "how the queues stand; close and open them",
            {
                "list": "the queues: who waits, since when, who may take it",
                "show": "one of them",
                "close": "close a queue, until an instant or until it is opened",
                "open": "open a queue that was closed",
            },
            alone=True,
        ),
        "agents": Line(
            "who is there with what in hand; presence, assigning",
            {
                "list": "the agents: presence, load and capacity",
                "show": "one of them",
                "presence": "set an agent's presence",
                "assign": "give a ticket to an agent",
                "requeue": "give an agent's tickets back to their queues",
            },
            alone=True,
        ),
        "report": Line("a KPI, with its definition and how it was computed"),
        "export": Line("one row per ticket into a file"),
        "ledger": Line("the proof of a ticket's clocks, interval by interval"),
    },
    "Find out what went wrong": {
        "trace": Line("the path of a message, ticket or event through all services"),
        "audit": Line("check now what must always hold"),
        "quarantine": Line(
            "mail and webhooks that could not be understood",
            {
                "list": "what could not be understood",
                "show": "one of them with its text",
                "replay": "read it again",
                "discard": "close it without reading it again",
            },
        ),
        "dlq": Line(
            "dead letters: records that could not be read or decided",
            {
                "list": "dead letters",
                "show": "one of them, with the record as it came",
                "replay": "feed it into its lane again",
                "discard": "close it without reading it again",
            },
        ),
        "notifications": Line(
            "what notify targets were told",
            {
                "list": "notifications, the newest first",
                "show": "one of them with its text",
                "resend": "send one again that is dead or was skipped",
            },
        ),
        "notify": Line("notify targets", {"test": "send a test message to a notify target"}),
    },
    "Try before it counts": {
        "simulate": Line("play a scenario on the desk, on a virtual clock"),
        "replay": Line("a recorded history under another document or staffing"),
        "recompute": Line("lay the clocks of open tickets anew under the newest version"),
        "classify": Line(
            "the classifier on a file of messages",
            {
                "predict": "the labels of each message, one JSON object a line",
                "eval": "how good the labels are, on labelled messages",
            },
        ),
        "predict": Line("how far the predicted breaches can be believed"),
        "sla": Line("SLA arithmetic", {"eval": "compare calendars with worked examples"}),
        "verify": Line("compare signed requests with the verdicts that they expect"),
    },
    "Run an installation": {
        "migrate": Line("bring every service's schema to this version"),
        "topics": Line("the broker's topics", {"create": "create the topics that are missing, verify the others"}),
        "key": Line(
            "the keys of tokens and of stored secrets",
            {
                "create": "make a key file, unless there is a good one",
                "public": "write the public parts, for who only verifies tokens",
            },
        ),
        "bench": Line("measure on servers of its own"),
        "chaos": Line("kill processes under load, and verify that nothing is lost"),
    },
}

LINES: Mapping[str, Line] = {name: line for lines in SECTIONS.values() for name, line in lines.items()}


@dataclass(frozen=True, slots=True)
class Printed:
    """What is said without loading a command: the text, whether it goes to standard error, and the exit code."""

    text: str
    code: int


def answer(arguments: Sequence[str], installed: Sequence[str]) -> Printed | None:
    """The page that the arguments ask for, or that there is no such command; None when a command is to be run.

    `installed` are the commands that this installation has.
    """
    if not arguments or arguments[0] in HELP_OPTIONS:
        return Printed(front_page(installed), 0)
    name, *rest = arguments
    if name.startswith("-"):
        return Printed(f"pointsman: no such option: {name}; pointsman --help shows the commands", 2)
    if name not in installed:
        return Printed(unknown(("pointsman",), name, installed), 2)
    commands = LINES[name].commands if name in LINES else {}
    if not commands:
        return None
    if not rest and not LINES[name].alone:
        return Printed(group_page(name), 2)
    if rest and rest[0] in HELP_OPTIONS:
        return Printed(group_page(name), 0)
    if rest and rest[0] not in commands and not rest[0].startswith("-"):
        return Printed(unknown(("pointsman", name), rest[0], list(commands)), 2)
    return None


def unknown(path: Sequence[str], name: str, known: Sequence[str]) -> str:
    """One line: there is no such command, and which one was probably meant."""
    # `pointsman silence`: it is a command of a group.
    within = [f"{group} {name}" for group, line in LINES.items() if len(path) == 1 and name in line.commands]
    near = within[:3] or nearest(name, known)
    more = f"Did you mean {' or '.join(near)}?" if near else f"{' '.join(path)} --help shows what there is"
    return f"{' '.join(path)}: No such command '{name}'. {more}"


def front_page(installed: Sequence[str]) -> str:
    """The whole page."""
    parts = ["Usage: pointsman COMMAND [OPTIONS] …", "", TITLE]
    width = max(map(len, LINES))
    for title, lines in SECTIONS.items():
        shown = {name: line.what for name, line in lines.items() if name in installed}
        if shown:
            parts += ["", _bold(title), *_listed(shown, width)]
    if others := {name: "" for name in installed if name not in LINES}:
        parts += ["", _bold("More"), *_listed(others, width)]
    parts += ["", "pointsman COMMAND --help says more, with an example. Commands speak to the"]
    parts += ["server of POINTSMAN_URL with POINTSMAN_TOKEN, or to the local stack."]
    return "\n".join(parts)


def group_page(name: str) -> str:
    """The page of a group of commands."""
    line = LINES[name]
    parts = [f"Usage: pointsman {name} COMMAND [OPTIONS] …", "", f"{line.what[0].upper()}{line.what[1:]}.", ""]
    parts += _listed(line.commands, max(map(len, line.commands)))
    parts += ["", f"pointsman {name} COMMAND --help says more, with an example."]
    return "\n".join(parts)


def _listed(lines: Mapping[str, str], width: int) -> list[str]:
    columns = min(shutil.get_terminal_size().columns, WIDTH_MAX)
    listed = []
    for name, what in lines.items():
        head = f"  {name:{width}}  "
        listed.append(textwrap.fill(head + what, max(columns, width + 20), subsequent_indent=" " * len(head)))
    return listed


def _bold(text: str) -> str:
    """The text as a heading: bold where that can be seen."""
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return f"\x1b[1m{text}\x1b[0m" if coloured else text
