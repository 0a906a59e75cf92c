"""Documents in which a rule of lint finds something, and those about which it is silent, by what is wrong."""

from typing import Any

from tests.unit.routing.lint.documents import EARLY, GOOD, LATE

TWO: dict[str, Any] = GOOD["agents"]
RULES_OF_GOOD: list[Any] = GOOD["classify"]["rules"]


def rules(*more: dict[str, Any]) -> dict[str, Any]:
    return {"classify": {"rules": [*RULES_OF_GOOD, *more]}}


def policies(*given: dict[str, Any]) -> dict[str, Any]:
    return {"sla": {"policies": list(given)}}


def promise(seconds: int, **match: Any) -> dict[str, Any]:
    return {"name": "fast", "match": match, "targets": {"first_response": {"urgent": seconds, "default": 9000}}}


NOBODY_HAS = {"requires": {"billing": 9}}
CASES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "a rule after a stop for the same messages": (
        "unreachable-rule",
        rules(
            {"when": {"text": "late"}, "set": {"tags": ["late"]}, "stop": True},
            {"when": {"text": "late", "channel": "chat"}, "set": {"category": "refund"}},
        ),
        ["/classify/rules/3"],
    ),
    "a rule after a catch-all stop": (
        "unreachable-rule",
        rules({"set": {"tags": ["seen"]}, "stop": True}, {"when": {"language": "it"}, "set": {"tags": ["it"]}}),
        ["/classify/rules/3"],
    ),
    "a rule narrower in every list than one that stops": (
        "unreachable-rule",
        rules(
            {"when": {"channel": ["chat", "email"], "language": ["it", "en"]}, "set": {"tags": ["a"]}, "stop": True},
            {"when": {"channel": "chat", "language": "it", "subject": "x"}, "set": {"category": "refund"}},
        ),
        ["/classify/rules/3"],
    ),
    "a second rule that sets what the first has set": (
        "unreachable-rule",
        rules({"when": {"text": "refund|rimborso"}, "set": {"category": "other"}}),
        ["/classify/rules/2"],
    ),
    "a rule that sets nothing": ("unreachable-rule", rules({"when": {"channel": "chat"}}), ["/classify/rules/2"]),
    "alternatives within alternatives": (
        "unreachable-rule",
        rules(
            {"when": {"any": [{"text": "a"}, {"text": "b"}, {"text": "c"}]}, "set": {"tags": ["x"]}, "stop": True},
            {"when": {"any": [{"text": "a"}, {"text": "b"}]}, "set": {"tags": ["y"]}},
            {"when": {"all": [{"text": "c"}, {"channel": "chat"}]}, "set": {"tags": ["z"]}},
        ),
        ["/classify/rules/3", "/classify/rules/4"],
    ),
    "a denial of more than was denied": (
        "unreachable-rule",
        rules(
            {"when": {"not": {"channel": "chat"}}, "set": {"tags": ["x"]}, "stop": True},
            {"when": {"not": {"channel": ["chat", "email"]}}, "set": {"tags": ["y"]}},
        ),
        ["/classify/rules/3"],
    ),
    "a category that only a person could choose": (
        "unselected-category",
        {"classify": {"categories": {"wishes": {}}}},
        ["/classify/categories/wishes"],
    ),
    "a queue that nothing leads to": ("unreachable-queue", {"queues": {"attic": {}}}, ["/queues/attic"]),
    "queues that lead only to one another": (
        "unreachable-queue",
        {
            "queues": {
                "attic": {"overflow": [{"after_seconds": 5, "to": "cellar"}]},
                "cellar": {"full": {"then": {"to": "attic"}}},
            }
        },
        ["/queues/attic", "/queues/cellar"],
    ),
    "closed queues that send to one another": (
        "queue-loop",
        {"queues": {"general": {"closed": {"then": {"to": "billing"}}}}},
        ["/queues/billing"],
    ),
    "a circle by way of a full queue": (
        "queue-loop",
        {
            "queues": {
                "general": {"full": {"then": {"to": "third"}}},
                "third": {"closed": {"then": {"to": "billing"}}},
            }
        },
        ["/queues/billing"],
    ),
    "a category that nobody can take": (
        "category-without-agent",
        {"classify": {"categories": {"refund": NOBODY_HAS}}},
        ["/classify/categories/refund"],
    ),
    "a language that nobody in the queue speaks": (
        "category-without-agent",
        {"languages": ["it", "en", "de"], "skills": [*GOOD["skills"], "lang-de"]},
        ["/classify/categories/refund", "/classify/otherwise"],
    ),
    "a queue without agents": (
        "category-without-agent",
        {"agents": {slug: {"queues": ["billing"]} for slug in ("anna", "boris")}},
        ["/classify/otherwise"],
    ),
    "no agents at all": ("category-without-agent", {"agents": {"anna": None, "boris": None}}, ["/workspace"]),
    "a connector's queue without agents": (
        "category-without-agent",
        {
            "queues": {"posts": {}},
            "connectors": {"mail": {"default": {"queue": "posts"}}},
            "agents": {slug: {"queues": ["billing", "general"]} for slug in ("anna", "boris")},
        },
        ["/connectors/mail/default"],
    ),
    "a shift in which nobody has the skill": (
        "shift-without-agent",
        {
            "calendars": {"early": EARLY, "late": LATE},
            "agents": {"anna": {"hours": "early"}, "boris": {"hours": "late", "skills": {"billing": None}}},
            "queues": {"billing": {"hours": None, "overflow": None}},
        },
        ["/classify/categories/refund"],
    ),
    "a queue that is open when nobody works": (
        "shift-without-agent",
        {"queues": {"general": {"hours": "always"}}},
        ["/classify/otherwise"],
    ),
    "a rule's requirement that nobody meets": (
        "never-met",
        rules({"when": {"subject": "x"}, "set": {"queue": "general", "requires": {"billing": 9}}}),
        ["/classify/rules/2"],
    ),
    "a category that relaxation does not help": (
        "never-met",
        {
            "classify": {"categories": {"refund": {"requires": {"billing": 3, "lang-en": 10, "lang-it": 10}}}},
        },
        ["/classify/categories/refund"],
    ),
    "a skill of one person": (
        "single-holder",
        {"agents": {"boris": {"skills": {"lang-en": None}}}},
        ["/skills/2"],
    ),
    "a level that only one person has": (
        "single-holder",
        {"classify": {"categories": {"refund": {"requires": {"billing": 5}}}}},
        ["/skills/0"],
    ),
    "an agent without room": ("idle-agent", {"agents": {"carla": {"capacity": 0}}}, ["/agents/carla"]),
    "an agent with less room than any ticket weighs": (
        "idle-agent",
        {"channels": {"email": {"weight": 3}, "chat": {"weight": 2}}, "agents": {"boris": {"capacity": 1}}},
        ["/agents/boris"],
    ),
    "an agent in a queue whose skills are lacking": (
        "idle-agent",
        {
            "agents": {"carla": {"queues": ["billing"]}},
            "queues": {"billing": {"relax": None}},
        },
        ["/agents/carla"],
    ),
    "an agent of no queue": ("idle-agent", {"agents": {"carla": {"queues": []}}}, ["/agents/carla"]),
    "a promise that ends before the first relaxation": (
        "target-before-relaxation",
        policies(promise(240)),
        ["/sla/policies/0/targets/first_response/urgent"],
    ),
    "a promise that ends before the overflow": (
        "target-before-relaxation",
        {**policies(promise(600, queue=["billing"])), "queues": {"billing": {"relax": None}}},
        ["/sla/policies/0/targets/first_response/urgent"],
    ),
    "a promise as long as an offer": (
        "target-before-offer",
        {**policies(promise(30, queue=["general"]))},
        ["/sla/policies/0/targets/first_response/urgent"],
    ),
    "a policy below a catch-all": (
        "policy-never-matches",
        policies({"name": "all"}, {"name": "vip", "match": {"customer_tier": ["vip"]}}),
        ["/sla/policies/1"],
    ),
    "a policy below a wider one": (
        "policy-never-matches",
        policies(
            {"name": "wide", "match": {"channel": ["chat", "email"]}},
            {"name": "narrow", "match": {"channel": ["chat"], "queue": ["billing"]}},
        ),
        ["/sla/policies/1"],
    ),
    "a policy of a category that is not there": (
        "policy-never-matches",
        policies({"name": "odd", "match": {"category": ["unheard-of"]}}),
        ["/sla/policies/0/match/category"],
    ),
    "a policy of a channel without a connector": (
        "policy-never-matches",
        policies({"name": "odd", "match": {"channel": ["social"]}}),
        ["/sla/policies/0/match/channel"],
    ),
    "a policy of a connector on another channel": (
        "policy-never-matches",
        policies({"name": "odd", "match": {"connector": ["site"], "channel": ["email"]}}),
        ["/sla/policies/0/match/connector"],
    ),
    "a target of a ladder without an address": (
        "untold-target",
        {"sla": {"notify": {"a": {}, "b": {}}, "ladders": {"l": [{"on": "breach", "do": [{"notify": "a"}]}]}}},
        ["/sla/notify/a"],
    ),
    "a last resort without an address": (
        "untold-target",
        {"sla": {"notify": {"pager": {}}, "last_resort": "pager"}},
        ["/sla/notify/pager"],
    ),
    "holidays of named years": (
        "holidays-end",
        {"calendars": {"office": {"always": True, "holidays_of": {"country": "IT", "years": [2026]}}}},
        ["/calendars/office/holidays_of/years"],
    ),
    "a webhook without an address": (
        "unnamed-secret",
        {"webhooks": {"crm": {"secret": "crm"}}},
        ["/webhooks/crm"],
    ),
    "a connector that sends and proves with nothing": (
        "unnamed-secret",
        {
            "connectors": {
                "site": {
                    "channel": "chat",
                    "kind": "json",
                    "verify": {"scheme": "standard-webhooks"},
                    "send": {"kind": "webhook", "url_from": "site-url"},
                }
            }
        },
        ["/connectors/site/send", "/connectors/site/verify"],
    ),
}

SILENT: dict[str, tuple[str, dict[str, Any]]] = {
    "a rule that stops for other messages": (
        "unreachable-rule",
        rules(
            {"when": {"text": "late", "channel": "chat"}, "set": {"tags": ["late"]}, "stop": True},
            {"when": {"text": "late"}, "set": {"tags": ["late"]}},
        ),
    ),
    "a rule that adds a tag or raises the priority": (
        "unreachable-rule",
        rules(
            {"when": {"customer_tier": ["vip"]}, "set": {"tags": ["vip"]}},
            {"when": {"text": "refund|rimborso"}, "set": {"priority": "low"}},
            {"when": {"text": "refund|rimborso"}, "set": {"priority": "high"}},
        ),
    ),
    "a rule that only stops": ("unreachable-rule", rules({"when": {"channel": "chat"}, "stop": True})),
    "a category that the lexicon knows": ("unselected-category", {"classify": {"categories": {"delivery": {}}}}),
    "a category that a connector may name": (
        "unselected-category",
        {"classify": {"categories": {"wishes": {}}}, "connectors": {"site": {"hints": True}}},
    ),
    "a queue that a connector may name": (
        "unreachable-queue",
        {"queues": {"attic": {}}, "connectors": {"site": {"hints": True}}},
    ),
    "queues that overflow into one another": (
        "queue-loop",
        {"queues": {"general": {"overflow": [{"after_seconds": 600, "to": "billing"}]}}},
    ),
    "a skill that relaxation drops in the end": (
        "never-met",
        {"queues": {"billing": {"relax": [{"after_seconds": 60, "drop": ["billing"]}]}}}
        | {"classify": {"categories": {"refund": NOBODY_HAS}}},
    ),
    "a queue whose hours are those of its people": ("shift-without-agent", {}),
    "an agent who relaxation brings in": ("idle-agent", {"agents": {"carla": {"queues": ["general"]}}}),
    "a promise longer than the first relaxation": ("target-before-relaxation", policies(promise(301))),
    "a promise where offers are accepted at once": (
        "target-before-offer",
        policies(promise(20, queue=["general"])) | {"queues": {"general": {"offer": {"auto_accept": True}}}},
    ),
    "a policy that is wider than those above it": (
        "policy-never-matches",
        policies({"name": "narrow", "match": {"channel": ["chat"]}}, {"name": "wide", "match": {}}),
    ),
    "a target with an address": (
        "untold-target",
        {"sla": {"notify": {"pager": {"url_from": "pager-url"}}, "last_resort": "pager"}},
    ),
    "a connector that pulls its replies, proved by its token": (
        "unnamed-secret",
        {"connectors": {"site": {"channel": "chat", "kind": "json"}}},
    ),
    "a webhook with its secrets": ("unnamed-secret", {"webhooks": {"crm": {"url_from": "crm-url", "secret": "crm"}}}),
    "a target that nothing names": ("untold-target", {"sla": {"notify": {"pager": {}}}}),
    "holidays that are moved on": (
        "holidays-end",
        {"calendars": {"office": {"always": True, "holidays_of": {"country": "IT"}}}},
    ),
}
