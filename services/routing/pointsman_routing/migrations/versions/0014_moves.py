"""Where the tickets of renamed and deleted queues went: resolved ones follow when they are next touched."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workspace ADD COLUMN moves jsonb NOT NULL DEFAULT '[]'")


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
