"""What sla said has its place in one order with our own facts, alerts included."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE clock_fact DROP CONSTRAINT clock_fact_pkey",
    """
    ALTER TABLE clock_fact ALTER COLUMN ticket_id DROP NOT NULL,
        ADD COLUMN source text NOT NULL DEFAULT '', ADD COLUMN subject text NOT NULL DEFAULT '',
        ADD COLUMN after_number bigint NOT NULL DEFAULT 0
    """,
    # What was told before has no place in the order: it stands before everything.
    """
    UPDATE clock_fact SET subject = ticket_id,
        source = coalesce((SELECT 'routing@' || incarnation FROM installation), '')
    """,
    """
    ALTER TABLE clock_fact ALTER COLUMN source DROP DEFAULT, ALTER COLUMN subject DROP DEFAULT,
        ALTER COLUMN after_number DROP DEFAULT,
        ADD PRIMARY KEY (workspace, source, after_number, change, number)
    """,
    "CREATE INDEX clock_fact_ticket ON clock_fact (workspace, ticket_id) WHERE ticket_id IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
