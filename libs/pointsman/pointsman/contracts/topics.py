"""The topics: who writes them, who reads them, how they are named."""

from pointsman.core.topic import Priority, Topic

_DAY = 86_400
_LARGE = 6 * 1_048_576

REQUESTS = Topic("requests", ("intake",), ("routing",), True, 7 * _DAY, priority=Priority.LAST)
COMMANDS = Topic("commands", ("api",), ("routing", "sla", "metrics", "intake"), False, _DAY, _LARGE, Priority.FIRST)
DESK = Topic("desk", ("routing",), ("sla", "metrics", "intake", "api"), True, 7 * _DAY, _LARGE)
SLA = Topic("sla", ("sla",), ("routing", "metrics", "api"), True, 7 * _DAY, priority=Priority.SOON)
OUTCOMES = Topic("outcomes", ("worker", "api"), ("api",), False, 600, _LARGE)

TOPICS: dict[str, Topic] = {topic.name: topic for topic in (REQUESTS, COMMANDS, DESK, SLA, OUTCOMES)}
