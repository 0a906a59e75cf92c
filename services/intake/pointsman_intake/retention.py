"""How long intake's rows are kept (pointsman.runtime.retention). What was said goes so many days after it came as its
workspace keeps closed tickets (`retention.closed_tickets_days`), never while its conversation is on an open ticket."""

from pointsman.runtime.retention import SECRETS, GoesWith, Retention, Stands, Swept, aged

_KEPT = """
    SELECT DISTINCT ON (workspace) workspace,
        clock_timestamp() - make_interval(days => closed_tickets_days) AS until
    FROM config ORDER BY workspace, version DESC
"""
MESSAGES = f"""
WITH kept AS MATERIALIZED ({_KEPT}), gone AS (
    DELETE FROM message WHERE (workspace, connector, external_id) IN (
        SELECT old.workspace, old.connector, old.external_id FROM kept CROSS JOIN LATERAL (
            SELECT workspace, connector, external_id FROM message m
            WHERE m.workspace = kept.workspace AND m.received_at < kept.until AND NOT EXISTS (
                SELECT FROM thread t WHERE t.ticket_id = m.ticket_id AND NOT t.closed)
            LIMIT $1) AS old
        LIMIT $1)
    RETURNING workspace, connector, thread, external_id
), threads AS (
    DELETE FROM thread t USING (SELECT DISTINCT workspace, connector, thread FROM gone) AS g
    WHERE t.workspace = g.workspace AND t.connector = g.connector AND t.thread = g.thread AND t.closed AND NOT EXISTS (
        SELECT FROM message m
        WHERE m.workspace = t.workspace AND m.connector = t.connector AND m.thread = t.thread AND NOT EXISTS (
            SELECT FROM gone WHERE gone.workspace = m.workspace AND gone.connector = m.connector
                AND gone.external_id = m.external_id))
    RETURNING t.workspace, t.connector, t.thread
), participants AS (
    DELETE FROM participant p USING threads AS t
    WHERE p.workspace = t.workspace AND p.connector = t.connector AND p.thread = t.thread
), aliases AS (
    DELETE FROM alias a USING threads AS t
    WHERE a.workspace = t.workspace AND a.connector = t.connector AND a.thread = t.thread
)
SELECT count(*) FROM gone
"""


def _older(table: str, instant: str, where: str = "true", also: str = "") -> str:
    return f"""
    WITH kept AS MATERIALIZED ({_KEPT}), gone AS (
        DELETE FROM {table} WHERE (workspace, id) IN (
            SELECT old.workspace, old.id FROM kept CROSS JOIN LATERAL (
                SELECT o.* FROM {table} o
                WHERE o.workspace = kept.workspace AND o.{instant} < kept.until AND {where} LIMIT $1) AS old
            LIMIT $1)
        RETURNING workspace, id){also}
    SELECT count(*) FROM gone
    """


OPEN = "NOT EXISTS (SELECT FROM thread t WHERE t.ticket_id = o.ticket_id AND NOT t.closed)"

NAMES = """, names AS (
        DELETE FROM sent_as s USING gone WHERE s.workspace = gone.workspace AND s.message_id = gone.id)"""

CARRIED = """, carried_by AS (
        DELETE FROM carried c USING gone WHERE c.workspace = gone.workspace AND c.attachment_id = gone.id)"""

RAW = """
WITH gone AS (
    DELETE FROM raw WHERE id IN (
        SELECT r.id FROM raw r
        JOIN LATERAL (
            SELECT raw_days FROM config c WHERE c.workspace = r.workspace ORDER BY version DESC LIMIT 1) c ON true
        WHERE r.at < clock_timestamp() - make_interval(days => c.raw_days) LIMIT $1)
    RETURNING 1)
SELECT count(*) FROM gone
"""

RETENTION: tuple[Retention, ...] = (
    SECRETS,
    Stands("config", "one row a change of the document"),
    Swept("message", "`retention.closed_tickets_days` after it came, when its ticket is closed", MESSAGES),
    GoesWith("thread", "message"),
    GoesWith("participant", "message"),
    GoesWith("alias", "message"),
    Swept(
        "parked",
        "an hour after it came, when what it is about has not come",
        aged("parked", "number", "at < clock_timestamp() - interval '1 hour'"),
    ),
    Swept("raw", "`retention.raw_days` of the workspace", RAW),
    Swept(
        "replay_token",
        "two days",
        aged("replay_token", "workspace, connector, token", "at < clock_timestamp() - interval '2 days'"),
    ),
    Stands("customer", "one row a customer, until they are merged or erased"),
    Stands("acquaintance", "one row a customer and connector of theirs, until they are erased"),
    Stands("identity", "one row an address of a customer, until they are erased"),
    Swept(
        "delivery",
        "`retention.closed_tickets_days` after it was made, when its ticket is closed and it is not on its way",
        _older("delivery", "created_at", f"o.state <> 'queued' AND {OPEN}", NAMES),
    ),
    GoesWith("sent_as", "delivery"),
    Swept(
        "attachment",
        "`retention.closed_tickets_days` after it came",
        _older("attachment", "created_at", also=CARRIED),
    ),
    GoesWith("carried", "attachment"),
    Swept(
        "quarantine",
        "so many days after it was replayed or discarded; an open one waits for a person, for two years",
        aged(
            "quarantine",
            "workspace, id",
            """state <> 'open' AND closed_at < clock_timestamp() - make_interval(days => $2)
            OR at < clock_timestamp() - interval '730 days'""",
        ),
        "dead_letters_days",
    ),
)
