"""What is kept of the past for predictions: weights of durations, and who is at work where. Bounded by bins and agents;
what was not touched for long is dropped."""

from datetime import timedelta

from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_sla.predict.durations import GAP_HALF_LIFE_SECONDS, HALF_LIFE_SECONDS
from pointsman_sla.predict.model import GAP
from pointsman_sla.predict.observations import Notes

EXPIRE_EVERY = timedelta(hours=1)
DURATIONS_KEPT = timedelta(days=60)
AGENTS_KEPT = timedelta(days=7)


def left_of(what: str, since: str, until: str) -> str:
    """What is left at one instant of a weight of another, in SQL; in floating point, which is much quicker."""
    half_life = f"CASE WHEN starts_with({what}, '{GAP}') THEN {GAP_HALF_LIFE_SECONDS} ELSE {HALF_LIFE_SECONDS} END"
    age = f"greatest(0, extract(epoch FROM {until} - {since}))::float8"
    return f"power(0.5::float8, {age} / ({half_life})::float8)"


ADD_DURATIONS = f"""
    INSERT INTO duration AS kept (workspace, queue, what, bin, lane, weight, at)
    SELECT d.workspace, d.queue, d.what, d.bin, $1, d.weight, $2
    FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::float8[]) AS d (workspace, queue, what, bin, weight)
    ON CONFLICT (workspace, queue, what, bin) DO UPDATE
    SET weight = excluded.weight + kept.weight * {left_of("kept.what", "kept.at", "excluded.at")},
        at = greatest(kept.at, excluded.at), lane = excluded.lane
"""

KEEP_AGENTS = """
    INSERT INTO agent_at_work (workspace, agent, queue, lane, at, present)
    SELECT a.workspace, a.agent, a.queue, $1, a.at, a.present
    FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::boolean[])
         AS a (workspace, agent, queue, at, present)
    ON CONFLICT (workspace, agent, queue) DO UPDATE
    SET at = greatest(agent_at_work.at, excluded.at), present = excluded.present, lane = excluded.lane
"""

SET_PRESENT = """
    UPDATE agent_at_work SET present = a.present
    FROM unnest($1::text[], $2::text[], $3::boolean[]) AS a (workspace, agent, present)
    WHERE agent_at_work.workspace = a.workspace AND agent_at_work.agent = a.agent
      AND agent_at_work.present <> a.present
"""

EXPIRE_DURATIONS = "DELETE FROM duration WHERE lane = $1 AND at < $2"
EXPIRE_AGENTS = "DELETE FROM agent_at_work WHERE lane = $1 AND at < $2"


async def write_notes(db: Database, notes: Notes, lane: int, now: Instant) -> None:
    """Everything that the batch noted; once an hour what is too old goes."""
    if notes.durations:
        workspaces, queues, what, bins = zip(*notes.durations, strict=True)
        counts = [float(count) for count in notes.durations.values()]
        await db.execute(ADD_DURATIONS, lane, now, workspaces, queues, what, bins, counts)
    if notes.seen:
        workspaces, agents, queues = zip(*notes.seen, strict=True)
        present = [notes.present.get(who, True) for who in zip(workspaces, agents, strict=True)]
        await db.execute(KEEP_AGENTS, lane, workspaces, agents, queues, list(notes.seen.values()), present)
    if notes.present:
        workspaces, agents = zip(*notes.present, strict=True)
        await db.execute(SET_PRESENT, workspaces, agents, list(notes.present.values()))
    if notes.expired_at is None or now - notes.expired_at >= EXPIRE_EVERY:
        notes.expired_at = now
        await db.execute(EXPIRE_DURATIONS, lane, now - DURATIONS_KEPT)
        await db.execute(EXPIRE_AGENTS, lane, now - AGENTS_KEPT)
