"""To whom the replies of conversations go that an agent began."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE thread ADD COLUMN recipient jsonb")


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
