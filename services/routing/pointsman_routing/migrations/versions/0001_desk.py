"""The desk's tables, beside the runtime's own. What each column means is said in pointsman_routing.store."""

from alembic import op

from pointsman.runtime.ddl import RUNTIME_TABLES_V1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE workspace (
        workspace text PRIMARY KEY,
        lane int NOT NULL,
        config_version int NOT NULL,
        change bigint NOT NULL,
        round_robin jsonb NOT NULL DEFAULT '{}'
    )
    """,
    "CREATE INDEX workspace_lane ON workspace (lane)",
    """
    CREATE TABLE config_version (
        workspace text NOT NULL,
        version int NOT NULL,
        document json NOT NULL,
        author jsonb NOT NULL,
        reason text,
        open_clocks text,
        applied_at timestamptz NOT NULL,
        PRIMARY KEY (workspace, version)
    )
    """,
    """
    CREATE TABLE ticket (
        workspace text NOT NULL,
        id text NOT NULL,
        change bigint NOT NULL,
        version int NOT NULL,
        state text NOT NULL,
        channel text NOT NULL, connector text NOT NULL, thread text NOT NULL,
        subject text,
        customer_id text NOT NULL, customer_name text, customer_tier text, customer_organization text,
        language text NOT NULL, category text NOT NULL, priority text NOT NULL, boost int NOT NULL,
        tags text[] NOT NULL,
        queue text NOT NULL,
        requires jsonb NOT NULL, prefers jsonb NOT NULL,
        weight int NOT NULL,
        labelled text[] NOT NULL,
        marked text,
        agent text, charged boolean NOT NULL, offer_id text,
        waiting_on text, pending_until timestamptz, pending_then text, pending_reason text, resolves_at timestamptz,
        outcome text,
        started_by text NOT NULL,
        opened_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
        queued_at timestamptz, waiting_since timestamptz, unanswered_since timestamptz,
        escalated_at timestamptz, resolved_at timestamptz, closed_at timestamptz,
        wrap_up_until timestamptz, closes_at timestamptz, requeues_at timestamptz,
        left_at timestamptz, abandons_at timestamptz,
        first_breach_at timestamptz, next_breach_at timestamptz, warned boolean NOT NULL,
        last_agent text, last_message_id text, recent jsonb NOT NULL,
        declined jsonb, offers int NOT NULL, retrying boolean NOT NULL, retry_at timestamptz,
        follow_up_of text, merged_into text,
        config_version int NOT NULL,
        PRIMARY KEY (workspace, id)
    )
    """,
    """
    CREATE INDEX ticket_resident ON ticket (workspace)
        WHERE state NOT IN ('resolved', 'closed') OR wrap_up_until IS NOT NULL
    """,
    "CREATE INDEX ticket_closes ON ticket (workspace, closes_at) WHERE state = 'resolved'",
    "CREATE INDEX ticket_state ON ticket (workspace, state, opened_at)",
    "CREATE INDEX ticket_agent ON ticket (workspace, agent, state) WHERE agent IS NOT NULL",
    "CREATE INDEX ticket_customer ON ticket (workspace, customer_id, opened_at)",
    "CREATE INDEX ticket_opened ON ticket (workspace, opened_at, id)",
    "CREATE INDEX ticket_updated ON ticket (workspace, updated_at, id)",
    "CREATE INDEX ticket_tags ON ticket USING gin (tags)",
    """
    CREATE TABLE message (
        workspace text NOT NULL,
        id text NOT NULL,
        ticket_id text NOT NULL,
        change bigint NOT NULL,
        number int NOT NULL,
        direction text NOT NULL CHECK (direction IN ('in', 'out', 'note')),
        kind text NOT NULL DEFAULT 'message', replaces text,
        author_kind text NOT NULL, author_id text NOT NULL, author_name text,
        subject text, text text NOT NULL, reply_text text, html text, truncated boolean NOT NULL DEFAULT false,
        attachments jsonb NOT NULL DEFAULT '[]', cc text[] NOT NULL DEFAULT '{}',
        reply_to_message text,
        automatic text,
        delivery text CHECK (delivery IN ('queued', 'sent', 'delivered', 'failed')), delivery_reason text,
        occurred_at timestamptz NOT NULL, received_at timestamptz NOT NULL,
        PRIMARY KEY (workspace, id)
    )
    """,
    "CREATE INDEX message_ticket ON message (workspace, ticket_id, change, number)",
    """
    CREATE TABLE offer (
        workspace text NOT NULL,
        id text NOT NULL,
        ticket_id text NOT NULL,
        change bigint NOT NULL,
        agent text NOT NULL,
        queue text NOT NULL,
        state text NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected', 'expired', 'rescinded')),
        reason text NOT NULL,
        weight int NOT NULL,
        offered_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
        ended_at timestamptz, ended_reason text,
        why json NOT NULL,
        config_version int NOT NULL,
        PRIMARY KEY (workspace, id)
    )
    """,
    "CREATE INDEX offer_agent ON offer (workspace, agent, change)",
    "CREATE INDEX offer_ticket ON offer (workspace, ticket_id, offered_at)",
    "CREATE INDEX offer_pending ON offer (workspace, agent) WHERE state = 'pending'",
    """
    CREATE TABLE assignment (
        workspace text NOT NULL,
        ticket_id text NOT NULL,
        change bigint NOT NULL,
        agent text NOT NULL,
        offer_id text,
        reason text NOT NULL,
        why json NOT NULL,
        config_version int NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (workspace, ticket_id, change)
    )
    """,
    """
    CREATE TABLE agent (
        workspace text NOT NULL,
        agent text NOT NULL,
        change bigint NOT NULL,
        name text, capacity int NOT NULL, active boolean NOT NULL,
        state text NOT NULL, set_by text NOT NULL, reason text, channels text[],
        resume jsonb, held boolean NOT NULL, held_until timestamptz,
        state_since timestamptz NOT NULL, idle_since timestamptz NOT NULL, gone_at timestamptz,
        load int NOT NULL, in_hand jsonb NOT NULL,
        PRIMARY KEY (workspace, agent)
    )
    """,
    """
    CREATE TABLE session (
        workspace text NOT NULL,
        agent text NOT NULL,
        session text NOT NULL,
        lease_until timestamptz NOT NULL,
        PRIMARY KEY (workspace, agent, session)
    )
    """,
    """
    CREATE TABLE clock_fact (
        workspace text NOT NULL,
        ticket_id text NOT NULL,
        change bigint NOT NULL,
        number int NOT NULL,
        at timestamptz NOT NULL,
        type text NOT NULL,
        body json NOT NULL,
        PRIMARY KEY (workspace, ticket_id, change, number)
    )
    """,
    """
    CREATE TABLE token (
        workspace text NOT NULL,
        id text NOT NULL,
        role text NOT NULL, sub text NOT NULL,
        issued_at timestamptz NOT NULL, issued_by jsonb NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        PRIMARY KEY (workspace, id)
    )
    """,
)


def upgrade() -> None:
    for statement in (*RUNTIME_TABLES_V1, *TABLES):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
