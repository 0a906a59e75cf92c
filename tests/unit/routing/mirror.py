"""What readers of the desk's facts believe of each ticket: its state, queue and holder, told by facts alone. After each
decision that is what the desk has, or something changed without a word."""

from typing import Any

from pointsman_routing.desk.state.model import Ticket


class Mirror:
    """Folds facts, as sla and metrics do."""

    def __init__(self) -> None:
        self.state: dict[str, str] = {}
        self.queue: dict[str, str] = {}
        self.agent: dict[str, str | None] = {}

    def hear(self, fact: Any) -> None:
        id = getattr(fact, "ticket_id", None)
        if id is None:
            return
        match fact.type:
            case "ticket.opened":
                self.state[id], self.agent[id] = "queued", None
            case "ticket.classified" | "ticket.moved":
                self.queue[id] = fact.queue
            case "ticket.labelled":
                self.queue[id] = fact.queue or self.queue[id]
            case "ticket.queued":
                self.state[id], self.queue[id], self.agent[id] = "queued", fact.queue, None
            case "offer.made":
                self.state[id], self.queue[id] = "offered", fact.queue
            case "ticket.assigned":
                self.state[id], self.queue[id], self.agent[id] = "assigned", fact.queue, fact.agent
            case "ticket.pended":
                self.state[id], self.agent[id] = "pending", fact.agent
            case "ticket.snoozed":
                self.state[id], self.agent[id] = "snoozed", fact.agent
            case "ticket.transferred":
                self.queue[id], self.agent[id] = fact.to_queue or self.queue[id], None
            case "ticket.resolved":
                self.state[id] = "resolved"
                if fact.wrap_up_until is None:
                    self.agent[id] = None
            case "ticket.wrap_up_finished":
                self.agent[id] = None
            case "ticket.closed":
                self.state[id] = "closed"
                if fact.merged_into is not None:
                    self.agent[id] = None

    def assert_like(self, ticket: Ticket) -> None:
        told = (self.state[ticket.id], self.queue[ticket.id], self.agent[ticket.id])
        assert told == (ticket.state, ticket.queue, ticket.agent), f"{ticket.id} changed without a fact"
