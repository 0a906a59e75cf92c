"""Tickets, offers and messages are looked up by their id alone, whatever the planner knows of their workspace."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATEMENTS = (
    *(
        statement
        for table in ("ticket", "offer", "message")
        for statement in (
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey",
            f"ALTER TABLE {table} ADD PRIMARY KEY (id, workspace)",
        )
    ),
    # The auditor reads open tickets in the order of their ids.
    "DROP INDEX ticket_resident",
    """
    CREATE INDEX ticket_resident ON ticket (workspace, id)
        WHERE state NOT IN ('resolved', 'closed') OR wrap_up_until IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
