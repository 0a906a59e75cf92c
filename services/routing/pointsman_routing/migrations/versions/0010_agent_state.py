"""How each agent stood after each decision that changed them: what "why not that agent" looks back at."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE agent_state (
        workspace text NOT NULL, agent text NOT NULL, change bigint NOT NULL, at timestamptz NOT NULL,
        state text NOT NULL, set_by text NOT NULL, reason text, channels text[],
        load int NOT NULL, in_hand jsonb NOT NULL, units jsonb NOT NULL,
        PRIMARY KEY (workspace, agent, change)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
