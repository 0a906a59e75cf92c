"""What became of the files that messages named by their address: said by intake, perhaps before the message itself."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE file (
        workspace text NOT NULL, message_id text NOT NULL, attachment_id text NOT NULL,
        ticket_id text NOT NULL,
        said jsonb NOT NULL,
        PRIMARY KEY (workspace, message_id, attachment_id)
    )
    """,
    "CREATE INDEX file_ticket ON file (workspace, ticket_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
