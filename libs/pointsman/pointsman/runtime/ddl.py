"""The runtime's own tables, one set in each service's schema; the service's first migration creates them.

Every statement is run with the service's schema as `search_path`.
"""

RUNTIME_TABLES_V1: tuple[str, ...] = (
    # What this schema was made for; `incarnation` is renewed when the database was restored from a backup.
    """
    CREATE TABLE installation (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        partitions int NOT NULL,
        incarnation text NOT NULL,
        system_identifier bigint NOT NULL,
        timeline int NOT NULL
    )
    """,
    # Ownership. `owner_key` is the key of the owner's session advisory lock; `lane_now` never goes back.
    """
    CREATE TABLE lane (
        lane int PRIMARY KEY,
        epoch bigint NOT NULL DEFAULT 0,
        owner text,
        owner_key bigint,
        lease_until timestamptz NOT NULL DEFAULT '-infinity',
        lane_now timestamptz NOT NULL DEFAULT '1970-01-01Z'
    )
    """,
    # The workers that are alive, for fair shares.
    """
    CREATE TABLE worker (
        owner text PRIMARY KEY,
        owner_key bigint NOT NULL,
        lease_until timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE position (
        lane int NOT NULL, topic text NOT NULL, cluster text NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (lane, topic, cluster)
    )
    """,
    # The last number taken of each source; `gap_since` while a number is missing.
    """
    CREATE TABLE seen (
        lane int NOT NULL, topic text NOT NULL, source text NOT NULL,
        number bigint NOT NULL,
        gap_since timestamptz,
        PRIMARY KEY (lane, topic, source)
    )
    """,
    # Sources without input topics (API processes): fenced like lanes.
    """
    CREATE TABLE slot (
        slot int PRIMARY KEY,
        epoch bigint NOT NULL DEFAULT 0,
        owner text,
        owner_key bigint,
        lease_until timestamptz NOT NULL DEFAULT '-infinity'
    )
    """,
    # The last number given, per source and partition.
    """
    CREATE TABLE counter (
        source text NOT NULL, partition int NOT NULL,
        number bigint NOT NULL,
        PRIMARY KEY (source, partition)
    )
    """,
    # How far each source was relayed, per target (the broker's cluster id).
    """
    CREATE TABLE sent (
        source text NOT NULL, partition int NOT NULL, cluster text NOT NULL,
        number bigint NOT NULL,
        PRIMARY KEY (source, partition, cluster)
    )
    """,
    """
    CREATE TABLE fact (
        source text NOT NULL, partition int NOT NULL, number bigint NOT NULL,
        at timestamptz NOT NULL, made_at timestamptz NOT NULL,
        id text NOT NULL, cause text NOT NULL, workspace text NOT NULL, subject text NOT NULL,
        types text[] NOT NULL, agents text[] NOT NULL,
        traceparent text,
        body json NOT NULL,
        PRIMARY KEY (source, partition, number, made_at)
    ) PARTITION BY RANGE (made_at)
    """,
    "CREATE TABLE fact_default PARTITION OF fact DEFAULT",
    "CREATE INDEX fact_subject ON fact (subject, made_at)",
    "CREATE INDEX fact_cause ON fact (cause)",
    """
    CREATE TABLE outcome (
        id text PRIMARY KEY,
        body_hash text,
        status int NOT NULL,
        body json,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX outcome_at ON outcome (at)",
    """
    CREATE TABLE dead_letter (
        id text PRIMARY KEY,
        lane int NOT NULL, topic text NOT NULL, cluster text NOT NULL, record_offset bigint NOT NULL,
        record_timestamp_ms bigint NOT NULL,
        workspace text,
        key bytea, value bytea, headers json NOT NULL,
        reason text NOT NULL, detail text NOT NULL,
        at timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replaying', 'replayed', 'discarded')),
        closed_at timestamptz
    )
    """,
    # Idempotency keys that were used, so that a repeat on another process finds the command. `id` is derived from
    # token, workspace, route and key; the command's id from `id` and `attempt`, which counts the outcomes `abandoned`.
    """
    CREATE TABLE asked (
        id text PRIMARY KEY,
        body_hash text NOT NULL,
        attempt int NOT NULL DEFAULT 0,
        not_after timestamptz NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX asked_at ON asked (at)",
    # Tokens that were taken back, as the API processes heard it; and up to when they heard everything.
    """
    CREATE TABLE revoked_token (
        token_id text PRIMARY KEY,
        expires_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE revocations_heard (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        until timestamptz NOT NULL
    )
    """,
    # Types that this version did not know, so that an upgrade can read them again.
    """
    CREATE TABLE skipped (
        topic text NOT NULL, lane int NOT NULL, cluster text NOT NULL, record_offset bigint NOT NULL,
        types text[] NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (topic, lane, cluster, record_offset)
    )
    """,
)

POSITIONS_V2: tuple[str, ...] = (
    # Where reading began on this cluster, and how many records were decided since: each transaction adds its own, so
    # that a position which runs ahead of them is refused, and lost records are seen from outside.
    "ALTER TABLE position ADD COLUMN first_offset bigint, ADD COLUMN decided bigint NOT NULL DEFAULT 0",
    "UPDATE position SET first_offset = next_offset",
    """
    ALTER TABLE position ALTER COLUMN first_offset SET NOT NULL,
        ADD CONSTRAINT position_is_decided CHECK (next_offset - first_offset <= decided)
    """,
)

PROCESSES_V3: tuple[str, ...] = (
    # Each named process of the service: its last restarts, and `ended_at` after an orderly end.
    """
    CREATE TABLE process (
        name text PRIMARY KEY,
        started_at timestamptz NOT NULL,
        ended_at timestamptz,
        restarts timestamptz[] NOT NULL DEFAULT '{}'
    )
    """,
)

LEASES_V4: tuple[str, ...] = (
    # Who holds what, apart from what fences: a renewal never waits for a batch, nor a batch for a renewal.
    """
    CREATE TABLE lane_lease (
        lane int PRIMARY KEY REFERENCES lane,
        owner text,
        owner_key bigint,
        lease_until timestamptz NOT NULL DEFAULT '-infinity'
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE slot_lease (
        slot int PRIMARY KEY REFERENCES slot,
        owner text,
        owner_key bigint,
        lease_until timestamptz NOT NULL DEFAULT '-infinity'
    ) WITH (fillfactor = 50)
    """,
    "INSERT INTO lane_lease SELECT lane, owner, owner_key, lease_until FROM lane",
    "INSERT INTO slot_lease SELECT slot, owner, owner_key, lease_until FROM slot",
    "ALTER TABLE lane DROP COLUMN owner, DROP COLUMN owner_key, DROP COLUMN lease_until",
    "ALTER TABLE slot DROP COLUMN owner, DROP COLUMN owner_key, DROP COLUMN lease_until",
)

AFTER_PARTS_V5: tuple[str, ...] = (
    # The revisions that have an after-part: due while `done_at` is null (pointsman.runtime.after_parts).
    """
    CREATE TABLE after_part (
        revision text PRIMARY KEY,
        due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        done_at timestamptz
    )
    """,
)

RUNTIME_TABLES = (*RUNTIME_TABLES_V1, *POSITIONS_V2, *PROCESSES_V3, *LEASES_V4, *AFTER_PARTS_V5)
"""What makes the runtime's tables as they are now."""

SECRET_TABLE_V1 = """
CREATE TABLE secret (
    workspace text NOT NULL, name text NOT NULL,
    value bytea NOT NULL,
    previous bytea, previous_until timestamptz,
    set_at timestamptz NOT NULL, set_by text NOT NULL,
    PRIMARY KEY (workspace, name)
)
"""
"""Sealed values (pointsman.runtime.sealing); `previous` is the one before, valid up to `previous_until`. Only in the
schemas of services that use secrets."""
