"""Changes of a workspace document that tests make."""

from typing import Any


def without_queue(document: dict[str, Any], old: str, to: str, *, renamed: bool = False) -> dict[str, Any]:
    """The document without the queue: what named it names the other, the same under a new name if `renamed`."""
    queues = {}
    for slug, queue in document["queues"].items():
        if slug != old:
            queues[slug] = _elsewhere(slug, queue, old, to)
        elif renamed:
            queues[to] = _elsewhere(to, queue, old, to)
    return {
        **document,
        "queues": queues,
        "agents": {slug: _agent(agent, old, to) for slug, agent in document["agents"].items()},
    }


def _elsewhere(slug: str, queue: dict[str, Any], old: str, to: str) -> dict[str, Any]:
    """What sends tickets to the old queue sends them to the other; nothing sends them to itself."""
    queue = dict(queue)
    if "overflow" in queue:
        steps = [{**step, "to": to if step["to"] == old else step["to"]} for step in queue["overflow"]]
        queue["overflow"] = [step for step in steps if step["to"] != slug]
    for rule in ("closed", "full"):
        then = queue.get(rule, {}).get("then")
        if isinstance(then, dict) and then["to"] == old:
            queue[rule] = {**queue[rule], "then": "hold" if to == slug else {"to": to}}
    then = queue.get("offer", {}).get("then")
    if then is not None and then.get("to") == old:
        queue["offer"] = {**queue["offer"], "then": {**then, "to": to}}
    return queue


def _agent(agent: dict[str, Any], old: str, to: str) -> dict[str, Any]:
    places = agent.get("queues")
    if places is None or old not in places:
        return agent
    others = {queue: place for queue, place in places.items() if queue != old}
    return {**agent, "queues": {to: places[old], **others}}
