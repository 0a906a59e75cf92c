"""What is old is found without reading all that is kept: the indexes of pointsman_sla.retention."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX ticket_closed ON ticket (workspace, opened_at) WHERE phase = 'closed'",
    "CREATE INDEX alert_resolved ON alert (resolved_at) WHERE state = 'resolved'",
    "CREATE INDEX alert_clock_left ON alert_clock (left_at) WHERE left_at IS NOT NULL",
    "CREATE INDEX alert_event_at ON alert_event (at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
