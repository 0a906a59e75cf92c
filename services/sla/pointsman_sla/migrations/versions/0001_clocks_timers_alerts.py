"""The sla service's tables: the runtime's, configuration versions, tickets, clocks, timers, alerts."""

from alembic import op

from pointsman.runtime.migrate import create_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    # Every version of a workspace's calendars and policies, as far as clocks need them.
    """
    CREATE TABLE config_version (
        workspace text NOT NULL, version int NOT NULL,
        body jsonb NOT NULL,
        applied_at timestamptz NOT NULL,
        PRIMARY KEY (workspace, version)
    )
    """,
    # What policies match on and clocks need of a ticket. `mirror` holds labels, phases and unanswered messages.
    """
    CREATE TABLE ticket (
        ticket_id text PRIMARY KEY,
        workspace text NOT NULL,
        lane int NOT NULL,
        config_version int NOT NULL,
        opened_at timestamptz NOT NULL,
        phase text NOT NULL,
        agent text,
        queue text,
        mirror jsonb NOT NULL
    )
    """,
    # One metric on one ticket, one cycle. `life` holds segments, plan, warnings and alerts; every change bumps
    # `generation`.
    """
    CREATE TABLE clock (
        clock_id text PRIMARY KEY,
        ticket_id text NOT NULL,
        workspace text NOT NULL,
        metric text NOT NULL,
        cycle int NOT NULL,
        state text NOT NULL CHECK (state IN ('running', 'paused', 'met', 'cancelled')),
        policy text NOT NULL,
        calendar text NOT NULL,
        config_version int NOT NULL,
        queue text,
        priority text NOT NULL,
        target_seconds int NOT NULL,
        generation int NOT NULL,
        started_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        breach_at timestamptz NOT NULL,
        breached_at timestamptz,
        ended_at timestamptz,
        retargeted boolean NOT NULL,
        reason text,
        life jsonb NOT NULL
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX clock_ticket ON clock (ticket_id, metric, cycle DESC)",
    "CREATE INDEX clock_due ON clock (workspace, breach_at, clock_id) WHERE state = 'running' AND breached_at IS NULL",
    # The next point of each running clock. `kind` is the step; a row whose generation is not the clock's means nothing.
    """
    CREATE TABLE timer (
        clock_id text PRIMARY KEY,
        lane int NOT NULL,
        kind text NOT NULL,
        generation int NOT NULL,
        fire_at timestamptz NOT NULL
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX timer_due ON timer (lane, fire_at, clock_id)",
    # One open alert per severity, policy and queue. `ack_until` ends an acknowledgement by itself.
    """
    CREATE TABLE alert (
        alert_id text PRIMARY KEY,
        workspace text NOT NULL,
        lane int NOT NULL,
        severity text NOT NULL CHECK (severity IN ('warning', 'breach')),
        policy text NOT NULL,
        queue text NOT NULL,
        state text NOT NULL CHECK (state IN ('firing', 'acknowledged', 'silenced', 'exhausted', 'resolved')),
        clocks int NOT NULL,
        generation int NOT NULL,
        opened_at timestamptz NOT NULL,
        acked_by text,
        acked_at timestamptz,
        ack_until timestamptz,
        resolved_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX alert_open ON alert (workspace, severity, policy, queue) WHERE state <> 'resolved'",
    "CREATE INDEX alert_lane ON alert (lane) WHERE state <> 'resolved'",
    "CREATE INDEX alert_listed ON alert (workspace, opened_at DESC, alert_id)",
    # The clocks of an alert; `left_at` when the clock stopped or its point was withdrawn.
    """
    CREATE TABLE alert_clock (
        alert_id text NOT NULL, clock_id text NOT NULL,
        ticket_id text NOT NULL, metric text NOT NULL, cycle int NOT NULL,
        joined_at timestamptz NOT NULL,
        left_at timestamptz,
        PRIMARY KEY (alert_id, clock_id)
    )
    """,
    # The timeline of an alert: opened, joined, left, acknowledged, unacknowledged, fired_again, resolved.
    """
    CREATE TABLE alert_event (
        event_id bigint GENERATED ALWAYS AS IDENTITY,
        alert_id text NOT NULL,
        at timestamptz NOT NULL,
        kind text NOT NULL,
        ticket_id text, metric text, cycle int,
        by_kind text, by_id text,
        comment text,
        PRIMARY KEY (alert_id, event_id)
    )
    """,
)


def upgrade() -> None:
    create_runtime_tables(op)
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the first form has nothing before it")
