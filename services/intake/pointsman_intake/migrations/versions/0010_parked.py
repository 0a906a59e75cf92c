"""What overtook its message waits for it, and a conversation may have several names."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Edits, reactions and reports that came before what they are about, under its id.
    """
    CREATE TABLE parked (
        number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        workspace text NOT NULL, connector text NOT NULL, waits_for text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('message', 'report')),
        body json NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX parked_waits_for ON parked (workspace, connector, waits_for)",
    "CREATE INDEX parked_at ON parked (at)",
    # Further names that a provider gives to a conversation: a contact's number and their user id.
    """
    CREATE TABLE alias (
        workspace text NOT NULL, connector text NOT NULL, alias text NOT NULL,
        thread text NOT NULL,
        PRIMARY KEY (workspace, connector, alias)
    )
    """,
    "CREATE INDEX alias_thread ON alias (workspace, connector, thread)",
    # Whether the id is of the reply's present attempt: what is reported under an older one says nothing of this one.
    "ALTER TABLE sent_as ADD COLUMN current boolean NOT NULL DEFAULT true",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
