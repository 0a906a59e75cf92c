"""The cause of what sla said, for the ticket's timeline; tickets without tags cost their index nothing."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE clock_fact ADD COLUMN cause text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE clock_fact ALTER COLUMN cause DROP DEFAULT")
    op.execute("DROP INDEX ticket_tags")
    op.execute("CREATE INDEX ticket_tags ON ticket USING gin (tags) WHERE tags <> '{}'")


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
