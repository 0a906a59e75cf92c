"""Attachments that a message names by their address: fetched after it was taken, with what became of it.

A row without `content` is `fetching` until its bytes are there or cannot be had (`failed`, with the `reason`).
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE attachment
        ALTER COLUMN size DROP NOT NULL, ALTER COLUMN sha256 DROP NOT NULL, ALTER COLUMN content DROP NOT NULL,
        ADD COLUMN state text NOT NULL DEFAULT 'kept' CHECK (state IN ('fetching', 'kept', 'failed')),
        ADD COLUMN url text,
        ADD COLUMN message_id text, ADD COLUMN ticket_id text,
        ADD COLUMN rounds int NOT NULL DEFAULT 0,
        ADD COLUMN due_at timestamptz, ADD COLUMN claimed_until timestamptz,
        ADD COLUMN reason text
    """,
    "CREATE INDEX attachment_fetching ON attachment (due_at) WHERE state = 'fetching'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
