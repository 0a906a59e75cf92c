"""An acknowledgement covers clocks: how many of an alert, whose ladders ended, what is given back. What is overdue."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `covered_by` takes care of `covered` clocks, those that joined until `covered_at`; `spent` others have climbed
    # their ladders to the end. Since `released_at` clocks are given back what a cover deferred; null: none is.
    """
    ALTER TABLE alert ADD COLUMN covered_by text, ADD COLUMN covered int NOT NULL DEFAULT 0,
                      ADD COLUMN spent int NOT NULL DEFAULT 0, ADD COLUMN released_at timestamptz
    """,
    """
    UPDATE alert SET covered_by = coalesce(acked_by, 'pointsman'),
        covered = (
            SELECT count(*) FROM alert_clock m
            WHERE m.alert_id = alert.alert_id AND m.left_at IS NULL AND m.joined_at <= alert.covered_at
        )
    WHERE state <> 'resolved' AND covered_at IS NOT NULL
    """,
    # What earlier versions left firing although every clock in it is covered.
    """
    UPDATE alert SET state = 'acknowledged', acked_by = covered_by, acked_at = covered_at
    WHERE state IN ('firing', 'silenced', 'exhausted') AND covered_at IS NOT NULL AND covered = clocks
    """,
    "UPDATE alert SET spent = 1 WHERE state = 'exhausted'",
    # Clocks that had breached before their ticket was reopened are due, too.
    "ALTER TABLE clock ADD COLUMN overdue boolean NOT NULL DEFAULT false",
    "DROP INDEX clock_due",
    """
    CREATE INDEX clock_due ON clock (workspace, breach_at, clock_id)
    WHERE state = 'running' AND (breached_at IS NULL OR overdue)
    """,
    # The clocks of an alert in the order in which they joined: a page of the API, a step of giving back.
    "CREATE INDEX alert_clock_in ON alert_clock (alert_id, joined_at, clock_id) WHERE left_at IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
