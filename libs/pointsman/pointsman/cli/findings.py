"""What lint found, for people: what is the same many times is said once, with its places."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SHOWN = 3
"""So many of the same are written out; of the others only where they are."""
PLACES = 6

Finding = Mapping[str, Any]


def finding_lines(file: Path, findings: Sequence[Finding]) -> Iterator[str]:
    """Lines for the findings of a file, as `lint --json` and a check have them, each rule's together."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding["severity"], finding["rule"]), []).append(finding)
    for (severity, rule), group in groups.items():
        if len(group) == 1:
            (one,) = group
            yield f"{_place(file, one)}: {severity}: {rule}: {one['pointer']}"
            yield f"  {one['message']}"
        else:
            yield f"{file}: {severity}: {rule}, {len(group)} times"
            for one in group[:SHOWN]:
                yield f"  {_line(one)}{one['pointer']}: {one['message']}"
            if others := [f"{one['pointer']}" for one in group[SHOWN:]]:
                more = ", …" if len(others) > PLACES else ""
                yield f"  and {len(others)} more: {', '.join(others[:PLACES])}{more}"
        yield from (f"  {mend}" for mend in list(dict.fromkeys(one["mend"] for one in group))[:SHOWN])


def _place(file: Path, finding: Finding) -> str:
    return f"{file}:{finding['line']}" if finding.get("line") else str(file)


def _line(finding: Finding) -> str:
    return f"line {finding['line']}: " if finding.get("line") else ""
