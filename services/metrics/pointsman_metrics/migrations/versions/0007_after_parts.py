"""From here on a revision only adds; what takes away waits in its after-part until no older release runs."""

from alembic import op

from pointsman.runtime.migrate import create_after_parts

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_after_parts(op)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
