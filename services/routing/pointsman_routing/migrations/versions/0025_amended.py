"""What changes a message: found by the provider's id of it, and marked on the message that it is about."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE message
        ADD COLUMN external_id text, ADD COLUMN edited_at timestamptz, ADD COLUMN deleted_at timestamptz
    """,
    "CREATE INDEX message_external ON message (workspace, connector, external_id) WHERE external_id IS NOT NULL",
    "CREATE INDEX message_replaces ON message (workspace, connector, replaces) WHERE replaces IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
