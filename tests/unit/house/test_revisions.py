"""Revisions are a chain of numbers, and what a before-part does no process of the older release can feel."""

import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from tests.unit.house.before_parts import Recorder, more_than_additions
from tests.unit.house.checkout import ROOT

FIRST_OF_THE_RULE = {"intake": "0014", "metrics": "0007", "routing": "0027", "sla": "0013"}
"""What came before is history: it ran while nothing else did."""
SERVICES = sorted(FIRST_OF_THE_RULE)


def _revisions(service: str) -> list[tuple[Path, ModuleType]]:
    package = f"pointsman_{service}.migrations.versions"
    folder = ROOT / "services" / service / package.replace(".", "/")
    return [(path, import_module(f"{package}.{path.stem}")) for path in sorted(folder.glob("[0-9]*.py"))]


RULED = [
    pytest.param(module, id=f"{service}-{path.stem}")
    for service in SERVICES
    for path, module in _revisions(service)
    if module.revision >= FIRST_OF_THE_RULE[service]
]


def test_every_service_keeps_the_rule() -> None:
    assert sorted(path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").exists()) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_revisions_are_a_chain_of_numbers_that_their_files_begin_with(service: str) -> None:
    """Processes know their revisions by the names of these files, and which is older by its number."""
    revisions = _revisions(service)
    assert all(path.name.startswith(f"{module.revision}_") for path, module in revisions)
    assert all(re.fullmatch(r"\d{4}", module.revision) for _, module in revisions)
    assert revisions[0][1].down_revision is None
    assert all(later.down_revision == earlier.revision for (_, earlier), (_, later) in pairwise(revisions))


@pytest.mark.parametrize("revision", RULED)
def test_a_before_part_only_adds(revision: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(revision, "op", recorder)
    revision.upgrade()
    assert recorder.statements
    assert more_than_additions(recorder.statements) == [], (
        "processes of the release before this one run on while `upgrade()` is applied, and after it: what takes away "
        "or tightens goes into `after()` (docs/operations.md, Upgrading)"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ticket ADD COLUMN note text",
        "ALTER TABLE ticket ADD COLUMN note text NOT NULL DEFAULT 'drop, rename; set not null', ADD COLUMN n int",
        "ALTER TABLE ticket ADD COLUMN price numeric(10, 2), ADD COLUMN tags text[] NOT NULL DEFAULT '{}'",
        "CREATE TABLE note (id text PRIMARY KEY, ticket text NOT NULL CHECK (ticket <> ''))",
        "CREATE INDEX ticket_note ON ticket (note) -- drop it some day",
        "UPDATE ticket SET note = subject WHERE note IS NULL",
    ],
)
def test_what_adds_is_let_through(statement: str) -> None:
    assert more_than_additions([statement]) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE ticket",
        "ALTER TABLE ticket DROP COLUMN note",
        "ALTER TABLE ticket ADD COLUMN a text, DROP COLUMN note",
        "alter table ticket\n  rename column note to remark",
        "ALTER TABLE ticket RENAME TO matter",
        "ALTER TABLE ticket ALTER COLUMN note SET NOT NULL",
        "ALTER TABLE ticket ALTER COLUMN note TYPE int USING note::int",
        "ALTER TABLE ticket ALTER COLUMN note DROP DEFAULT",
        "ALTER TABLE ticket ADD COLUMN note text NOT NULL",
        "ALTER TABLE ticket ADD COLUMN note text UNIQUE",
        "ALTER TABLE ticket ADD CONSTRAINT some CHECK (note <> '')",
        "ALTER TABLE ticket ADD CHECK (note <> '')",
        "ALTER TABLE ticket ADD COLUMN note text REFERENCES note",
        "CREATE UNIQUE INDEX one ON ticket (note)",
        "DROP INDEX ticket_note",
        "DELETE FROM ticket",
        "TRUNCATE ticket",
        "INSERT INTO ticket VALUES (1)",
        "DO $$ BEGIN DROP TABLE ticket; END $$",
        "CREATE TABLE note (id text); DROP TABLE ticket",
        "REVOKE ALL ON ticket FROM pointsman_sla",
        "CREATE TRIGGER sometimes BEFORE INSERT ON ticket EXECUTE FUNCTION refuse()",
    ],
)
def test_what_an_older_process_could_feel_is_refused(statement: str) -> None:
    assert more_than_additions([statement]) == [statement]


def test_a_new_table_is_its_revisions_own() -> None:
    own = [
        "CREATE TABLE note (id text)",
        "CREATE UNIQUE INDEX one ON note (id)",
        "INSERT INTO note SELECT id FROM ticket",
    ]
    assert more_than_additions([*own, "ALTER TABLE note ALTER COLUMN id SET NOT NULL"]) == []
    assert more_than_additions(own[1:]) == own[1:]
