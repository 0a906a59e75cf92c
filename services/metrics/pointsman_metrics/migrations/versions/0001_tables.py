"""The first form of metrics' tables: the runtime's, and the rows that facts fold into."""

from alembic import op

from pointsman.runtime.migrate import create_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES: tuple[str, ...] = (
    # One row per ticket; fold/ticket.py says what each column means. Columns in the order of its fields.
    """
    CREATE TABLE ticket (
        workspace text NOT NULL,
        ticket_id text PRIMARY KEY,
        channel text NOT NULL,
        connector text NOT NULL,
        customer_id text NOT NULL,
        customer_tier text,
        started_by text NOT NULL,
        opened_at timestamptz NOT NULL,
        config_version int NOT NULL,
        state text NOT NULL,
        state_since timestamptz,
        waiting_on text,
        waiting_since timestamptz,
        queue text,
        agent text,
        team text,
        category text,
        language text,
        priority text,
        tags text[] NOT NULL,
        skills text[] NOT NULL,
        confidence double precision,
        asked_first_at timestamptz,
        asked_at timestamptz,
        first_response_at timestamptz,
        first_response_agent text,
        first_response_seconds double precision,
        answered double precision[] NOT NULL,
        last_reply_id text,
        inbound_count int NOT NULL,
        reply_count int NOT NULL,
        bot_reply_count int NOT NULL,
        note_count int NOT NULL,
        offer_count int NOT NULL,
        accept_count int NOT NULL,
        decline_count int NOT NULL,
        expiry_count int NOT NULL,
        rescind_count int NOT NULL,
        assignment_count int NOT NULL,
        transfer_count int NOT NULL,
        reopen_count int NOT NULL,
        escalated_at timestamptz,
        left_at timestamptz,
        resolved_first_at timestamptz,
        resolved_last_at timestamptz,
        outcome text,
        closed_at timestamptz,
        merged_into text,
        queued_seconds double precision NOT NULL,
        offered_seconds double precision NOT NULL,
        assigned_seconds double precision NOT NULL,
        pending_customer_seconds double precision NOT NULL,
        pending_third_party_seconds double precision NOT NULL,
        snoozed_seconds double precision NOT NULL,
        resolved_seconds double precision NOT NULL,
        wrap_up_seconds double precision NOT NULL,
        handling_number int NOT NULL,
        handling_agent text,
        handling_kind text,
        handling_since timestamptz,
        unresolved_number int NOT NULL,
        unresolved_since timestamptz
    )
    """,
    "CREATE INDEX ticket_waiting ON ticket (workspace, queue, waiting_since) WHERE state IN ('queued', 'offered')",
    "CREATE INDEX ticket_in_hand ON ticket (workspace) WHERE state = 'assigned'",
    "CREATE INDEX ticket_opened ON ticket (workspace, opened_at)",
    "CREATE INDEX ticket_first_response ON ticket (workspace, first_response_at)",
    "CREATE INDEX ticket_resolved ON ticket (workspace, resolved_last_at)",
    # Who held a ticket, when: `assigned`, then `wrap_up`. An open one has no end.
    """
    CREATE TABLE handling (
        workspace text NOT NULL,
        ticket_id text NOT NULL,
        number int NOT NULL,
        agent text NOT NULL,
        kind text NOT NULL,
        started_at timestamptz NOT NULL,
        ended_at timestamptz,
        PRIMARY KEY (ticket_id, number)
    )
    """,
    "CREATE INDEX handling_agent ON handling (workspace, agent, started_at)",
    # The stretches in which a ticket was unresolved: the backlog at any instant.
    """
    CREATE TABLE unresolved (
        workspace text NOT NULL,
        ticket_id text NOT NULL,
        number int NOT NULL,
        opened_at timestamptz NOT NULL,
        ended_at timestamptz,
        PRIMARY KEY (ticket_id, number)
    )
    """,
    "CREATE INDEX unresolved_open ON unresolved (workspace, opened_at) WHERE ended_at IS NULL",
    "CREATE INDEX unresolved_ended ON unresolved (workspace, ended_at)",
    # One row per clock; fold/clock.py.
    """
    CREATE TABLE clock (
        workspace text NOT NULL,
        clock_id text PRIMARY KEY,
        ticket_id text NOT NULL,
        metric text NOT NULL,
        cycle int NOT NULL,
        policy text NOT NULL,
        calendar text NOT NULL,
        config_version int NOT NULL,
        queue text,
        priority text,
        target_seconds int NOT NULL,
        started_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        breach_at timestamptz NOT NULL,
        state text NOT NULL,
        reason text,
        breached boolean NOT NULL,
        retargeted boolean NOT NULL,
        fired_at timestamptz,
        lateness_seconds double precision,
        warning_count int NOT NULL,
        withdrawn_count int NOT NULL,
        met_at timestamptz,
        ended_at timestamptz,
        elapsed_business_seconds double precision,
        elapsed_calendar_seconds double precision
    )
    """,
    "CREATE INDEX clock_ticket ON clock (ticket_id, metric)",
    "CREATE INDEX clock_due ON clock (workspace, due_at)",
    "CREATE INDEX clock_running ON clock (workspace, breach_at) WHERE state = 'running' AND NOT breached",
    "CREATE INDEX clock_standing ON clock (workspace) WHERE breached AND state IN ('running', 'paused')",
    # Agents' time: one row per stretch of a presence state.
    """
    CREATE TABLE agent_stretch (
        workspace text NOT NULL,
        agent text NOT NULL,
        number int NOT NULL,
        state text NOT NULL,
        set_by text NOT NULL,
        reason text,
        started_at timestamptz NOT NULL,
        ended_at timestamptz,
        PRIMARY KEY (workspace, agent, number)
    )
    """,
    "CREATE INDEX agent_stretch_open ON agent_stretch (workspace, state) WHERE ended_at IS NULL",
    # Metrics' part of every version of a workspace's document.
    """
    CREATE TABLE config_version (
        workspace text NOT NULL,
        version int NOT NULL,
        timezone text NOT NULL,
        queues text[] NOT NULL,
        teams jsonb NOT NULL,
        applied_at timestamptz NOT NULL,
        PRIMARY KEY (workspace, version)
    )
    """,
)


def upgrade() -> None:
    create_runtime_tables(op)
    for statement in TABLES:
        op.execute(statement)
