"""In which order tickets arrived at their desk: who waits equally long is served in it. In which conversation a message
was said (null in older rows: the ticket's), and where the customer of a merged ticket spoke last."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE ticket ADD COLUMN arrival bigint NOT NULL DEFAULT 0, ADD COLUMN speaks jsonb",
    "ALTER TABLE message ADD COLUMN connector text, ADD COLUMN channel text, ADD COLUMN thread text",
    # Every opening is a change of its desk: so these are below the counts that are still to come.
    """
    UPDATE ticket SET arrival = known.place
    FROM (SELECT workspace, id, row_number() OVER (PARTITION BY workspace ORDER BY opened_at, id) AS place
          FROM ticket) AS known
    WHERE ticket.workspace = known.workspace AND ticket.id = known.id
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
