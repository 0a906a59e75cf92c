"""Offered load against capacity, by max-flow over skills.

Work flows from the kinds of tickets (units of work in hand at once: tickets an hour × hours each × weight, by Little's
law) to agents who may take them, each with a capacity. Whether all of it fits, with everybody at work, is a maximum
flow; when not, the minimum cut names the work that is too much and the people who alone may do it (Hall's condition
with weights).
`caps` and `reserve` are left out: they only make room smaller.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from pointsman_routing.lint.finding import Finding, some
from pointsman_routing.lint.rates import Rate
from pointsman_routing.lint.view import DocumentView
from pointsman_routing.lint.work import category_path

STEPS = 1_000_000_000
"""Flows are whole numbers: the whole offered load is so many steps."""
TOLERANCE = 1e-6


class _Demand(NamedTuple):
    category: str
    language: str
    units: float
    able: int


def overload(view: DocumentView, rates: Sequence[Rate]) -> Iterator[Finding]:
    """Work that is more than the people who may do it can have in hand, even with everybody present."""
    demands = _demands(view, rates)
    total = sum(demand.units for demand in demands)
    if total <= TOLERANCE or not view.staff.people:
        return
    crowds, members = _crowds(demands, len(view.staff.people))
    capacity = np.array([view.document.agents[slug].capacity for slug in view.staff.people], dtype=float)
    room = np.array([capacity[list(agents)].sum() for agents in members]) if members else np.zeros(0)
    for works, agents_of in _bottlenecks(np.array([demand.units for demand in demands]), crowds, room):
        offered = sum(demands[work].units for work in works)
        there = sum(float(room[crowd]) for crowd in agents_of)
        if offered - there <= TOLERANCE * total:
            continue
        people = [view.staff.people[agent] for crowd in agents_of for agent in sorted(members[crowd])]
        heaviest = max(works, key=lambda work: demands[work].units)
        names = [_named(demands[work]) for work in sorted(works, key=lambda work: -demands[work].units)]
        who = f"{some(people)} have room for {there:g}" if people else "nobody may take it"
        yield Finding(
            "overload",
            "error" if people else "warning",
            category_path(view.document, demands[heaviest].category),
            f"{some(names)}: {offered:.1f} units of work are in hand at once at these rates, and {who}, with everybody "
            "present: the line grows without end.",
            f"Add {offered - there:.1f} units of capacity with these skills: more people, a skill taught to somebody "
            "who has room, or a lower weight.",
        )


def _named(demand: _Demand) -> str:
    return f"{demand.category} ({demand.language})" if demand.language else demand.category


def _demands(view: DocumentView, rates: Sequence[Rate]) -> list[_Demand]:
    document = view.document
    found: dict[tuple[str, str], tuple[float, int]] = {}
    for rate in rates:
        weight = document.weight_of(rate.category, rate.channel)
        units = rate.per_hour * rate.handle_seconds / 3600 * weight
        requires = dict(document.category(rate.category).requires)
        skill = document.language_skill(rate.language) if rate.language else None
        if skill is not None:
            requires.setdefault(skill, 1)
        able = view.staff.able((document.queue_of(rate.category),), requires)
        before = found.get((rate.category, rate.language), (0.0, able))[0]
        found[rate.category, rate.language] = (before + units, able)
    return [_Demand(*kind, units, able) for kind, (units, able) in found.items() if units > 0]


def _crowds(demands: Sequence[_Demand], people: int) -> tuple[Any, list[list[int]]]:
    """Agents who may take the same: which demands each such crowd may take (a matrix), and its members."""
    width = (people + 7) // 8
    bits = np.array([np.frombuffer(demand.able.to_bytes(width, "little"), dtype=np.uint8) for demand in demands])
    may = np.unpackbits(bits, axis=1, bitorder="little")[:, :people]
    kinds, crowd_of = np.unique(may, axis=1, return_inverse=True)
    members: list[list[int]] = [[] for _ in range(kinds.shape[1])]
    for agent, crowd in enumerate(crowd_of.ravel()):
        members[int(crowd)].append(agent)
    return kinds, members


def _bottlenecks(units: Any, crowds: Any, room: Any) -> Iterator[tuple[list[int], list[int]]]:
    """(demands, crowds) of each part of the minimum cut on the side of the demands: what does not fit, and where it
    would have to. Nothing when all fits."""
    works, groups = crowds.shape
    step = units.sum() / STEPS
    source, sink = works + groups, works + groups + 1
    wanted = np.maximum(1, np.floor(units / step)).astype(np.int64)
    places = np.minimum(np.floor(room / step), 2 * STEPS).astype(np.int64)
    work_of, group_of = np.nonzero(crowds)
    rows = np.concatenate([np.full(works, source), work_of, works + np.arange(groups)])
    columns = np.concatenate([np.arange(works), works + group_of, np.full(groups, sink)])
    steps = np.concatenate([wanted, np.full(len(work_of), 2 * STEPS), places]).astype(np.int32)
    graph = csr_array((steps, (rows, columns)), shape=(sink + 1, sink + 1))
    found = maximum_flow(graph, source, sink)
    if found.flow_value >= int(wanted.sum()):
        return
    left: Any = graph - found.flow
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    reached = set(breadth_first_order(left, source, return_predecessors=False).tolist())
    inside = sorted(reached - {source})
    between = crowds[[node for node in inside if node < works]]
    between = between[:, [node - works for node in inside if node >= works]]
    own_works = [node for node in inside if node < works]
    own_groups = [node - works for node in inside if node >= works]
    size = len(own_works) + len(own_groups)
    work_at, group_at = np.nonzero(between)
    links = csr_array((np.ones(len(work_at)), (work_at, group_at + len(own_works))), shape=(size, size))
    count, part = connected_components(links, directed=False)
    for number in range(count):
        parts = [place for place in range(size) if part[place] == number]
        yield (
            [own_works[place] for place in parts if place < len(own_works)],
            [own_groups[place - len(own_works)] for place in parts if place >= len(own_works)],
        )
