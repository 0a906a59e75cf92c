"""The cause of what sla said, for the ticket's timeline; a ticket's last messages as ids and bits; tickets without tags
cost their index nothing."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE clock_fact ADD COLUMN cause text NOT NULL DEFAULT ''",
    "ALTER TABLE clock_fact ALTER COLUMN cause DROP DEFAULT",
    # `recent` was [[id, by the customer], …], the newest last; now the ids, and in `inbound` a bit each, the newest's
    # the lowest.
    "ALTER TABLE ticket RENAME COLUMN recent TO pairs",
    "ALTER TABLE ticket ADD COLUMN recent text[] NOT NULL DEFAULT '{}', ADD COLUMN inbound int NOT NULL DEFAULT 0",
    """
    UPDATE ticket SET recent = told.ids, inbound = told.bits
    FROM (
        SELECT workspace, id, array_agg(pair ->> 0 ORDER BY place) AS ids,
               sum(CASE WHEN (pair ->> 1)::boolean THEN 1 << (jsonb_array_length(pairs) - place)::int ELSE 0 END)::int
                   AS bits
        FROM ticket, jsonb_array_elements(pairs) WITH ORDINALITY AS each (pair, place)
        GROUP BY workspace, id
    ) AS told
    WHERE ticket.workspace = told.workspace AND ticket.id = told.id
    """,
    "ALTER TABLE ticket DROP COLUMN pairs",
    "ALTER TABLE ticket ALTER COLUMN recent DROP DEFAULT, ALTER COLUMN inbound DROP DEFAULT",
    "DROP INDEX ticket_tags",
    "CREATE INDEX ticket_tags ON ticket USING gin (tags) WHERE tags <> '{}'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
