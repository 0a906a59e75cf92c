"""Words of messages can be looked for."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of a text its first 100,000 characters: more words than a row of an index may hold.
    op.execute("CREATE INDEX message_words ON message USING gin (to_tsvector('simple', left(text, 100000)))")


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
