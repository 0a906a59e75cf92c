"""Histories side by side: as recorded, once more under the recorded document, and under another one.

The middle column is the yardstick: it has the same simplifications as the other, so what differs between them is the
documents' doing, and how near it comes to what was recorded says how far to trust both.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from time import perf_counter
from typing import Any

import numpy as np

from pointsman.contracts.document import Document
from pointsman_routing.replay.again import Outcome, Promises, Rerun, play_again, reply_after
from pointsman_routing.replay.history import History, Recorded
from pointsman_routing.simulation.figures import gini, interval
from pointsman_routing.simulation.run import in_processes

SECOND_US = 1_000_000
CHANGED_MAX = 1_000
"""Changed tickets in the result; their number is always whole."""
MEANS = ("mean_wait", "wait_p50", "wait_p95", "p_abandon", "p_breach", "served", "abandoned", "waiting", "breached")


def compare(
    history: History,
    document: Document,
    *,
    replications: int,
    seed: int,
    processes: int | None = None,
    done: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """The result as the command prints it. Deterministic for a seed."""
    begin = perf_counter()
    tasks = [(history, each, seed, n) for n in range(replications) for each in (history.document, document)]
    runs: list[Rerun] = in_processes(play_again, tasks, processes, done)
    same, other = runs[::2], runs[1::2]
    recorded = _as_recorded(history)
    of_same = [_figures(history, history.document, each.outcomes) for each in same]
    of_other = [_figures(history, document, each.outcomes) for each in other]
    changed = list(_changed(history.tickets, recorded, same, other))
    broken = [each.broken for each in runs]
    return {
        "workspace": history.workspace,
        "from": history.start,
        "to": history.end,
        "tickets": len(history.tickets),
        "replications": replications,
        "seed": seed,
        "drawn": {"same": fmean(r.drawn for r in same), "other": fmean(r.drawn for r in other)},
        "recorded": _figures(history, history.document, recorded),
        "same": _summed_up(of_same),
        "other": _summed_up(of_other),
        "difference": _differences(of_same, of_other),
        "reproduced": _reproduced(recorded, same),
        "changed_count": len(changed),
        "changed": changed[:CHANGED_MAX],
        "checks": {check: not any(check in each for each in broken) for check in ("work_conservation", "capacity")},
        "counter_examples": [f"{check}: {said}" for each in broken for check, said in each.items()][:10],
        "decisions": sum(each.decisions for each in runs),
        "seconds": round(perf_counter() - begin, 3),
    }


def _as_recorded(history: History) -> list[Outcome]:
    """What became of each ticket, by the same yardsticks as of the simulated ones."""
    promises, found = Promises(history.document), []
    for ticket in history.tickets:
        late_at = promises.late_at(ticket, ticket.queue)
        answered_us = ticket.waited_us
        if ticket.fate == "served":
            held_us = sum(ticket.held_us.values())
            answered_us += reply_after(ticket, held_us) if ticket.hold_us is not None else ticket.reply_us or held_us
        late = late_at is not None and answered_us > (late_at - ticket.at).total_seconds() * SECOND_US
        held_us = sum(ticket.held_us.values())
        found.append(Outcome(ticket.agent, ticket.fate, ticket.waited_us, held_us, late))
    return found


def _figures(history: History, document: Document, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Of one run: waits in seconds (of those served), counts, shares of all tickets, and each agent's load."""
    fates = Counter(each.fate for each in outcomes)
    waits = np.array([each.waited_us for each in outcomes if each.fate == "served"]) / SECOND_US
    late = sum(each.late for each in outcomes)
    agents = _loads(history, document, outcomes)
    count = max(1, len(outcomes))
    return {
        "served": fates["served"],
        "abandoned": fates["abandoned"] + fates["blocked"],
        "waiting": fates["waiting"],
        "breached": late,
        "mean_wait": float(waits.mean()) if len(waits) else None,
        "wait_p50": float(np.percentile(waits, 50)) if len(waits) else None,
        "wait_p95": float(np.percentile(waits, 95)) if len(waits) else None,
        "p_abandon": (fates["abandoned"] + fates["blocked"]) / count,
        "p_breach": late / count,
        "gini_of_load": gini([each["load"] for each in agents.values()]),
        "agents": agents,
    }


def _loads(history: History, document: Document, outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Per agent: tickets, hours of work, and the load: units of work over the units that they were there with."""
    tickets = Counter(each.agent for each in outcomes if each.agent is not None)
    busy: Counter[str] = Counter()
    units: Counter[str] = Counter()
    for each, ticket in zip(outcomes, history.tickets, strict=True):
        if each.agent is not None:
            busy[each.agent] += each.held_us
            units[each.agent] += each.held_us * ticket.weight
    whole = (history.end - history.start).total_seconds()
    found = {}
    for slug in sorted(document.agents.keys() | tickets.keys()):
        spans = history.present.get(slug)
        there = whole if spans is None else sum((end - start).total_seconds() for start, end in spans)
        agent = document.agents.get(slug)
        if agent is None or agent.kind == "bot":
            continue
        found[slug] = {
            "tickets": float(tickets[slug]),
            "work_hours": busy[slug] / SECOND_US / 3600,
            "load": units[slug] / SECOND_US / (there * agent.capacity) if there * agent.capacity else 0.0,
        }
    return found


def _summed_up(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The means of the replications, with an interval where they differ (something was drawn)."""
    result: dict[str, Any] = {}
    for name in (*MEANS, "gini_of_load"):
        mean, ci = interval([run[name] for run in runs if run[name] is not None])
        result[name] = mean
        result[f"{name}_ci95"] = ci
    result["agents"] = {
        slug: {name: fmean(run["agents"][slug][name] for run in runs if slug in run["agents"]) for name in of}
        for slug, of in runs[0]["agents"].items()
    }
    return result


def _differences(same: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Other less same, replication by replication: they share their draws, so this is surer than either."""
    result: dict[str, Any] = {}
    for name in MEANS:
        pairs = [(a[name], b[name]) for a, b in zip(same, other, strict=True)]
        mean, ci = interval([b - a for a, b in pairs if a is not None and b is not None])
        result[name] = mean
        result[f"{name}_ci95"] = ci
    return result


def _reproduced(recorded: Sequence[Outcome], same: Sequence[Rerun]) -> dict[str, float | None]:
    """How near the recorded document comes to what was recorded: shares of tickets with the same agent (of those that
    were assigned), the same fate, and a wait within a second."""
    assigned = [place for place, each in enumerate(recorded) if each.agent is not None]
    pairs = [(each, run.outcomes[place]) for run in same for place, each in enumerate(recorded)]
    agents = [recorded[place].agent == run.outcomes[place].agent for run in same for place in assigned]
    return {
        "agent": fmean(agents) if agents else None,
        "fate": fmean(a.fate == b.fate for a, b in pairs) if pairs else None,
        "wait": fmean(abs(a.waited_us - b.waited_us) <= SECOND_US for a, b in pairs) if pairs else None,
    }


def _changed(
    tickets: Sequence[Recorded], recorded: Sequence[Outcome], same: Sequence[Rerun], other: Sequence[Rerun]
) -> Iterator[dict[str, Any]]:
    """The tickets whose fate (agent, served or not, in time or not) differs in most replications."""
    for place, ticket in enumerate(tickets):
        before = [run.outcomes[place] for run in same]
        after = [run.outcomes[place] for run in other]
        differs = fmean(
            (a.agent, a.fate, a.late) != (b.agent, b.fate, b.late) for a, b in zip(before, after, strict=True)
        )
        if differs > 0.5:
            yield {
                "ticket": ticket.id,
                "in": differs,
                "recorded": _shown([recorded[place]]),
                "same": _shown(before),
                "other": _shown(after),
            }


def _shown(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """A ticket's most common fate and agent, its mean wait in seconds, and the share of runs in which it was late."""
    return {
        "fate": Counter(each.fate for each in outcomes).most_common(1)[0][0],
        "agent": Counter(each.agent for each in outcomes).most_common(1)[0][0],
        "wait_seconds": fmean(each.waited_us for each in outcomes) / SECOND_US,
        "breached": fmean(each.late for each in outcomes),
    }
