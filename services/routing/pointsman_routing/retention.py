"""How long routing's rows are kept (pointsman.runtime.retention). A closed ticket goes, with all that is about it, so
many days after its end as its workspace says (`retention.closed_tickets_days`)."""

from pointsman.runtime.retention import SECRETS, GoesWith, Retention, Stands, Swept, aged

KEPT_DAYS = """
    SELECT workspace, clock_timestamp() - make_interval(days => coalesce(
        (document -> 'retention' ->> 'closed_tickets_days')::int, 730)) AS until
    FROM config_version JOIN (SELECT workspace, max(version) AS version FROM config_version GROUP BY 1) AS newest
        USING (workspace, version)
"""
CLOSED_TICKETS = f"""
WITH kept AS MATERIALIZED ({KEPT_DAYS}), gone AS (
    DELETE FROM ticket WHERE (workspace, id) IN (
        SELECT old.workspace, old.id FROM kept CROSS JOIN LATERAL (
            SELECT workspace, id FROM ticket t
            WHERE t.workspace = kept.workspace AND t.state = 'closed' AND t.opened_at < kept.until
                AND t.closed_at < kept.until AND t.wrap_up_until IS NULL
            LIMIT $1) AS old
        LIMIT $1)
    RETURNING workspace, id
), messages AS (
    DELETE FROM message m USING gone WHERE m.workspace = gone.workspace AND m.ticket_id = gone.id
), files AS (
    DELETE FROM file f USING gone WHERE f.workspace = gone.workspace AND f.ticket_id = gone.id
), offers AS (
    DELETE FROM offer o USING gone WHERE o.workspace = gone.workspace AND o.ticket_id = gone.id
), assignments AS (
    DELETE FROM assignment a USING gone WHERE a.workspace = gone.workspace AND a.ticket_id = gone.id
), clocks AS (
    DELETE FROM clock_fact c USING gone WHERE c.workspace = gone.workspace AND c.ticket_id = gone.id
)
SELECT count(*) FROM gone
"""
ALERTS_FACTS = """
WITH gone AS (
    DELETE FROM clock_fact WHERE (workspace, source, after_number, change, number) IN (
        SELECT workspace, source, after_number, change, number FROM clock_fact
        WHERE ticket_id IS NULL AND at < clock_timestamp() - make_interval(days => $2) LIMIT $1)
    RETURNING 1)
SELECT count(*) FROM gone
"""
AGENT_STATES = f"""
WITH kept AS MATERIALIZED ({KEPT_DAYS}), gone AS (
    DELETE FROM agent_state WHERE (workspace, agent, change) IN (
        SELECT old.workspace, old.agent, old.change FROM kept CROSS JOIN LATERAL (
            SELECT workspace, agent, change FROM agent_state s
            WHERE s.workspace = kept.workspace AND s.at < kept.until AND EXISTS (
                SELECT FROM agent_state later WHERE later.workspace = s.workspace AND later.agent = s.agent
                    AND later.change > s.change AND later.at < kept.until)
            LIMIT $1) AS old
        LIMIT $1)
    RETURNING 1)
SELECT count(*) FROM gone
"""
"""How an agent stood is asked of decisions about tickets that are kept: the newest state before the first stays."""

RETENTION: tuple[Retention, ...] = (
    SECRETS,
    Stands("workspace", "one row a workspace"),
    Stands("config_version", "one row a change of the document: every decision names the version that it used"),
    Swept("ticket", "closed for `retention.closed_tickets_days` of the workspace", CLOSED_TICKETS),
    GoesWith("message", "ticket"),
    GoesWith("file", "ticket"),
    GoesWith("offer", "ticket"),
    GoesWith("assignment", "ticket"),
    Swept("clock_fact", "with its ticket; what is about none of them as the facts", ALERTS_FACTS, "facts_days"),
    Stands("agent", "one row an agent that the document ever named"),
    Swept("agent_state", "as closed tickets; an agent's newest state before that stays", AGENT_STATES),
    Stands("session", "the sessions of agents whose lease has not ended"),
    Swept(
        "token",
        "90 days after its end",
        aged("token", "workspace, id", "expires_at < clock_timestamp() - interval '90 days'"),
    ),
    Stands("webhook", "one row a webhook of the document as it stands"),
    Swept(
        "webhook_delivery",
        "dead ones 30 days after the last try; the others when they were taken, `webhook_queued_max` at most",
        aged(
            "webhook_delivery",
            "workspace, webhook, id",
            "state = 'dead' AND updated_at < clock_timestamp() - interval '30 days'",
        ),
    ),
    Swept(
        "job",
        "90 days after its last step",
        aged("job", "workspace, id", "done >= total AND coalesce(moved_at, begun_at) "
             "< clock_timestamp() - interval '90 days'"),
    ),
)  # fmt: skip
