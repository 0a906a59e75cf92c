"""Jobs that recompute open tickets' clocks, and the index of open tickets by which they go on."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `place` is the last ticket done; it moves in the transaction that did it.
    """
    CREATE TABLE job (
        id text PRIMARY KEY,
        workspace text NOT NULL,
        lane int NOT NULL,
        version int NOT NULL,
        actor jsonb NOT NULL,
        reason text,
        policies jsonb NOT NULL,
        calendars jsonb NOT NULL,
        dry_run boolean NOT NULL,
        total int NOT NULL,
        done int NOT NULL,
        steps int NOT NULL,
        place text NOT NULL,
        counts jsonb NOT NULL,
        gained jsonb NOT NULL,
        lost jsonb NOT NULL,
        errors jsonb NOT NULL,
        begun_at timestamptz NOT NULL,
        next_at timestamptz NOT NULL,
        finished_at timestamptz
    )
    """,
    "CREATE INDEX job_unfinished ON job (lane) WHERE finished_at IS NULL",
    "CREATE INDEX ticket_open ON ticket (workspace, ticket_id) WHERE phase NOT IN ('resolved', 'closed')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
