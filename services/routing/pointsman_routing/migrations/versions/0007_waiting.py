"""How far waiting has relaxed or widened a ticket's search, further queues whose agents are asked, and the agents
preferred for the customer's sake."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE ticket ADD COLUMN stage int NOT NULL DEFAULT 0, ADD COLUMN wide text[] NOT NULL DEFAULT '{}',
                       ADD COLUMN affine text[] NOT NULL DEFAULT '{}'
    """,
    """
    ALTER TABLE ticket ALTER COLUMN stage DROP DEFAULT, ALTER COLUMN wide DROP DEFAULT,
                       ALTER COLUMN affine DROP DEFAULT
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
