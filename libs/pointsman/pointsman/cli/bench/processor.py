"""Where a stack's processor time goes: by process, and within PostgreSQL by the service that a session is of."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress

import psutil

from pointsman.local.folder import StackFolder

SESSION = re.compile(r"postgres: pointsman_(?P<service>\w+) ")


def families(folder: StackFolder) -> Mapping[str, list[psutil.Process]]:
    """Of each process of the stack: it and all that it started. The supervisor is the bench's own process."""
    found = {"supervisor": [psutil.Process()]}
    for process in folder.status().processes:
        if process.pid is not None:
            parent = psutil.Process(process.pid)
            found[process.name] = [parent, *parent.children(recursive=True)]
    return found


def spent(folder: StackFolder) -> Mapping[str, float]:
    """CPU seconds so far of each process with what it started, also what ended since."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for name, family in families(folder).items():
        seconds[name] += sum(own + of_ended for _, own, of_ended in _times(family))
    return seconds


def spent_by_part(folder: StackFolder) -> Mapping[str, float]:
    """The same, PostgreSQL by part: `postgres_<service>` are its sessions, `postgres_ended` what ended since
    (autovacuum, above all), `postgres` the rest."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for name, family in families(folder).items():
        for process, own, of_ended in _times(family):
            if name != "postgres":
                seconds[name] += own + of_ended
                continue
            session = SESSION.match(" ".join(process.cmdline()))
            seconds[f"postgres_{session['service']}" if session else "postgres"] += own
            seconds["postgres_ended"] += of_ended
    return seconds


def _times(family: list[psutil.Process]) -> Iterator[tuple[psutil.Process, float, float]]:
    """Of each that runs: the process, its own seconds and those of its children that ended."""
    for process in family:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            yield process, times.user + times.system, times.children_user + times.children_system
