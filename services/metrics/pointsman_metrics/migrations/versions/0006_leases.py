"""Leases have tables of their own, so that who renews one waits for no batch."""

from alembic import op

from pointsman.runtime.migrate import part_leases

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    part_leases(op)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
