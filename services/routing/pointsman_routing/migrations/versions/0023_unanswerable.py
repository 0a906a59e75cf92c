"""Which tickets get no automatic reply."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE ticket ADD COLUMN unanswerable boolean")


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
