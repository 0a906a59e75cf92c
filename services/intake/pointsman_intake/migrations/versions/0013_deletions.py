"""Which message a message deletes, and the agents that a message may be written by."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE message ADD COLUMN deletes text",
    "CREATE INDEX message_deletes ON message (workspace, connector, deletes) WHERE deletes IS NOT NULL",
    # Null in versions of an older release, which go by any name.
    "ALTER TABLE config ADD COLUMN agents text[]",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
