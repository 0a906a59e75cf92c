"""A waiting ticket's place among those of its own priority."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE ticket ADD COLUMN priority text",
    "DROP INDEX ticket_waiting",
    """
    CREATE INDEX ticket_waiting ON ticket (workspace, queue, waiting_rank, ticket_id) INCLUDE (priority)
    WHERE waiting_rank IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
