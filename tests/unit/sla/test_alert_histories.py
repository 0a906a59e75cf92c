"""Random histories of several tickets, with people who acknowledge, take back and silence: after every decision a clock
that runs past a point is in the open alert of its key, an alert's state is that of its clocks, and a clock that nobody
takes care of has a point of its ladder ahead unless that has ended.

`POINTSMAN_CLOCK_HISTORIES` (150) is three times how many; `make histories` takes more.
"""

import os
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pointsman.contracts import desk
from pointsman.contracts.alerting import AlertAck, AlertUnack, SilenceAdd, SilenceEnd, SilenceMatch
from pointsman.contracts.shapes import Actor
from pointsman_sla.micros import instant
from tests.unit.sla import builders
from tests.unit.sla.builders import ANNA, OFFICE, a_document, a_policy, minute
from tests.unit.sla.soundness_of_alerts import SoundLane
from tests.unit.sla.test_ladders import BREACHES, PAGES

HISTORIES = int(os.environ.get("POINTSMAN_CLOCK_HISTORIES", "150"))
SUE = Actor(kind="supervisor", id="sue")
LIFE_MINUTES = 400
TICKETS = ("tkt_1", "tkt_2", "tkt_3")
LADDERS: tuple[list[dict[str, Any]], ...] = (
    [BREACHES, PAGES],
    [{"on": "warning", "do": [{"notify": "supervisors"}], "unless": "acknowledged"}, PAGES, BREACHES, PAGES],
    [BREACHES],
    [{"on": "breach", "do": [{"relax": "all"}]}],
)
MOVES = (
    *("opened", "opened", "answered", "pended", "woken", "labelled", "to_queue", "resolved", "reopened", "wrote"),
    *("merged", "acknowledged", "acknowledged", "taken_back", "silenced", "unsilenced"),
)


def a_lane(draw: Any) -> SoundLane:
    shared = {
        "calendar": "always",
        "targets": {
            "first_response": {"default": 1800, "urgent": 600},
            "next_response": {"default": 1200},
            "resolution": {"default": 3000, "urgent": 2400},
        },
        "ladder": "up",
        "pause_on": {"resolution": ["customer"]},
    }
    policies = [
        a_policy(**shared, reopen=draw(st.sampled_from(["continue", "restart"]))),
        a_policy(
            **{**shared, "name": "vip", "match": {"tags": ["vip"]}, "ladder": draw(st.sampled_from(["up", None]))}
        ),
    ]
    sla = {
        "policies": policies[::-1],
        "ladders": {"up": draw(st.sampled_from(LADDERS))},
        "notify": {"supervisors": {}, "pager": {}, "last": {}},
        "last_resort": "last",
    }
    return SoundLane(document=a_document(sla=sla, calendars={"office": OFFICE}))


class People:
    """What customers, agents and supervisors do, as far as the desk would let them."""

    def __init__(self, draw: Any, lane: SoundLane) -> None:
        self.draw, self.lane = draw, lane

    def step(self, at: float) -> None:
        getattr(self, self.draw(st.sampled_from(MOVES)))(at)

    def tell(self, at: float, ticket: str, *bodies: Any) -> None:
        self.lane.tell(at, *(body.model_copy(update={"ticket_id": ticket}) for body in bodies))

    def one(self, *, open: bool) -> str | None:
        states = self.lane.state.tickets.items()
        there = [id for id, ticket in states if ticket.open == open and ticket.phase != "closed"]
        return self.draw(st.sampled_from(sorted(there))) if there else None

    def opened(self, at: float) -> None:
        new = [id for id in TICKETS if id not in self.lane.state.tickets]
        if new:
            self.lane.tell(
                at, *builders.opened(at, ticket=new[0], queue=self.draw(st.sampled_from(["general", "fast"])))
            )

    def on_open(self, at: float, *bodies: Any) -> None:
        if ticket := self.one(open=True):
            self.tell(at, ticket, *bodies)

    def answered(self, at: float) -> None:
        self.on_open(at, builders.answered(at))

    def wrote(self, at: float) -> None:
        self.on_open(at, builders.wrote(at))

    def pended(self, at: float) -> None:
        self.on_open(at, builders.pended())

    def woken(self, at: float) -> None:
        self.on_open(at, builders.woken(), builders.queued())

    def labelled(self, at: float) -> None:
        tags = self.draw(st.sampled_from([(), ("vip",)]))
        self.on_open(at, builders.labelled(self.draw(st.sampled_from(["normal", "urgent"])), tags=tags))

    def to_queue(self, at: float) -> None:
        queue = self.draw(st.sampled_from(["general", "fast"]))
        moved = desk.TicketTransferred(ticket_id="", to_queue=queue, reason="theirs", by=ANNA)
        self.on_open(at, moved, builders.queued(queue, "transferred"))

    def resolved(self, at: float) -> None:
        self.on_open(at, builders.resolved(self.draw(st.sampled_from(["solved", "spam"]))))

    def reopened(self, at: float) -> None:
        if ticket := self.one(open=False):
            queue = self.lane.state.tickets[ticket].labels.queue
            self.tell(at, ticket, builders.reopened(), builders.queued(queue or "general", "reopened"))

    def merged(self, at: float) -> None:
        there = sorted(id for id, ticket in self.lane.state.tickets.items() if ticket.open)
        if len(there) > 1:
            source, into = self.draw(st.permutations(there))[:2]
            asked = self.lane.state.tickets[source].unanswered
            said: dict[str, Any] = {
                "unanswered_since": instant(asked[0]) if asked else None,
                "reason": "same",
                "by": ANNA,
            }
            ends = desk.TicketMerged(ticket_id=source, into=into, **said)
            self.lane.tell(at, ends, desk.TicketClosed(ticket_id=source, reason="merged", merged_into=into))
            self.lane.tell(at, desk.TicketMerged(ticket_id=into, source=source, **said))

    def an_alert(self) -> str | None:
        there = sorted(self.lane.state.alerts.open)
        return self.draw(st.sampled_from(there)) if there else None

    def acknowledged(self, at: float) -> None:
        if alert := self.an_alert():
            seconds = self.draw(st.sampled_from([None, 60, 600, 1800]))
            self.lane.ask(at, AlertAck(actor=SUE, alert_id=alert, for_seconds=seconds))

    def taken_back(self, at: float) -> None:
        if alert := self.an_alert():
            self.lane.ask(at, AlertUnack(actor=SUE, alert_id=alert))

    def silenced(self, at: float) -> None:
        until = minute(at + self.draw(st.integers(1, 60)))
        self.lane.ask(at, SilenceAdd(actor=SUE, match=SilenceMatch(), until=until, reason="a change of hardware"))

    def unsilenced(self, at: float) -> None:
        for id in sorted(self.lane.state.silences.active)[:1]:
            self.lane.ask(at, SilenceEnd(actor=SUE, silence_id=id))


@given(st.data())
@settings(
    max_examples=HISTORIES // 3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
def test_what_runs_past_a_point_is_in_an_alert_that_says_how_things_stand(data: st.DataObject) -> None:
    lane = a_lane(data.draw)
    people = People(data.draw, lane)
    # Several things at one minute are several things at one instant.
    for at in sorted(data.draw(st.lists(st.integers(0, LIFE_MINUTES), min_size=8, max_size=30))):
        people.step(at)
    lane.run_to(LIFE_MINUTES + 120)
    # Each (step, repetition) of a clock is carried out at most once, however often it was put aside.
    done = Counter(
        (fact.clock_id, fact.ladder, fact.step, fact.repetition, fact.severity)
        for fact in lane.of("clock.escalated")
        if fact.withheld != "acknowledged"
    )
    corrected = {fact.clock_id for fact in lane.of("clock.corrected")}
    assert {each: count for each, count in done.items() if count > 1 and each[0] not in corrected} == {}
