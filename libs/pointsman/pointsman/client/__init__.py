"""What authors of connectors and agents' apps import: asynchronous, typed, over plain HTTP, safe to repeat.

```python
async with Session("https://desk.example", token) as session:
    agent = Agent(session)
    async with agent.on_duty():
        async for offer in agent.offers():
            await agent.accept(offer.id)
```

Each call is repeated as long as is reasonable, with the same idempotency key; iterators go on behind what they brought.
"""

from pointsman.client.agent import Agent
from pointsman.client.connector import Connector
from pointsman.client.duty import Duty
from pointsman.client.events import EventPage, event_pages
from pointsman.client.session import ApiError, Download, Session, Unreachable
from pointsman.client.shapes import (
    Event,
    Message,
    Notice,
    Offer,
    Posted,
    Presence,
    Quarantined,
    Reply,
    Ticket,
)
from pointsman.client.supervisor import Supervisor

__all__ = [
    "Agent",
    "ApiError",
    "Connector",
    "Download",
    "Duty",
    "Event",
    "EventPage",
    "Message",
    "Notice",
    "Offer",
    "Posted",
    "Presence",
    "Quarantined",
    "Reply",
    "Session",
    "Supervisor",
    "Ticket",
    "Unreachable",
    "event_pages",
]
