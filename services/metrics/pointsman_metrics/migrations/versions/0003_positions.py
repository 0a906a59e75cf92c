"""Positions count the records that they pass, so that none can run ahead of what was decided."""

from alembic import op

from pointsman.runtime.migrate import count_what_positions_pass

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    count_what_positions_pass(op)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
