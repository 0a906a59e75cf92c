"""Restarts of processes are counted, so that one that dies again and again is seen."""

from alembic import op

from pointsman.runtime.migrate import count_restarts

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    count_restarts(op)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
