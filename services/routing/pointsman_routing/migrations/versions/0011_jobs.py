"""Actions on many tickets that take several decisions."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE job (
        workspace text NOT NULL,
        id text NOT NULL,
        actor jsonb NOT NULL,
        action jsonb NOT NULL,
        ids jsonb NOT NULL,
        total int NOT NULL, done int NOT NULL DEFAULT 0, failed int NOT NULL DEFAULT 0,
        errors jsonb NOT NULL DEFAULT '[]',
        begun_at timestamptz NOT NULL, moved_at timestamptz,
        PRIMARY KEY (workspace, id)
    )
    """,
    "CREATE INDEX job_unfinished ON job (workspace) WHERE done < total",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
