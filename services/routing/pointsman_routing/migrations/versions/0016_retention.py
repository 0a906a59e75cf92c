"""What is old is found without reading all that is kept: the indexes of pointsman_routing.retention."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX agent_state_at ON agent_state (workspace, at)",
    "CREATE INDEX clock_fact_at ON clock_fact (at) WHERE ticket_id IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
