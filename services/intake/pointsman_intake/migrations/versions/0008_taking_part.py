"""Who takes part in a conversation of mails, and under which ids our replies are known."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The mail addresses, in lower case, that a conversation was from or to: whose citations join it.
    """
    CREATE TABLE participant (
        workspace text NOT NULL, connector text NOT NULL, thread text NOT NULL, address text NOT NULL,
        PRIMARY KEY (workspace, connector, thread, address)
    )
    """,
    """
    INSERT INTO participant (workspace, connector, thread, address)
    SELECT m.workspace, m.connector, m.thread, lower(a.address)
    FROM message m CROSS JOIN LATERAL (
        SELECT m.body #>> '{customer,email}'
        UNION ALL SELECT json_array_elements_text(coalesce(m.body -> 'to', '[]'))
        UNION ALL SELECT json_array_elements_text(coalesce(m.body -> 'cc', '[]'))
    ) AS a (address)
    WHERE m.reference IS NOT NULL AND a.address IS NOT NULL
    UNION
    SELECT d.workspace, d.connector, d.thread, lower(a.address)
    FROM delivery d CROSS JOIN LATERAL json_array_elements_text(coalesce(d.body -> 'cc', '[]')) AS a (address)
    UNION
    SELECT workspace, connector, thread, lower(recipient ->> 'email') FROM thread
    WHERE recipient ->> 'email' IS NOT NULL
    """,
    # The ids under which providers know a reply, each that was ever reported; Message-IDs without their angles.
    """
    CREATE TABLE sent_as (
        workspace text NOT NULL, connector text NOT NULL, reference text NOT NULL,
        message_id text NOT NULL,
        PRIMARY KEY (workspace, connector, reference)
    )
    """,
    "CREATE INDEX sent_as_message ON sent_as (workspace, message_id)",
    """
    INSERT INTO sent_as (workspace, connector, reference, message_id)
    SELECT DISTINCT ON (workspace, connector, btrim(external_id, '<> '))
        workspace, connector, btrim(external_id, '<> '), id
    FROM delivery WHERE btrim(external_id, '<> ') <> ''
    ORDER BY workspace, connector, btrim(external_id, '<> '), number DESC
    """,
    "DROP INDEX delivery_external",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
