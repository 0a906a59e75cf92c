"""When and by which version a ticket was charged, and the agent to whom a supervisor gave it by name."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS = ("ALTER TABLE ticket ADD COLUMN charge jsonb, ADD COLUMN entrusted_to text",)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
