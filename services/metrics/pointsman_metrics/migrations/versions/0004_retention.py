"""How long a workspace keeps closed tickets, and the indexes of pointsman_metrics.retention."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE config_version ADD COLUMN closed_tickets_days int NOT NULL DEFAULT 730",
    "CREATE INDEX agent_stretch_ended ON agent_stretch (workspace, ended_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
