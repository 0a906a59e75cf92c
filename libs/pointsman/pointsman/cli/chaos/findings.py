"""What a run found out: numbers, and for each kind of violation the first examples."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

EXAMPLES_MAX = 10

VIOLATIONS = (
    "lost",
    "duplicated",
    "opened_twice",
    "threads_split",
    "double_owned",
    "over_capacity",
    "presence_ignored",
    "desk_inconsistent",
    "audited",
    "commands_lost",
    "commands_doubled",
    "commands_unended",
    "commands_applied_though_refused",
    "missed_breaches",
    "duplicate_breaches",
    "false_breaches_standing",
    "early_breaches",
    "alerts_inconsistent",
    "numbers_broken",
    "positions_ahead",
    "metrics_differ",
    "stuck",
    "dead_letters",
    "server_errors",
)
"""A run holds when none of these occurred."""


@dataclass
class Findings:
    """Counts per kind of violation, and the first `EXAMPLES_MAX` counter-examples of each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, kind: str, example: Any) -> None:
        """Notes one violation. `example` is what a person needs to look it up."""
        if kind not in VIOLATIONS:
            raise ValueError(f"{kind!r} is no kind of violation")
        self.counts[kind] += 1
        examples = self.examples.setdefault(kind, [])
        if len(examples) < EXAMPLES_MAX:
            examples.append(example)

    @property
    def ok(self) -> bool:
        return not self.counts.total()
