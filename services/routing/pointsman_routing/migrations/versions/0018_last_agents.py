"""Who dealt last with a customer is found at once, also where many tickets had no agent."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ticket_last_agent ON ticket (workspace, customer_id, opened_at) WHERE last_agent IS NOT NULL"
    )


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
