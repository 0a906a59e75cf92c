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
    for (severity, rule), group in _grouped(findings).items():
        if len(group) == 1:
            (one,) = group
            yield f"{_place(file, one)}: {severity}: {rule}: {one['pointer']}"
            yield f"  {one['message']}"
        else:
            yield f"{file}: {severity}: {rule}, {len(group)} times"
            for one in group[:SHOWN]:
                yield f"  {_line(one)}{one['pointer']}: {one['message']}"
            if others := group[SHOWN:]:
                yield f"  and {len(others)} more: {_pointers(others)}"
        yield from (f"  {mend}" for mend in list(dict.fromkeys(one["mend"] for one in group))[:SHOWN])


def brief_lines(file: Path, findings: Sequence[Finding]) -> Iterator[str]:
    """The same beside other things: a line for each rule's first finding, and where the others are."""
    for (severity, _), (first, *others) in _grouped(findings).items():
        yield f"{_place(file, first)}: {severity}: {first['message']}"
        if others:
            yield f"  and {len(others)} more of this kind: {_pointers(others)}"


def _grouped(findings: Sequence[Finding]) -> dict[tuple[str, str], list[Finding]]:
    """By severity and rule, in the order of the first of each."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding["severity"], finding["rule"]), []).append(finding)
    return groups


def _pointers(findings: Sequence[Finding]) -> str:
    return ", ".join([*(one["pointer"] for one in findings[:PLACES]), *(["…"] if len(findings) > PLACES else [])])


def _place(file: Path, finding: Finding) -> str:
    return f"{file}:{finding['line']}" if finding.get("line") else str(file)


def _line(finding: Finding) -> str:
    return f"line {finding['line']}: " if finding.get("line") else ""
