"""How long sla's rows are kept (pointsman.runtime.retention). A closed ticket goes, with its clocks, so many days after
the last of them ended as its workspace says (`retention.closed_tickets_days`)."""

from pointsman.runtime.retention import SECRETS, GoesWith, Retention, Stands, Swept, SweptBy, aged

CLOSED_TICKETS = """
WITH kept AS MATERIALIZED (
    SELECT workspace, clock_timestamp() - make_interval(days => coalesce(
        (body -> 'retention' ->> 'closed_tickets_days')::int, 730)) AS until
    FROM config_version JOIN (SELECT workspace, max(version) AS version FROM config_version GROUP BY 1) AS newest
        USING (workspace, version)
), gone AS (
    DELETE FROM ticket WHERE ticket_id IN (
        SELECT old.ticket_id FROM kept CROSS JOIN LATERAL (
            SELECT ticket_id FROM ticket t
            WHERE t.workspace = kept.workspace AND t.phase = 'closed' AND t.opened_at < kept.until AND NOT EXISTS (
                SELECT FROM clock c WHERE c.ticket_id = t.ticket_id
                    AND (c.ended_at IS NULL OR c.ended_at >= kept.until))
            LIMIT $1) AS old
        LIMIT $1)
    RETURNING ticket_id
), clocks AS (
    DELETE FROM clock c USING gone WHERE c.ticket_id = gone.ticket_id RETURNING c.clock_id
), timers AS (
    DELETE FROM timer t USING clocks WHERE t.clock_id = clocks.clock_id
)
SELECT count(*) FROM gone
"""
ALERTS = """
WITH gone AS (
    DELETE FROM alert WHERE alert_id IN (
        SELECT alert_id FROM alert
        WHERE state = 'resolved' AND resolved_at < clock_timestamp() - make_interval(days => $2)
        LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING alert_id
), clocks AS (
    DELETE FROM alert_clock c USING gone WHERE c.alert_id = gone.alert_id
), events AS (
    DELETE FROM alert_event e USING gone WHERE e.alert_id = gone.alert_id
)
SELECT count(*) FROM gone
"""
_OLD = "clock_timestamp() - make_interval(days => $2)"

RETENTION: tuple[Retention, ...] = (
    SECRETS,
    Stands("config_version", "one row a change of the document: every clock names the version that it counts by"),
    Swept("ticket", "closed, its clocks ended `retention.closed_tickets_days` of the workspace ago", CLOSED_TICKETS),
    GoesWith("clock", "ticket"),
    GoesWith("timer", "ticket"),
    Swept("alert", "after its resolution", ALERTS, "alerts_days"),
    Swept(
        "alert_clock",
        "with its alert; of an alert that stays open, after the clock left",
        aged("alert_clock", "alert_id, clock_id", f"left_at < {_OLD}"),
        "alerts_days",
    ),
    Swept(
        "alert_event",
        "with its alert; of an alert that stays open, after it happened",
        aged("alert_event", "alert_id, event_id", f"at < {_OLD}"),
        "alerts_days",
    ),
    Swept(
        "silence",
        "after its end",
        aged("silence", "silence_id", f"ended_at < {_OLD}"),
        "alerts_days",
    ),
    Swept(
        "job",
        "90 days after it was finished",
        aged("job", "id", "finished_at < clock_timestamp() - interval '90 days'"),
    ),
    Swept(
        "notify_item",
        "items that no message took, after they could have been told",
        aged("notify_item", "item_id", f"notification_id IS NULL AND not_before < {_OLD}"),
        "notify_kept_days",
    ),
    SweptBy("notification", "`notify_kept_days` after it was sent, or given up", "pointsman_sla.notify.rows"),
    SweptBy("notify_group", "`notify_kept_days` after its last message", "pointsman_sla.notify.rows"),
    SweptBy("ack_link", "at its end", "pointsman_sla.notify.rows"),
    SweptBy("duration", "when it says nothing of today any more", "pointsman_sla.store.observations"),
    SweptBy("agent_at_work", "when the agent took no ticket of the queue for long", "pointsman_sla.store.observations"),
    Stands("canary", "one row a lane"),
)
