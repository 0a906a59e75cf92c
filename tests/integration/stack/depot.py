"""A package with migrations, made for a test."""

from pathlib import Path

SERVICE = "depot"
PACKAGE = "pointsman_depot"

_REVISION = '''
"""A revision of a service that only tests have."""

from alembic import op

from pointsman.runtime.migrate import create_after_parts, create_runtime_tables

revision = "{revision}"
down_revision = {before!r}


def upgrade() -> None:
    {steps}
'''
_AFTER = """

def after() -> None:
    {steps}
"""


class Depot:
    """Its first revision makes the runtime's tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions = folder / PACKAGE / "migrations" / "versions"
        self.versions.mkdir(parents=True)
        (folder / PACKAGE / "__init__.py").touch()
        self.add("0001", None, "create_runtime_tables(op)")

    def add(self, revision: str, before: str | None, steps: str, after: str | None = None) -> None:
        text = _REVISION.format(revision=revision, before=before, steps=steps)
        text += "" if after is None else _AFTER.format(steps=after)
        (self.versions / f"{revision}_steps.py").write_text(text)

    def remove(self, revision: str) -> None:
        (self.versions / f"{revision}_steps.py").unlink()
