"""What a revision's before-part may do: a list of what only adds, so that what is not in it is refused.

It is read from the statements themselves. Real tables before and after are compared too, in
tests/integration/stack/test_before_parts.py: that sees what a statement does, this what rows it takes away.
"""

import re
from collections.abc import Iterable, Iterator

_IGNORED = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_NAME = r"(?:if not exists )?(?:only )?([\w.]+)"

_ADDS_BY_ITSELF = re.compile(r"create (table|sequence|view|type|index) |comment on |update ")
_OF_NEW_TABLE = re.compile(rf"(?:create unique index (?:\w+ )?on|insert into|alter table|delete from) {_NAME}")
_ALTER = re.compile(rf"alter table {_NAME} (.*)")


class Recorder:
    """Alembic's `op` for a test: keeps the statements. Revisions use nothing else of it."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, statement: str) -> None:
        self.statements.append(statement)


def more_than_additions(statements: Iterable[str]) -> list[str]:
    """The statements that a process of the older release could feel, in the order given."""
    new: set[str] = set()
    found = []
    for statement in statements:
        plain = " ".join(_QUOTED.sub("''", _IGNORED.sub(" ", statement)).lower().split()).rstrip("; ")
        made = re.match(rf"create table {_NAME}", plain)
        if made is not None:
            new.add(made[1])
        if not _only_adds(plain, new):
            found.append(statement)
    return found


def _only_adds(plain: str, new: set[str]) -> bool:
    if ";" in plain:
        return False
    if _ADDS_BY_ITSELF.match(plain):
        return True
    of = _OF_NEW_TABLE.match(plain)
    if of is not None and of[1] in new:
        return True
    altered = _ALTER.match(plain)
    return altered is not None and all(_adds_a_column(action) for action in _actions(altered[2]))


def _adds_a_column(action: str) -> bool:
    """A column that the older release's inserts may leave out, and that asks nothing of their rows."""
    if not re.match(r"add column |add (?!constraint|unique|primary|foreign|check|exclude)", action):
        return False
    if re.search(r"\b(unique|primary key|check|references|exclude)\b", action):
        return False
    return "not null" not in action or " default " in action or " generated " in action


def _actions(listed: str) -> Iterator[str]:
    """The actions of ALTER TABLE: parted by commas that are in no brackets."""
    depth, start = 0, 0
    for index, character in enumerate(listed):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            yield listed[start:index].strip()
            start = index + 1
    yield listed[start:].strip()
