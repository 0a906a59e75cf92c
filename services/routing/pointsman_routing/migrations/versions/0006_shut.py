"""Queue hours and limits: what a supervisor said of queues, which tickets are held, for which the rule has run."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE workspace ADD COLUMN closings jsonb NOT NULL DEFAULT '{}'",
    "ALTER TABLE workspace ALTER COLUMN closings DROP DEFAULT",
    "ALTER TABLE ticket ADD COLUMN held text, ADD COLUMN turned_away boolean NOT NULL DEFAULT false",
    "ALTER TABLE ticket ALTER COLUMN turned_away DROP DEFAULT",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
