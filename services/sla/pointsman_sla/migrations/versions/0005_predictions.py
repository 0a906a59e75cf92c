"""What predictions rest on: how long things took, who is at work in which queue, and where tickets wait in line."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    # How long things took lately, by queue: a weight for each bin of seconds, halved every seven days since `at`.
    """
    CREATE TABLE duration (
        workspace text NOT NULL, queue text NOT NULL, what text NOT NULL, bin int NOT NULL,
        lane int NOT NULL,
        weight double precision NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (workspace, queue, what, bin)
    ) WITH (fillfactor = 80)
    """,
    # Which agents were given tickets of a queue, when last, and whether they are there.
    """
    CREATE TABLE agent_at_work (
        workspace text NOT NULL, agent text NOT NULL, queue text NOT NULL,
        lane int NOT NULL,
        at timestamptz NOT NULL,
        present boolean NOT NULL,
        PRIMARY KEY (workspace, agent, queue)
    )
    """,
    "CREATE INDEX agent_at_work_queue ON agent_at_work (workspace, queue) WHERE present",
    # What a waiting ticket is ordered by in its queue, the smallest first; null when it does not wait.
    "ALTER TABLE ticket ADD COLUMN waiting_rank bigint",
    "CREATE INDEX ticket_waiting ON ticket (workspace, queue, waiting_rank, ticket_id) WHERE waiting_rank IS NOT NULL",
    "CREATE INDEX ticket_in_hand ON ticket (workspace, queue) WHERE phase = 'assigned'",
    "CREATE INDEX ticket_held_by ON ticket (workspace, agent) WHERE phase = 'assigned'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema only goes forward: restore a backup instead")
