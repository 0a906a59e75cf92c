"""What a simulation says of a class's customers: the figures of one replication, and of all of them together.

A figure's estimate is the mean of the replications' figures, its interval mean ± t · s/√n with Student's t for 95 %
(replications are independent, so nothing is assumed about waits within one).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import fmean, stdev
from typing import Any

import numpy as np

from pointsman_routing.simulation.people import Visit
from pointsman_routing.simulation.watch import CHECKS


def interval(samples: Sequence[float]) -> tuple[float | None, list[float] | None]:
    """The mean of the replications' figures and its 95 % interval; None without (or with one) replication."""
    if not samples:
        return None, None
    mean = fmean(samples)
    if len(samples) == 1:
        return mean, None
    # scipy costs a fifth of a second to load.
    from scipy.special import stdtrit

    half = float(stdtrit(len(samples) - 1, 0.975)) * stdev(samples) / sqrt(len(samples))
    return mean, [mean - half, mean + half]


def gini(loads: Sequence[float]) -> float | None:
    """How unevenly something is shared: 0 when all have the same, towards 1 when one has everything (Gini 1912)."""
    count, total = len(loads), sum(loads)
    if not count or not total:
        return None
    return sum((2 * place - count - 1) * load for place, load in enumerate(sorted(loads), 1)) / (count * total)


@dataclass(slots=True)
class Tally:
    """Counted customers of one class in one replication. Waits in µs, of those who were served."""

    arrived: int = 0
    served: int = 0
    delayed: int = 0
    abandoned: int = 0
    blocked: int = 0
    breached: int = 0
    waits_us: list[int] = field(default_factory=list)
    waited_in_vain_us: int = 0
    agents: Counter[str] = field(default_factory=Counter)
    work_us: Counter[str] = field(default_factory=Counter)

    def add(self, visit: Visit, target_us: int | None) -> None:
        """The visit's waiting has ended (or did not until the end)."""
        self.arrived += 1
        waited_us = visit.waited_us
        if visit.fate == "served":
            self.served += 1
            self.waits_us.append(waited_us)
            self.agents[visit.agent or ""] += 1
            self.work_us[visit.agent or ""] += visit.service_us
        else:
            self.abandoned += visit.fate == "abandoned"
            self.blocked += visit.fate == "blocked"
            self.waited_in_vain_us += waited_us
        self.delayed += waited_us > 0
        self.breached += target_us is not None and waited_us > target_us

    def figures(self, unit_us: int) -> dict[str, float]:
        """Those that are defined: a wait needs somebody served, a share somebody who came."""
        found: dict[str, float] = {}
        if self.served:
            waits = np.array(self.waits_us)
            found["mean_wait"] = float(waits.mean()) / unit_us
            found["wait_p50"], found["wait_p95"] = (float(each) / unit_us for each in np.percentile(waits, (50, 95)))
            found["wait_max"] = float(waits.max()) / unit_us
        if self.arrived:
            found["mean_wait_all"] = (sum(self.waits_us) + self.waited_in_vain_us) / self.arrived / unit_us
            found["p_wait"] = self.delayed / self.arrived
            found["p_abandon"] = self.abandoned / self.arrived
            found["blocking"] = self.blocked / self.arrived
            found["p_breach"] = self.breached / self.arrived
        return found


def together(tallies: Iterable[Tally]) -> Tally:
    """All classes as one."""
    whole = Tally()
    for each in tallies:
        whole.arrived += each.arrived
        whole.served += each.served
        whole.delayed += each.delayed
        whole.abandoned += each.abandoned
        whole.blocked += each.blocked
        whole.breached += each.breached
        whole.waits_us += each.waits_us
        whole.waited_in_vain_us += each.waited_in_vain_us
        whole.agents += each.agents
        whole.work_us += each.work_us
    return whole


@dataclass(frozen=True, slots=True)
class Replication:
    """What one replication says. `classes` is (counts, figures, agents' tickets) per class; `everybody` are the figures
    of all classes together, and how unevenly the work was shared (`gini_of_load`)."""

    everybody: dict[str, float]
    classes: dict[str, tuple[dict[str, int], dict[str, float], Counter[str]]]
    utilisation: float | None
    waiting: float
    broken: dict[str, str]
    decisions: int
    tickets: int


FIGURES = ("mean_wait", "mean_wait_all", "wait_p50", "wait_p95", "p_wait", "p_abandon", "blocking", "p_breach")
WITHOUT_INTERVAL = frozenset({"wait_p50", "wait_p95"})


def summed_up(replications: Sequence[Replication], *, sla: bool, agents: dict[str, str]) -> dict[str, Any]:
    """All replications as the command prints them (docs/simulation.md says what each is)."""
    classes = {name: _class(name, replications, sla, agents) for name in replications[0].classes}
    utilisation, utilisation_ci = interval([each.utilisation for each in replications if each.utilisation is not None])
    waiting, waiting_ci = interval([each.waiting for each in replications])
    broken = [each.broken for each in replications]
    return {
        "classes": classes,
        "utilisation": utilisation,
        "utilisation_ci95": utilisation_ci,
        "mean_waiting": waiting,
        "mean_waiting_ci95": waiting_ci,
        "checks": {check: not any(check in each for each in broken) for check in CHECKS},
        "counter_examples": [f"{check}: {said}" for each in broken for check, said in each.items()][:10],
        "decisions": sum(each.decisions for each in replications),
        "tickets": sum(each.tickets for each in replications),
    }


def _class(name: str, replications: Iterable[Replication], sla: bool, agents: dict[str, str]) -> dict[str, Any]:
    of_class = [each.classes[name] for each in replications]
    counts = {key: sum(each[0][key] for each in of_class) for key in ("arrived", "served", "abandoned", "blocked")}
    result: dict[str, Any] = dict(counts)
    for figure in FIGURES:
        if figure == "p_breach" and not sla:
            continue
        mean, ci = interval([figures[figure] for _, figures, _ in of_class if figure in figures])
        result[figure] = mean
        if figure not in WITHOUT_INTERVAL:
            result[f"{figure}_ci95"] = ci
    result["breached"] = sum(each[0]["breached"] for each in of_class) if sla else None
    tickets: Counter[str] = sum((each[2] for each in of_class), Counter())
    result["agents"] = {agents[slug]: count / counts["served"] for slug, count in sorted(tickets.items())}
    return result
