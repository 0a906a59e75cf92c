"""A subscriber of the broadcast: bounded, told when it may have missed something; and how events are written."""

import pytest

from pointsman.contracts import wire
from pointsman.core.envelope import Arrived
from pointsman.runtime.broadcast import RESET, Heard, Subscription
from pointsman.runtime.http.streams import StreamEvent, encode_event


def heard(number: int, types: str = "offer.made") -> Heard:
    headers = (("ce_number", str(number).encode()), ("facts", types.encode()), ("agents", b"anna,boris"))
    record = Arrived("desk", 0, number, 0, b"acme", b'{"facts": [{"type": "offer.made"}]}', headers)
    return Heard("desk", record, dict(headers), wire)


async def test_what_was_offered_comes_in_order() -> None:
    subscription = Subscription(None, 10)
    for number in (1, 2):
        subscription.offer(heard(number))
    first, second = await anext(subscription), await anext(subscription)
    assert isinstance(first, Heard)
    assert isinstance(second, Heard)
    assert (first.number, second.number) == (1, 2)
    assert first.agents == ["anna", "boris"]
    assert first.facts == [{"type": "offer.made"}]


async def test_types_that_nobody_asked_for_are_skipped() -> None:
    subscription = Subscription(frozenset({"offer.made"}), 10)
    subscription.offer(heard(1, "ticket.noted"))
    assert not await subscription.wait(0)
    subscription.offer(heard(2, "ticket.noted,offer.made"))
    assert await subscription.wait(0)


async def test_a_subscriber_that_is_too_slow_is_reset_and_goes_on() -> None:
    subscription = Subscription(None, 2)
    for number in range(1, 4):
        subscription.offer(heard(number))
    assert await anext(subscription) is RESET
    subscription.offer(heard(4))
    following = await anext(subscription)
    assert isinstance(following, Heard)
    assert following.number == 4


async def test_waiting_ends_when_the_time_is_up() -> None:
    assert not await Subscription(None, 2).wait(0.01)


@pytest.mark.parametrize(
    ("event", "frame"),
    [
        (StreamEvent("hello", {"now": 1}, "a.1"), b'event: hello\nid: a.1\ndata: {"now":1}\n\n'),
        (StreamEvent("note", {"text": "two\nlines"}), b'event: note\ndata: {"text":"two\\nlines"}\n\n'),
    ],
)
def test_an_event_is_one_frame(event: StreamEvent, frame: bytes) -> None:
    assert encode_event(event) == frame
