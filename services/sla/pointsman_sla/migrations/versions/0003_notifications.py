"""What notify targets are to be told, the messages it becomes, and links that acknowledge."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    # One thing to tell one target (`notify.item.Item`). `notification_id` is the message that took it up.
    """
    CREATE TABLE notify_item (
        item_id text PRIMARY KEY,
        workspace text NOT NULL, target text NOT NULL, group_key text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('step', 'exhausted', 'again', 'escalation')),
        reason text NOT NULL,
        at timestamptz NOT NULL,
        not_before timestamptz NOT NULL,
        queue text, policy text, severity text, alert_id text, ticket_id text, clock_id text, metric text, cycle int,
        priority text, agent text, due_at timestamptz, breach_at timestamptz,
        notification_id text
    )
    """,
    "CREATE INDEX notify_item_untold ON notify_item (workspace, target, group_key) WHERE notification_id IS NULL",
    "CREATE INDEX notify_item_told ON notify_item (notification_id) WHERE notification_id IS NOT NULL",
    # When a group has its next message: at `due_at`, never sooner than `within_seconds` after its last.
    """
    CREATE TABLE notify_group (
        workspace text NOT NULL, target text NOT NULL, group_key text NOT NULL,
        lane int NOT NULL,
        urgent boolean NOT NULL,
        within_seconds int NOT NULL,
        due_at timestamptz,
        last_sent_at timestamptz,
        PRIMARY KEY (workspace, target, group_key)
    )
    """,
    "CREATE INDEX notify_group_due ON notify_group (lane, due_at) WHERE due_at IS NOT NULL",
    # A message. `items` is null until its items are gathered; `taken` are digests of the addresses that took it;
    # `by_hand` is sent whatever has become of its alerts since.
    """
    CREATE TABLE notification (
        notification_id text PRIMARY KEY,
        workspace text NOT NULL, target text NOT NULL, group_key text NOT NULL,
        lane int NOT NULL,
        kind text NOT NULL CHECK (kind IN ('message', 'test')),
        state text NOT NULL CHECK (state IN ('queued', 'sent', 'dead', 'skipped')),
        urgent boolean NOT NULL,
        by_hand boolean NOT NULL DEFAULT false,
        items int,
        alerts text[] NOT NULL DEFAULT '{}',
        title text, body text,
        rounds int NOT NULL DEFAULT 0,
        reason text, remark text,
        taken text[] NOT NULL DEFAULT '{}',
        due_at timestamptz NOT NULL, claimed_until timestamptz,
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, sent_at timestamptz
    )
    """,
    "CREATE INDEX notification_due ON notification (lane, due_at) WHERE state = 'queued'",
    "CREATE INDEX notification_of_target ON notification (workspace, target, created_at DESC)",
    "CREATE INDEX notification_listed ON notification (workspace, created_at DESC, notification_id)",
    "CREATE INDEX notification_old ON notification (created_at)",
    # A link that acknowledges an alert: the SHA-256 of its token, which is only in the message.
    """
    CREATE TABLE ack_link (
        token_hash bytea PRIMARY KEY,
        workspace text NOT NULL,
        alert_id text NOT NULL,
        target text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ack_link_expires ON ack_link (expires_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
