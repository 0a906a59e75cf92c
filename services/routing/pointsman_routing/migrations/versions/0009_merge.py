"""Finds the tickets that were merged into one."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ticket_merged ON ticket (workspace, merged_into) WHERE merged_into IS NOT NULL")


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
