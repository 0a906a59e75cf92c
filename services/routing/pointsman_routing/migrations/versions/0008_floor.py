"""Tickets that wait for one agent, when their holder got them, and how long an agent's tickets take."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE ticket ADD COLUMN reserved_for text, ADD COLUMN reserved_until timestamptz",
    "ALTER TABLE ticket ADD COLUMN assigned_at timestamptz",
    "ALTER TABLE agent ADD COLUMN handle_seconds double precision",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
