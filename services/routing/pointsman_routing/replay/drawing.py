"""How long things last that were not recorded: another agent's time for a ticket, the patience of who was served.

What is drawn depends on the seed, the replication, the ticket and the agent alone, so that two documents meet the same
draws wherever they ask for the same.
"""

from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b

from pointsman_routing.replay.history import History, Recorded

SAMPLES_MIN = 3
"""So many tickets of an agent and category make a history of their own; else those of the agent, category or all."""


def chance(*parts: str | int) -> float:
    """A number in [0, 1) that is these parts' own."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / 2**53


class HandleTimes:
    """Recorded handle times, by agent and category."""

    def __init__(self, history: History) -> None:
        self._of: dict[tuple[str | None, str | None], list[int]] = defaultdict(list)
        for ticket in history.tickets:
            if ticket.hold_us is not None:
                for agent in (ticket.agent, None):
                    for category in (ticket.category, None):
                        self._of[agent, category].append(ticket.hold_us)

    def draw(self, agent: str, category: str, at: float) -> int:
        """The handle time at a share of the nearest history; 0 when nothing was ever handled."""
        for key in ((agent, category), (agent, None), (None, category), (None, None)):
            times = self._of.get(key, ())
            if len(times) >= SAMPLES_MIN or key == (None, None):
                return times[int(at * len(times))] if times else 0
        raise AssertionError("the last key always answers")


class Looks:
    """How long agents looked at offers that they took."""

    def __init__(self, history: History) -> None:
        self._of: dict[str | None, list[int]] = defaultdict(list)
        for ticket in history.tickets:
            if ticket.look_us is not None:
                self._of[ticket.agent].append(ticket.look_us)
                self._of[None].append(ticket.look_us)

    def draw(self, agent: str, at: float) -> int:
        """One of the agent's, else one of everybody's; 0 when nothing was ever offered."""
        looks = self._of.get(agent) or self._of.get(None)
        return looks[int(at * len(looks))] if looks else 0


class Patience:
    """How long customers of a channel wait before they leave: the product-limit estimate (Kaplan & Meier 1958) from
    those who left and those who were served before they would have."""

    def __init__(self, tickets: Sequence[Recorded]) -> None:
        self._steps: dict[str, list[tuple[int, float]]] = {}
        for channel in sorted({ticket.channel for ticket in tickets}):
            waits = sorted(
                (ticket.waited_us if ticket.left_us is None else ticket.left_us, ticket.left_us is None)
                for ticket in tickets
                if ticket.channel == channel
            )
            at_risk = len(waits)
            steps = self._steps[channel] = []
            for place, (waited_us, stayed) in enumerate(waits):
                if not stayed:
                    steps.append((waited_us, 1 / (at_risk - place)))

    def draw(self, channel: str, beyond_us: int, at: float) -> int | None:
        """When a customer who has waited `beyond_us` will leave, at a share of the chances; None: not at all."""
        surviving = 1.0
        for left_us, hazard in self._steps.get(channel, ()):
            if left_us > beyond_us:
                surviving *= 1 - hazard
                if 1 - surviving > at:
                    return left_us
        return None
