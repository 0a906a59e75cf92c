"""The same customers under several policies, side by side: this desk's own, and how other routers are commonly set.

Each policy is an order of the queues, what it does with the overdue and a choice of the agent on the production desk;
skills, capacity and promises are the scenario's. All meet the same drawn customers, so differences are compared
replication by replication.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from pointsman.contracts.document import read_plain
from pointsman_routing.simulation.figures import Replication, interval
from pointsman_routing.simulation.plan import Plan
from pointsman_routing.simulation.planning import plan_of
from pointsman_routing.simulation.run import in_processes, replicate

SHIPPED = Path(__file__).parent / "policies"
SCENARIOS = ("balanced", "overload", "rare-skill", "burst", "leaving")


class Way(NamedTuple):
    """How every queue is set: its order, its choice (None: the chain of routing rule 9), and which share of its offers
    goes to the overdue (None: nobody is set apart)."""

    order: str
    choice: str | None
    words: str
    late_share: float | None = None


OURS = "urgency"
WAYS = {
    OURS: Way(
        "urgency", None, "this desk: first who can still be saved, a share to the lost; the narrowest skills", 0.15
    ),
    "round robin": Way("fifo", "round_robin", "first come, agents in turn"),
    "least busy": Way("fifo", "least_loaded", "first come, the agent with the lowest load"),
    "priority": Way("strict", "longest_idle", "priority, then oldest; the agent who is idle the longest"),
    "earliest deadline": Way("urgency", None, "as this desk, without `late`: the deadline that comes or came first"),
}
FIGURES = {
    "p_breach": "breached",
    "worst_breach": "of the worst class",
    "wait_p50": "wait p50",
    "wait_p95": "wait p95",
    "wait_max": "longest wait",
    "gini_of_load": "Gini of load",
}
"""Figure → its heading. The smaller the better, all of them."""


def read_in_every_way(path: Path) -> dict[str, Plan]:
    """A scenario's plan under each policy. Raises `DocumentErrors`, `OSError`."""
    written = read_plain(path.read_bytes())
    return {
        name: plan_of(replace(written, value=_set_to(written.value, way)), path.parent) for name, way in WAYS.items()
    }


def _set_to(scenario: Any, way: Way) -> Any:
    """The scenario as it is written, with every queue set so; what is no scenario stays as it is."""
    desk = scenario.get("desk") if isinstance(scenario, dict) else None
    queues = desk.get("queues", {"main": {}}) if isinstance(desk, dict) else None
    if not isinstance(desk, dict) or not isinstance(queues, dict):
        return scenario
    late = None if way.late_share is None else {"share": way.late_share}
    told = {"order": way.order, "choice": way.choice, "late": late}
    setting = {slug: {**queue, **told} if isinstance(queue, dict) else queue for slug, queue in queues.items()}
    return {**scenario, "desk": {**desk, "queues": setting}}


def compared(
    plans: Mapping[str, Mapping[str, Plan]], processes: int | None, done: Callable[[], None]
) -> dict[str, Any]:
    """`{scenario: {policy: {figure: {mean, ci95, difference_ci95}}}}`: differences are to `OURS`, None for itself."""
    keys = [
        (name, way, number)
        for name, by_way in plans.items()
        for way, plan in by_way.items()
        for number in range(plan.replications)
    ]
    tasks = [(plans[name][way], number) for name, way, number in keys]
    runs: list[Replication] = in_processes(replicate, tasks, processes, done)
    found: dict[str, dict[str, list[Replication]]] = {}
    for (name, way), group in groupby(zip(keys, runs, strict=True), key=lambda pair: pair[0][:2]):
        found.setdefault(name, {})[way] = [run for _, run in group]
    return {
        name: {way: _side_by_side(of_way, by_way[OURS] if way != OURS else None) for way, of_way in by_way.items()}
        for name, by_way in found.items()
    }


def _side_by_side(runs: Sequence[Replication], ours: Sequence[Replication] | None) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for figure in FIGURES:
        samples = [_figure(run, figure) for run in runs]
        mean, ci = interval(samples)
        difference = None
        if ours is not None:
            difference = interval([a - _figure(b, figure) for a, b in zip(samples, ours, strict=True)])[1]
        result[figure] = {"mean": mean, "ci95": ci, "difference_ci95": difference}
    broken = [f"{check}: {said}" for run in runs for check, said in run.broken.items()]
    return {**result, "counter_examples": broken[:10]}


def _figure(run: Replication, figure: str) -> float:
    if figure == "worst_breach":
        return max(figures.get("p_breach", 0.0) for _, figures, _ in run.classes.values())
    return run.everybody.get(figure, 0.0)


def page(result: Mapping[str, Any], plans: Mapping[str, Mapping[str, Plan]], comments: Mapping[str, str]) -> str:
    """docs/policies.md."""
    parts = [_HEAD]
    for name, way in WAYS.items():
        late = "–" if way.late_share is None else way.late_share
        parts.append(f"| {name} | {way.order} | {late} | {way.choice or 'chain'} | {way.words} |")
    for name, by_way in result.items():
        plan = plans[name][OURS]
        parts += ["", f"## {name.replace('-', ' ').capitalize()}", "", comments[name], ""]
        parts.append(f"{plan.replications} replications, seed {plan.seed}.")
        parts += ["", f"| policy | {' | '.join(FIGURES.values())} |", "|---" * (len(FIGURES) + 1) + "|"]
        for way, figures in by_way.items():
            cells = [_cell(figure, figures[figure]) for figure in FIGURES]
            parts.append(f"| {way} | {' | '.join(cells)} |")
        parts += ["", _verdict(by_way)]
    return "\n".join(parts) + "\n"


def _cell(figure: str, of: Mapping[str, Any]) -> str:
    mean, ci, difference = of["mean"], of["ci95"], of["difference_ci95"]
    half = 0.0 if ci is None else (ci[1] - ci[0]) / 2
    text = f"{mean:.1%} ± {half:.1%}" if "breach" in figure else f"{_plain(mean)} ± {_plain(half)}"
    return text + {-1: " **better**", 0: "", 1: " worse"}[_sign(difference)]


def _plain(value: float) -> str:
    return f"{value:.0f}" if value >= 99.5 else f"{value:.2g}" if value >= 0.001 else "0"


def _sign(difference: Sequence[float] | None) -> int:
    """-1 when surely smaller than ours, 1 when surely larger, 0 when one cannot say."""
    if difference is None or difference[0] <= 0 <= difference[1]:
        return 0
    return -1 if difference[1] < 0 else 1


def _verdict(by_way: Mapping[str, Any]) -> str:
    lost = [
        f"to *{way}* in {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}"
        for way, figures in by_way.items()
        if (names := [title for f, title in FIGURES.items() if _sign(figures[f]["difference_ci95"]) < 0])
    ]
    return f"*{OURS}* loses {'; '.join(lost)}." if lost else f"*{OURS}* loses in nothing here."


_HEAD = """\
# Policies compared

How this desk's own policy does beside those that routers are commonly set to, on the same drawn customers: each class's
n-th customer comes at the same time, needs the same work and was promised the same under every policy. Written by

<!-- not run: it writes this page, in half an hour -->
```sh
pointsman simulate --compare --markdown docs/policies.md
```

The scenarios are in `services/routing/pointsman_routing/simulation/policies/`; `pointsman simulate SCENARIO.yaml
--compare` does the same with one of yours. Figures are means ± half their 95 % interval. **better** and worse: than
*urgency*, with 95 % confidence of the difference, replication by replication. Breached: share of the customers who had
no answer in the promised time (urgent 5 minutes, normal 30, low 120), of all and of the worst class. Waits are in
minutes, of those served; the longest wait is the mean of each replication's longest. Gini of load: 0 when every agent
works the same share of their time, towards 1 when one does everything. The smaller the better, all.

| policy | order | `late` share | choice | |
|---|---|---|---|---|"""
