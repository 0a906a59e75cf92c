"""Intake's tables: the runtime's and its own."""

from alembic import op

from pointsman.runtime.migrate import create_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    # Every version of a workspace's connectors: slug → its part of the document.
    """
    CREATE TABLE config (
        workspace text NOT NULL, version int NOT NULL,
        connectors jsonb NOT NULL,
        raw_days int NOT NULL,
        applied_at timestamptz NOT NULL,
        PRIMARY KEY (workspace, version)
    )
    """,
    # A conversation and the ticket that it is on now. `number` counts its messages; those after `opened_at_number`
    # are on the present ticket. `closed`: the next message begins a new ticket.
    """
    CREATE TABLE thread (
        workspace text NOT NULL, connector text NOT NULL, thread text NOT NULL,
        ticket_id text NOT NULL,
        customer_id text NOT NULL,
        number int NOT NULL,
        opened_at_number int NOT NULL DEFAULT 0,
        follow_up_of text,
        closed boolean NOT NULL DEFAULT false,
        PRIMARY KEY (workspace, connector, thread)
    )
    """,
    "CREATE INDEX thread_ticket ON thread (ticket_id)",
    # What came, once per (workspace, connector, external_id). `reference` is what replies cite (a Message-ID).
    """
    CREATE TABLE message (
        workspace text NOT NULL, connector text NOT NULL, external_id text NOT NULL,
        id text NOT NULL,
        ticket_id text NOT NULL,
        thread text NOT NULL,
        thread_number int NOT NULL,
        body_hash text NOT NULL,
        reference text,
        raw_id text,
        body json NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (workspace, connector, external_id)
    )
    """,
    "CREATE UNIQUE INDEX message_id ON message (id)",
    "CREATE INDEX message_reference ON message (workspace, connector, reference) WHERE reference IS NOT NULL",
    """
    CREATE TABLE raw (
        id text PRIMARY KEY,
        workspace text NOT NULL, connector text NOT NULL,
        at timestamptz NOT NULL,
        content_type text NOT NULL,
        headers jsonb NOT NULL,
        body bytea NOT NULL
    )
    """,
    "CREATE INDEX raw_at ON raw (at)",
    """
    CREATE TABLE customer (
        workspace text NOT NULL, id text NOT NULL,
        name text, language text, tier text, organization text, owner text,
        version int NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (workspace, id)
    )
    """,
    # By what a customer is known: email, phone and handle are shown; `id` is a connector's own name for them, `thread`
    # a conversation whose customer gave nothing else.
    """
    CREATE TABLE identity (
        workspace text NOT NULL, kind text NOT NULL, value text NOT NULL,
        customer_id text NOT NULL,
        PRIMARY KEY (workspace, kind, value)
    )
    """,
    "CREATE INDEX identity_customer ON identity (workspace, customer_id)",
    "CREATE SEQUENCE delivery_number",
    # Public replies on their way out. `number` rises in commit order within a workspace. `push`: our loop sends it;
    # otherwise its connector pulls it.
    """
    CREATE TABLE delivery (
        workspace text NOT NULL, id text NOT NULL,
        number bigint NOT NULL DEFAULT nextval('delivery_number'),
        connector text NOT NULL, thread text NOT NULL, ticket_id text NOT NULL, customer_id text NOT NULL,
        push boolean NOT NULL,
        state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'delivered', 'read', 'failed')),
        body json NOT NULL,
        external_id text,
        rounds int NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL,
        claimed_until timestamptz,
        reason text,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (workspace, id)
    )
    """,
    "CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 'queued' AND push",
    "CREATE INDEX delivery_queued ON delivery (workspace, connector, number) WHERE state = 'queued'",
    "CREATE INDEX delivery_thread ON delivery (workspace, connector, thread, number) WHERE state = 'queued'",
    "CREATE INDEX delivery_of_workspace ON delivery (workspace, number)",
    "CREATE INDEX delivery_external ON delivery (workspace, connector, external_id) WHERE external_id IS NOT NULL",
    """
    CREATE TABLE quarantine (
        workspace text NOT NULL, id text NOT NULL,
        connector text NOT NULL,
        source text NOT NULL CHECK (source IN ('email', 'hook')),
        reason text NOT NULL, detail text NOT NULL,
        content_type text NOT NULL,
        headers jsonb NOT NULL,
        body bytea NOT NULL,
        at timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'discarded')),
        closed_at timestamptz,
        PRIMARY KEY (workspace, id)
    )
    """,
    # The providers' ids of requests, against replays.
    """
    CREATE TABLE replay_token (
        workspace text NOT NULL, connector text NOT NULL, token text NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (workspace, connector, token)
    )
    """,
    "CREATE INDEX replay_token_at ON replay_token (at)",
    """
    CREATE TABLE attachment (
        workspace text NOT NULL, id text NOT NULL,
        connector text,
        name text, content_type text,
        size int NOT NULL,
        sha256 text NOT NULL,
        content bytea NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (workspace, id)
    )
    """,
)


def upgrade() -> None:
    create_runtime_tables(op)
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("intake's first schema has nothing before it")
