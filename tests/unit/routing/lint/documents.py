"""A document with nothing to find, and changes of it."""

from typing import Any

from pointsman.contracts.document import read_document
from pointsman.contracts.document.change import merge_patched
from pointsman_routing.lint import KEEPS_HOURS, Finding, lint
from pointsman_routing.lint.rates import Rate

OFFICE = {"week": {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
EARLY = {"week": {day: [["08:00", "14:00"]] for day in ("mon", "tue")}}
LATE = {"week": {day: [["14:00", "20:00"]] for day in ("mon", "tue")}}

GOOD: dict[str, Any] = {
    "workspace": "acme",
    "languages": ["it", "en"],
    "connectors": {"site": {"channel": "chat", "kind": "json"}, "mail": {"channel": "email", "kind": "json"}},
    "skills": ["billing", "lang-it", "lang-en"],
    "classify": {
        "rules": [
            {"id": "vip", "when": {"customer_tier": ["vip"]}, "set": {"priority": "urgent"}},
            {"id": "refund", "when": {"text": "refund|rimborso"}, "set": {"category": "refund"}},
        ],
        "categories": {"refund": {"queue": "billing", "requires": {"billing": 3}}},
        "otherwise": {"queue": "general"},
    },
    "queues": {
        "billing": {
            "relax": [{"after_seconds": 300, "lower": {"billing": 1}}],
            "overflow": [{"after_seconds": 600, "to": "general"}],
            "hours": "office",
            "closed": {"then": {"to": "general"}},
        },
        "general": {},
    },
    "agents": {
        "anna": {"skills": {"billing": 5, "lang-it": 10, "lang-en": 6}, "hours": "office"},
        "boris": {"skills": {"billing": 4, "lang-it": 7, "lang-en": 10}, "hours": "office"},
        "helper": {"kind": "bot", "capacity": 0},
    },
    "calendars": {"office": OFFICE, "always": {"always": True}},
    "sla": {
        "policies": [
            {
                "name": "vip",
                "match": {"customer_tier": ["vip"]},
                "calendar": "always",
                "targets": {"first_response": {"urgent": 600, "default": 900}},
            },
            {"name": "standard", "calendar": "office", "targets": {"first_response": {"default": 3600}}},
        ]
    },
}


def found(
    change: dict[str, Any] | None = None, rates: list[Rate] | None = None, *, keeps_hours: bool = KEEPS_HOURS
) -> list[Finding]:
    """What lint finds in the good document with a merge patch."""
    return lint(read_document(merge_patched(GOOD, change or {})), rates, keeps_hours=keeps_hours)


def pointers(rule: str, change: dict[str, Any], rates: list[Rate] | None = None) -> list[str]:
    """Where the rule finds something; the rule about shifts, as if routing went by agents' hours."""
    findings = found(change, rates, keeps_hours=KEEPS_HOURS or rule == "shift-without-agent")
    return [finding.plain()["pointer"] for finding in findings if finding.rule == rule]
