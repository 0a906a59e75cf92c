"""The small workspaces of a run: every promise is a matter of seconds, so that clocks are met and breached at once."""

from typing import Any

from pointsman.core.ids import lane_of

AGENTS_PER_WORKSPACE = 4
CAPACITY = 6
LEASE_SECONDS = 12
OFFER_SECONDS = 5
CLOSE_AFTER_SECONDS = 12

CONNECTORS = {"mail": "email", "site-chat": "chat", "page": "social"}
"""Connector → channel."""

TARGETS: dict[str, dict[str, int]] = {
    "email": {"first_response": 6, "next_response": 5, "resolution": 14},
    "chat": {"first_response": 3, "next_response": 3, "resolution": 9},
    "social": {"first_response": 4, "next_response": 4},
}
"""Channel → metric → promised seconds, on a calendar that is always open."""

PAUSES: dict[str, frozenset[str]] = {
    "email": frozenset({"customer", "snoozed"}),
    "chat": frozenset(),
    "social": frozenset(),
}
"""Channel → on whom or what a ticket waits while its resolution clock stands still."""


def workspaces(count: int, partitions: int) -> list[str]:
    """Names of workspaces of which no two share a lane, as long as there are lanes enough."""
    names: list[str] = []
    lanes: set[int] = set()
    number = 0
    while len(names) < count:
        number += 1
        name = f"chaos-{number}"
        lane = lane_of(name, partitions)
        if lane not in lanes or len(lanes) == partitions:
            lanes.add(lane)
            names.append(name)
    return names


def agents() -> list[str]:
    return [f"agent-{number}" for number in range(1, AGENTS_PER_WORKSPACE + 1)]


def document_of(workspace: str) -> dict[str, Any]:
    """The workspace's document."""
    return {
        "workspace": workspace,
        "timezone": "UTC",
        "languages": ["en"],
        "tickets": {"close_after_seconds": CLOSE_AFTER_SECONDS, "reopen_seconds": 60},
        "connectors": {name: {"channel": channel, "kind": "json"} for name, channel in CONNECTORS.items()},
        "channels": {"chat": {"weight": 2, "pending_holds": True}},
        "skills": ["billing"],
        "classify": {
            "rules": [{"when": {"text": r"\brefund\b"}, "set": {"category": "refund"}}],
            "categories": {"refund": {"queue": "billing", "requires": {"billing": 3}}},
            "language_skill": None,
            "otherwise": {"queue": "general"},
        },
        "queues": {
            queue: {
                "order": "fifo",
                "offer": {"timeout_seconds": OFFER_SECONDS, "offers_max": 3, "retry_seconds": 1},
                "choice": "longest_idle",
            }
            for queue in ("billing", "general")
        },
        "agents": {
            agent: {"name": agent, "capacity": CAPACITY, "skills": {"billing": 5} if place < 3 else {}}
            for place, agent in enumerate(agents())
        },
        "presence": {
            "lease_seconds": LEASE_SECONDS,
            "grace_seconds": 4,
            "gone": {
                "chat": {"requeue": "after_grace"},
                "email": {"requeue": "on_warning", "at_latest_seconds": 10},
                "social": {"requeue": "after_grace"},
            },
        },
        "calendars": {"always": {"tz": "UTC", "always": True}},
        "sla": {
            "policies": [
                {
                    "name": channel,
                    "match": {"channel": [channel]},
                    "calendar": "always",
                    "targets": {metric: {"default": seconds} for metric, seconds in metrics.items()},
                    "warn": {"shares": [0.5], "lead_seconds": []},
                    "pause_on": {"resolution": sorted(PAUSES[channel])} if PAUSES[channel] else {},
                    "reopen": "continue",
                }
                for channel, metrics in TARGETS.items()
            ]
        },
        "wrap_up_seconds": {"chat": 1},
    }
