"""What the overdue of a queue have of its next offer."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workspace ADD COLUMN late_credits jsonb NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
