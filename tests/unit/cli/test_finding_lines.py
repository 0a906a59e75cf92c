"""What lint found twenty times is read once."""

from pathlib import Path
from typing import Any

from pointsman.cli.findings import brief_lines, finding_lines

FILE = Path("acme.yaml")


def a_finding(name: str, line: int | None = None, **more: Any) -> dict[str, Any]:
    given = {"rule": "skill-unused", "severity": "warning", "pointer": f"/skills/{name}", "line": line}
    return {**given, "message": f"nobody has {name}", "mend": "give it to an agent, or delete it", **more}


def test_one_finding_has_its_place_its_rule_why_and_what_to_do() -> None:
    assert list(finding_lines(FILE, [a_finding("it", 7)])) == [
        "acme.yaml:7: warning: skill-unused: /skills/it",
        "  nobody has it",
        "  give it to an agent, or delete it",
    ]


def test_the_same_finding_many_times_is_a_group() -> None:
    many = [a_finding(f"s{number}", number + 1) for number in range(20)]
    other = a_finding("x", rule="no-calendar", severity="error", mend="name one")
    assert list(finding_lines(FILE, [many[0], other, *many[1:]])) == [
        "acme.yaml: warning: skill-unused, 20 times",
        "  line 1: /skills/s0: nobody has s0",
        "  line 2: /skills/s1: nobody has s1",
        "  line 3: /skills/s2: nobody has s2",
        "  and 17 more: /skills/s3, /skills/s4, /skills/s5, /skills/s6, /skills/s7, /skills/s8, …",
        "  give it to an agent, or delete it",
        "acme.yaml: error: no-calendar: /skills/x",
        "  nobody has x",
        "  name one",
    ]


def test_beside_a_dry_run_each_kind_is_a_line_and_its_places() -> None:
    assert list(brief_lines(FILE, [a_finding("it", 7), a_finding("de", 8), a_finding("x", rule="no-calendar")])) == [
        "acme.yaml:7: warning: nobody has it",
        "  and 1 more of this kind: /skills/de",
        "acme.yaml: warning: nobody has x",
    ]
