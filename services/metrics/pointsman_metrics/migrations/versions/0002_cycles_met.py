"""Reports are built from the cycles of clocks that were met: what a clock had counted when it was first met, and an
index for first responses by the instant of the reply."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE clock ADD COLUMN first_met_business_seconds double precision,
            ADD COLUMN first_met_calendar_seconds double precision
        """
    )
    op.execute("CREATE INDEX clock_met ON clock (workspace, metric, met_at) WHERE state = 'met'")
