"""Ladders, silences and the canary: what an alert remembers of them, and their own rows."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `covered_at`: clocks that joined until then are acknowledged. `told` are the notify targets that were told.
    """
    ALTER TABLE alert ADD COLUMN covered_at timestamptz, ADD COLUMN silence_id text,
                      ADD COLUMN told text[] NOT NULL DEFAULT '{}'
    """,
    "UPDATE alert SET covered_at = acked_at WHERE state = 'acknowledged'",
    # `match` as `POST /silences` gave it; `ended_at` when it was over, `ended_by` whom.
    """
    CREATE TABLE silence (
        silence_id text PRIMARY KEY,
        workspace text NOT NULL,
        lane int NOT NULL,
        match jsonb NOT NULL,
        until timestamptz NOT NULL,
        reason text NOT NULL,
        by_kind text NOT NULL, by_id text NOT NULL,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        ended_by text
    )
    """,
    "CREATE INDEX silence_lane ON silence (lane) WHERE ended_at IS NULL",
    "CREATE INDEX silence_listed ON silence (workspace, created_at DESC, silence_id)",
    # When each lane's canary fires next.
    "CREATE TABLE canary (lane int PRIMARY KEY, fires_at timestamptz NOT NULL) WITH (fillfactor = 50)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
