"""What authors of connectors and agents' apps import: asynchronous, over plain HTTP, safe to repeat.

```python
async with Session("https://desk.example", token) as session:
    await Connector(session, "site-chat").post(external_id="42", text="Hello", customer={"name": "Ada"})
```
"""

from pointsman.client.agent import Agent, Assignment, Offer
from pointsman.client.connector import Connector, Posted, Quarantined
from pointsman.client.session import ApiError, Session, Unreachable
from pointsman.client.supervisor import Supervisor

__all__ = [
    "Agent",
    "ApiError",
    "Assignment",
    "Connector",
    "Offer",
    "Posted",
    "Quarantined",
    "Session",
    "Supervisor",
    "Unreachable",
]
