"""Every fact of the desk and of sla is an event, or is left out on purpose."""

from pointsman.contracts.events import EVENT_TYPES, UNTOLD_TYPES
from pointsman.contracts.registry import REGISTRY


def test_each_fact_is_an_event_or_left_out_on_purpose() -> None:
    facts = {type for topic in ("desk", "sla") for type in REGISTRY[topic]}
    assert facts - set(EVENT_TYPES) - UNTOLD_TYPES == set()
    assert len(EVENT_TYPES) == len(set(EVENT_TYPES))
