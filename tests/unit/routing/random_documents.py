"""Random workspace documents for histories of the desk: four agents, three queues, three channels."""

from typing import Any

from hypothesis import strategies as st

from tests.unit.routing.desk_driver import a_workspace

AGENTS = ("anna", "boris", "carla", "dora")
CHANNELS = ("email", "chat", "social")
SKILLS = ("billing", "italian")
QUEUES = ("general", "billing", "night")
NAMES = (*QUEUES, "invoices", "dusk")


def within_capacity(agent: dict[str, Any]) -> dict[str, Any]:
    """No more reserved than the agent's capacity, which the document refuses."""
    reserved = agent.get("reserve", {}).get("chat", 0)
    return {**agent, "reserve": {"chat": min(agent["capacity"], reserved)}}


places = st.fixed_dictionaries({"rank": st.integers(1, 2)}, optional={"after_seconds": st.sampled_from([10, 40])})
levels = st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 3), max_size=2)
agents = st.fixed_dictionaries(
    {"capacity": st.integers(1, 4), "skills": levels},
    optional={
        "caps": st.fixed_dictionaries({"chat": st.integers(0, 2)}),
        "reserve": st.fixed_dictionaries({"chat": st.integers(0, 2)}),
        "queues": st.dictionaries(st.sampled_from(QUEUES), places, min_size=1),
    },
).map(within_capacity)
shut = st.fixed_dictionaries(
    {"then": st.sampled_from(["hold", "hold", "resolve", {"to": "night"}])},
    optional={"reply": st.just("sorry")},
)
relaxations = st.fixed_dictionaries(
    {"after_seconds": st.sampled_from([0, 15, 35])},
    optional={
        "drop_language": st.just(True),
        "drop": st.lists(st.sampled_from(SKILLS), max_size=1),
        "lower": st.dictionaries(st.sampled_from(SKILLS), st.just(1), max_size=1),
    },
)


def queues(other: str) -> st.SearchStrategy[dict[str, Any]]:
    """A queue that overflows to the other."""
    return st.fixed_dictionaries(
        {
            "order": st.sampled_from(["fifo", "priority", "strict", "urgency", "urgency", "accumulating"]),
            "offer": st.fixed_dictionaries(
                {"timeout_seconds": st.sampled_from([20, 40]), "offers_max": st.integers(1, 3)},
                optional={
                    "auto_accept": st.booleans(),
                    "retry_seconds": st.sampled_from([0, 15, 60]),
                    "then": st.sampled_from([{"to": "general"}, {"to": "billing"}]),
                },
            ),
        },
        optional={
            "choice": st.sampled_from(["longest_idle", "least_loaded", "best_skilled", "round_robin"]),
            "relax": st.lists(relaxations, max_size=2),
            "overflow": st.lists(
                st.fixed_dictionaries({"after_seconds": st.sampled_from([15, 50]), "to": st.just(other)}),
                max_size=2,
            ),
            "late": st.sampled_from(["first", *({"share": share} for share in (0, 0.15, 0.4, 0.5, 1))]),
            "wait_target_seconds": st.sampled_from([10, 45, 3600]),
            "hours": st.just("office"),
            "closed": shut,
            "max_waiting": st.integers(0, 2),
            "full": shut,
            "pull": st.booleans(),
        },
    )


documents = st.builds(
    lambda agents, general, billing, weight, holds: a_workspace(
        dict(zip(AGENTS, agents, strict=True)),
        {"general": general, "billing": billing, "night": {"hours": "office"}},
        calendars={"office": {"tz": "UTC", "week": {"mon": [["11:00", "12:01"], ["12:03", "12:10"]]}}},
        replies={"sorry": {"en": "Sorry."}},
        skills=list(SKILLS),
        channels={
            "chat": {"weight": weight, "pending_holds": holds, "abandons_after_seconds": 25, "affinity_seconds": 30},
            "email": {"affinity_seconds": 60},
        },
        languages=["it", "en"],
        classify={"language_skill": "italian", "categories": {"heavy": {"weight": 2}, "none": {"weight": 0}}},
        presence={"grace_seconds": 30, "gone": {"email": {"requeue": "on_warning", "at_latest_seconds": 90}}},
        tickets={"reopen_seconds": 100, "close_after_seconds": 150, "pending_resolves_after_seconds": 120},
    ),
    st.lists(agents, min_size=len(AGENTS), max_size=len(AGENTS)),
    queues("billing"),
    queues("general"),
    st.integers(1, 2),
    st.booleans(),
)
