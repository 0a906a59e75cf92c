"""How long a workspace keeps closed tickets, and the indexes of pointsman_intake.retention."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE config ADD COLUMN closed_tickets_days int NOT NULL DEFAULT 730",
    "CREATE INDEX message_received ON message (workspace, received_at)",
    "CREATE INDEX message_thread ON message (workspace, connector, thread)",
    "CREATE INDEX delivery_created ON delivery (workspace, created_at)",
    "CREATE INDEX attachment_created ON attachment (workspace, created_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
