"""What escalation ladders did to a ticket, apart from what became of its offers."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE ticket ADD COLUMN offers_spent_at timestamptz, ADD COLUMN relaxed text, ADD COLUMN climbed jsonb",
    "UPDATE ticket SET offers_spent_at = escalated_at WHERE escalated_at IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
