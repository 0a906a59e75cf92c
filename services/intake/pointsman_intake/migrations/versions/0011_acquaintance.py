"""A connector sees the customers of its own conversations, and the files that its replies carry."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Who wrote, or was written to, through which connector.
    """
    CREATE TABLE acquaintance (
        workspace text NOT NULL, connector text NOT NULL, customer_id text NOT NULL,
        PRIMARY KEY (workspace, connector, customer_id)
    )
    """,
    """
    INSERT INTO acquaintance (workspace, connector, customer_id)
    SELECT workspace, connector, customer_id FROM thread
    UNION SELECT workspace, connector, customer_id FROM delivery
    UNION SELECT workspace, place, customer_id FROM identity WHERE place <> ''
    UNION SELECT workspace, connector, body #>> '{customer,id}' FROM message WHERE body #>> '{customer,id}' IS NOT NULL
    """,
    # The files of replies, whoever brought them: the connector that delivers a reply may read them.
    """
    CREATE TABLE carried (
        workspace text NOT NULL, attachment_id text NOT NULL, connector text NOT NULL,
        PRIMARY KEY (workspace, attachment_id, connector)
    )
    """,
    """
    INSERT INTO carried (workspace, attachment_id, connector)
    SELECT DISTINCT d.workspace, a ->> 'attachment_id', d.connector
    FROM delivery d CROSS JOIN LATERAL json_array_elements(
        CASE WHEN json_typeof(d.body -> 'attachments') = 'array' THEN d.body -> 'attachments' ELSE '[]' END) AS a
    WHERE a ->> 'attachment_id' IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
