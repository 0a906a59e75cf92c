"""Ids and handles are names at one connector, in the case in which they are written."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `place`: the connector whose name it is; empty: everywhere. `folded`: a row from before, in lower case, which the
    # first who comes with it takes as they write it.
    """
    ALTER TABLE identity ADD COLUMN place text NOT NULL DEFAULT '', ADD COLUMN folded boolean NOT NULL DEFAULT false,
        DROP CONSTRAINT identity_pkey
    """,
    """
    INSERT INTO identity (workspace, place, kind, value, customer_id, folded)
    SELECT DISTINCT i.workspace, s.connector, i.kind, i.value, i.customer_id, true
    FROM identity i JOIN (
        SELECT workspace, connector, customer_id FROM thread
        UNION SELECT workspace, connector, body #>> '{customer,id}' FROM message
    ) AS s ON s.workspace = i.workspace AND s.customer_id = i.customer_id
    WHERE i.kind IN ('id', 'handle')
    """,
    """
    DELETE FROM identity i WHERE i.place = '' AND i.kind IN ('id', 'handle') AND EXISTS (
        SELECT FROM identity o
        WHERE o.workspace = i.workspace AND o.kind = i.kind AND o.value = i.value AND o.place <> '')
    """,
    "UPDATE identity SET folded = true WHERE place = '' AND kind IN ('id', 'handle')",
    "ALTER TABLE identity ADD PRIMARY KEY (workspace, kind, value, place)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
