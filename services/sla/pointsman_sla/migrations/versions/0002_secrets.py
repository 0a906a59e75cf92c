"""The store of secrets."""

from alembic import op

from pointsman.runtime.migrate import create_secret_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_secret_table(op)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
