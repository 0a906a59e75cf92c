"""A desk with one agent, who takes one ticket at a time: what it is offered is the order in which it serves."""

from pointsman.contracts.shapes import Priority
from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def one_busy_agent(order: str = "fifo", **queue: object) -> DeskDriver:
    """A desk whose only agent holds a ticket, so that all others wait."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}, {"general": {"order": order, **queue}}))
    driver.assigned("busy")
    return driver


def waits(driver: DeskDriver, ticket: str, priority: Priority = "normal", minutes_later: float = 1) -> None:
    """The ticket comes, and some minutes pass."""
    driver.say(ticket, priority=priority)
    driver.advance(minutes_later * 60)
    driver.presence("anna", None)


def served(driver: DeskDriver, count: int) -> list[str]:
    """The next tickets that the agent is offered."""
    order = []
    for _ in range(count):
        (id,) = [ticket.id for ticket in driver.desk.tickets.values() if ticket.offer]
        order.append(id)
        driver.accept(id)
        driver.resolve(id)
    return order
