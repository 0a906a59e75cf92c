"""Webhooks of events: each one's place in the list of events, and what waits to be sent. An index for the auditor."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE webhook (
        workspace text NOT NULL,
        webhook text NOT NULL,
        lane int NOT NULL,
        url_from text, secret text, events text[] NOT NULL, queues text[] NOT NULL,
        source text NOT NULL, number bigint NOT NULL, change bigint NOT NULL, place int NOT NULL,
        state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
        failures int NOT NULL DEFAULT 0, failing_since timestamptz, last_error text, pause_until timestamptz,
        disabled_at timestamptz, delivered_at timestamptz,
        PRIMARY KEY (workspace, webhook)
    )
    """,
    "CREATE INDEX webhook_lane ON webhook (lane)",
    """
    CREATE TABLE webhook_delivery (
        workspace text NOT NULL,
        webhook text NOT NULL,
        id text NOT NULL,
        serial bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
        subject text NOT NULL,
        type text NOT NULL,
        event json NOT NULL,
        state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'dead')),
        rounds int NOT NULL DEFAULT 0, reason text,
        due_at timestamptz NOT NULL, claimed_until timestamptz,
        queued_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
        PRIMARY KEY (workspace, webhook, id),
        FOREIGN KEY (workspace, webhook) REFERENCES webhook ON DELETE CASCADE
    )
    """,
    "CREATE INDEX webhook_delivery_order ON webhook_delivery (workspace, webhook, subject, serial)",
    "CREATE INDEX webhook_delivery_queued ON webhook_delivery (workspace, webhook, state, serial)",
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
