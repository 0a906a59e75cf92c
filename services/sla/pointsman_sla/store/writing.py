"""What a batch writes: a handful of set-based statements, however large the batch."""

from collections.abc import Sequence

import orjson

from pointsman.runtime.logic import Database
from pointsman_sla.alerts.silences import Silence
from pointsman_sla.clocks.model import Clock, Ticket
from pointsman_sla.micros import instant
from pointsman_sla.predict.queue_rank import rank_of
from pointsman_sla.state import Placed, SlaState
from pointsman_sla.store.jobs import write_jobs
from pointsman_sla.store.rows import clock_row, firing_of, mirror_of

KEEP_CONFIGS = """
    INSERT INTO config_version (workspace, version, body, applied_at)
    SELECT v.workspace, v.version, v.body::jsonb, v.applied_at
    FROM unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[]) AS v (workspace, version, body, applied_at)
    ON CONFLICT (workspace, version) DO NOTHING
"""

KEEP_TICKETS = """
    INSERT INTO ticket (ticket_id, workspace, lane, config_version, opened_at, phase, agent, queue, mirror,
                        waiting_rank, priority)
    SELECT t.ticket_id, t.workspace, $1, t.config_version, t.opened_at, t.phase, t.agent, t.queue, t.mirror::jsonb,
           t.waiting_rank, t.priority
    FROM unnest($2::text[], $3::text[], $4::int[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::bigint[], $11::text[])
         AS t (ticket_id, workspace, config_version, opened_at, phase, agent, queue, mirror, waiting_rank,
               priority)
    ON CONFLICT (ticket_id) DO UPDATE
    SET phase = excluded.phase, agent = excluded.agent, queue = excluded.queue, mirror = excluded.mirror,
        config_version = excluded.config_version, waiting_rank = excluded.waiting_rank,
        priority = excluded.priority
"""

KEEP_CLOCKS = """
    INSERT INTO clock (clock_id, ticket_id, workspace, metric, cycle, state, policy, calendar, config_version, queue,
                       priority, target_seconds, generation, started_at, due_at, breach_at, breached_at, ended_at,
                       retargeted, reason, life, overdue)
    SELECT c.clock_id, c.ticket_id, c.workspace, c.metric, c.cycle, c.state, c.policy, c.calendar, c.config_version,
           c.queue, c.priority, c.target_seconds, c.generation, c.started_at, c.due_at, c.breach_at, c.breached_at,
           c.ended_at, c.retargeted, c.reason, c.life, c.overdue
    FROM json_to_recordset($1::text::json)
         AS c (clock_id text, ticket_id text, workspace text, metric text, cycle int, state text, policy text,
               calendar text, config_version int, queue text, priority text, target_seconds int, generation int,
               started_at timestamptz, due_at timestamptz, breach_at timestamptz, breached_at timestamptz,
               ended_at timestamptz, retargeted boolean, reason text, life jsonb, overdue boolean)
    ON CONFLICT (clock_id) DO UPDATE
    SET state = excluded.state, policy = excluded.policy, calendar = excluded.calendar,
        config_version = excluded.config_version, queue = excluded.queue, priority = excluded.priority,
        target_seconds = excluded.target_seconds, generation = excluded.generation, due_at = excluded.due_at,
        breach_at = excluded.breach_at, breached_at = excluded.breached_at, ended_at = excluded.ended_at,
        retargeted = excluded.retargeted, reason = excluded.reason, life = excluded.life,
        overdue = excluded.overdue
    WHERE clock.generation <= excluded.generation
"""

DISARM = "DELETE FROM timer USING unnest($1::text[]) AS gone (clock_id) WHERE timer.clock_id = gone.clock_id"

ARM = """
    INSERT INTO timer (clock_id, lane, kind, generation, fire_at)
    SELECT t.clock_id, $1, t.kind, t.generation, t.fire_at
    FROM unnest($2::text[], $3::text[], $4::int[], $5::timestamptz[]) AS t (clock_id, kind, generation, fire_at)
    ON CONFLICT (clock_id) DO UPDATE
    SET kind = excluded.kind, generation = excluded.generation, fire_at = excluded.fire_at
    WHERE timer.generation <= excluded.generation
"""

FIRE = """
    WITH f AS (
        SELECT * FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[], $5::text[], $6::timestamptz[])
                 AS f (clock_id, generation, breached_at, firing, next_kind, next_at)
    ), gone AS (
        DELETE FROM timer USING f
        WHERE timer.clock_id = f.clock_id AND timer.generation = f.generation AND f.next_at IS NULL
    ), moved AS (
        UPDATE timer SET kind = f.next_kind, fire_at = f.next_at FROM f
        WHERE timer.clock_id = f.clock_id AND timer.generation = f.generation AND f.next_at IS NOT NULL
    )
    UPDATE clock SET breached_at = f.breached_at, life = clock.life || f.firing::jsonb FROM f
    WHERE clock.clock_id = f.clock_id AND clock.generation = f.generation
"""

# One statement, since alerts change with nearly every firing: three would be three round trips.
KEEP_ALERTS = """
    WITH alerts AS (
        INSERT INTO alert (alert_id, workspace, lane, severity, policy, queue, state, clocks, generation, opened_at,
                           acked_by, acked_at, ack_until, resolved_at, covered_at, silence_id, told, covered_by,
                           covered, spent, released_at)
        SELECT a.alert_id, a.workspace, $1, a.severity, a.policy, a.queue, a.state, a.clocks, a.generation,
               a.opened_at, a.acked_by, a.acked_at, a.ack_until, a.resolved_at, a.covered_at, a.silence_id,
               string_to_array(a.told, ','), a.covered_by, a.covered, a.spent, a.released_at
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::int[],
                    $10::timestamptz[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[],
                    $15::timestamptz[], $16::text[], $17::text[], $18::text[], $19::int[], $20::int[],
                    $21::timestamptz[])
             AS a (alert_id, workspace, severity, policy, queue, state, clocks, generation, opened_at, acked_by,
                   acked_at, ack_until, resolved_at, covered_at, silence_id, told, covered_by, covered, spent,
                   released_at)
        ORDER BY a.state <> 'resolved'
        ON CONFLICT (alert_id) DO UPDATE
        SET state = excluded.state, clocks = excluded.clocks, generation = excluded.generation,
            acked_by = excluded.acked_by, acked_at = excluded.acked_at, ack_until = excluded.ack_until,
            resolved_at = excluded.resolved_at, covered_at = excluded.covered_at, silence_id = excluded.silence_id,
            told = excluded.told, covered_by = excluded.covered_by, covered = excluded.covered,
            spent = excluded.spent, released_at = excluded.released_at
    ), members AS (
        INSERT INTO alert_clock (alert_id, clock_id, ticket_id, metric, cycle, joined_at, left_at)
        SELECT * FROM unnest($22::text[], $23::text[], $24::text[], $25::text[], $26::int[], $27::timestamptz[],
                             $28::timestamptz[])
        ON CONFLICT (alert_id, clock_id) DO UPDATE SET joined_at = excluded.joined_at, left_at = excluded.left_at
    )
    INSERT INTO alert_event (alert_id, at, kind, ticket_id, metric, cycle, by_kind, by_id, comment)
    SELECT * FROM unnest($29::text[], $30::timestamptz[], $31::text[], $32::text[], $33::text[], $34::int[],
                         $35::text[], $36::text[], $37::text[])
"""

KEEP_SILENCES = """
    INSERT INTO silence (silence_id, workspace, lane, match, until, reason, by_kind, by_id, created_at, ended_at,
                         ended_by)
    SELECT s.silence_id, s.workspace, $1, s.match::jsonb, s.until, s.reason, s.by_kind, s.by_id, s.created_at,
           s.ended_at, s.ended_by
    FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[],
                $9::timestamptz[], $10::timestamptz[], $11::text[])
         AS s (silence_id, workspace, match, until, reason, by_kind, by_id, created_at, ended_at, ended_by)
    ON CONFLICT (silence_id) DO UPDATE SET ended_at = excluded.ended_at, ended_by = excluded.ended_by
"""

KEEP_CANARY = """
    INSERT INTO canary (lane, fires_at) VALUES ($1, $2)
    ON CONFLICT (lane) DO UPDATE SET fires_at = excluded.fires_at
"""


async def write_changes(db: Database, state: SlaState) -> None:
    """Everything that the batch changed."""
    if state.new_configs:
        await db.execute(
            KEEP_CONFIGS,
            [workspace for workspace, _ in state.new_configs],
            [version for _, version in state.new_configs],
            [orjson.dumps(part).decode() for part, _ in state.new_configs.values()],
            [applied_at for _, applied_at in state.new_configs.values()],
        )
    if state.changed_tickets:
        await _write_tickets(db, state, list(state.changed_tickets.values()))
    if state.changed_clocks:
        await _write_clocks(db, state.lane, list(state.changed_clocks.values()))
    if fired := [clock for id, clock in state.fired_clocks.items() if id not in state.changed_clocks]:
        await _write_fired(db, fired)
    if state.alerts.changed:
        await _write_alerts(db, state)
    if state.jobs.changed:
        await write_jobs(db, state.lane, list(state.jobs.changed.values()))
    if state.silences.changed:
        await _write_silences(db, state.lane, list(state.silences.changed.values()))
    if state.canary.fired:
        await db.execute(KEEP_CANARY, state.lane, state.canary.fires_at)


async def _write_tickets(db: Database, state: SlaState, tickets: Sequence[Ticket]) -> None:
    orders = [state.book(ticket.workspace, ticket.config_version).order_of(ticket.labels.queue) for ticket in tickets]
    await db.execute(
        KEEP_TICKETS,
        state.lane,
        [ticket.id for ticket in tickets],
        [ticket.workspace for ticket in tickets],
        [ticket.config_version for ticket in tickets],
        [instant(ticket.opened_at) for ticket in tickets],
        [ticket.phase for ticket in tickets],
        [ticket.agent for ticket in tickets],
        [ticket.labels.queue for ticket in tickets],
        [mirror_of(ticket) for ticket in tickets],
        [rank_of(ticket, order) for ticket, order in zip(tickets, orders, strict=True)],
        [ticket.labels.priority for ticket in tickets],
    )


async def _write_clocks(db: Database, lane: int, placed: Sequence[Placed]) -> None:
    rows = [clock_row(one.ticket_id, one.workspace, one.clock) for one in placed]
    await db.execute(KEEP_CLOCKS, orjson.dumps(rows, option=orjson.OPT_UTC_Z).decode())
    armed = [(one.clock, point) for one in placed if (point := one.clock.next_point) is not None]
    disarmed = [one.clock.id for one in placed if one.clock.next_point is None]
    if disarmed:
        await db.execute(DISARM, disarmed)
    if armed:
        await db.execute(
            ARM,
            lane,
            [clock.id for clock, _ in armed],
            [name for _, (_, name) in armed],
            [clock.generation for clock, _ in armed],
            [instant(at) for _, (at, _) in armed],
        )


async def _write_fired(db: Database, clocks: Sequence[Clock]) -> None:
    """Timers whose generation still matches go, or move to their clock's next point."""
    points = [clock.next_point for clock in clocks]
    await db.execute(
        FIRE,
        [clock.id for clock in clocks],
        [clock.generation for clock in clocks],
        [None if clock.breached_at is None else instant(clock.breached_at) for clock in clocks],
        [firing_of(clock) for clock in clocks],
        [None if point is None else point[1] for point in points],
        [None if point is None else instant(point[0]) for point in points],
    )


async def _write_alerts(db: Database, state: SlaState) -> None:
    alerts = list(state.alerts.changed.values())
    members = list(state.alerts.members.items())
    events = state.alerts.events
    await db.execute(
        KEEP_ALERTS,
        state.lane,
        [alert.id for alert in alerts],
        [alert.workspace for alert in alerts],
        [alert.severity for alert in alerts],
        [alert.policy for alert in alerts],
        [alert.queue for alert in alerts],
        [alert.state for alert in alerts],
        [state.alerts.counts.get(alert.id, 0) for alert in alerts],
        [alert.generation for alert in alerts],
        [alert.opened_at for alert in alerts],
        [alert.acked_by for alert in alerts],
        [alert.acked_at for alert in alerts],
        [alert.ack_until for alert in alerts],
        [alert.resolved_at for alert in alerts],
        [alert.covered_at for alert in alerts],
        [alert.silence_id for alert in alerts],
        [",".join(alert.told) for alert in alerts],
        [alert.covered_by for alert in alerts],
        [alert.covered for alert in alerts],
        [alert.spent for alert in alerts],
        [alert.released_at for alert in alerts],
        [alert_id for (alert_id, _), _ in members],
        [member.clock_id for _, (member, _, _) in members],
        [member.ticket_id for _, (member, _, _) in members],
        [member.metric for _, (member, _, _) in members],
        [member.cycle for _, (member, _, _) in members],
        [joined_at for _, (_, joined_at, _) in members],
        [left_at for _, (_, _, left_at) in members],
        [event.alert_id for event in events],
        [event.at for event in events],
        [event.kind for event in events],
        [event.member.ticket_id if event.member else None for event in events],
        [event.member.metric if event.member else None for event in events],
        [event.member.cycle if event.member else None for event in events],
        [event.by.kind if event.by else None for event in events],
        [event.by.id if event.by else None for event in events],
        [event.comment for event in events],
    )


async def _write_silences(db: Database, lane: int, silences: Sequence[Silence]) -> None:
    await db.execute(
        KEEP_SILENCES,
        lane,
        [silence.id for silence in silences],
        [silence.workspace for silence in silences],
        [silence.match.model_dump_json() for silence in silences],
        [silence.until for silence in silences],
        [silence.reason for silence in silences],
        [silence.by.kind for silence in silences],
        [silence.by.id for silence in silences],
        [silence.created_at for silence in silences],
        [silence.ended_at for silence in silences],
        [silence.ended_by for silence in silences],
    )
