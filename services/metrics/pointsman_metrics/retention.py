"""How long metrics' rows are kept (pointsman.runtime.retention). A closed ticket goes, with its clocks and stretches,
so many days after its end as its workspace says (`retention.closed_tickets_days`): reports reach as far back."""

from pointsman.runtime.retention import GoesWith, Retention, Stands, Swept

_KEPT = """
    SELECT DISTINCT ON (workspace) workspace,
        clock_timestamp() - make_interval(days => closed_tickets_days) AS until
    FROM config_version ORDER BY workspace, version DESC
"""
CLOSED_TICKETS = f"""
WITH kept AS MATERIALIZED ({_KEPT}), gone AS (
    DELETE FROM ticket WHERE ticket_id IN (
        SELECT old.ticket_id FROM kept CROSS JOIN LATERAL (
            SELECT ticket_id FROM ticket t
            WHERE t.workspace = kept.workspace AND t.opened_at < kept.until AND t.state = 'closed'
                AND t.closed_at < kept.until
            LIMIT $1) AS old
        LIMIT $1)
    RETURNING ticket_id
), handlings AS (
    DELETE FROM handling h USING gone WHERE h.ticket_id = gone.ticket_id
), stretches AS (
    DELETE FROM unresolved u USING gone WHERE u.ticket_id = gone.ticket_id
), clocks AS (
    DELETE FROM clock c USING gone WHERE c.ticket_id = gone.ticket_id
)
SELECT count(*) FROM gone
"""
STRETCHES = f"""
WITH kept AS MATERIALIZED ({_KEPT}), gone AS (
    DELETE FROM agent_stretch WHERE (workspace, agent, number) IN (
        SELECT old.workspace, old.agent, old.number FROM kept CROSS JOIN LATERAL (
            SELECT workspace, agent, number FROM agent_stretch s
            WHERE s.workspace = kept.workspace AND s.ended_at < kept.until LIMIT $1) AS old
        LIMIT $1)
    RETURNING 1)
SELECT count(*) FROM gone
"""

RETENTION: tuple[Retention, ...] = (
    Stands("config_version", "one row a change of the document"),
    Swept("ticket", "closed for `retention.closed_tickets_days` of the workspace", CLOSED_TICKETS),
    GoesWith("handling", "ticket"),
    GoesWith("unresolved", "ticket"),
    GoesWith("clock", "ticket"),
    Swept("agent_stretch", "ended for `retention.closed_tickets_days` of the workspace", STRETCHES),
)
