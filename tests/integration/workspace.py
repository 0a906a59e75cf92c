"""One workspace of the running services: anna works there, one customer writes."""

from typing import Any

from pointsman.testing.waiting import until
from tests.integration.services import Services

DOCUMENT: dict[str, Any] = {
    "workspace": "acme",
    "connectors": {"site-chat": {"channel": "chat", "kind": "json"}},
    "agents": {"anna": {"capacity": 9}},
    "sla": {"policies": [{"name": "standard", "targets": {"first_response": {"default": 3600}}}]},
}


class Workspace:
    """One workspace in which anna works and customers write."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._written = 0

    async def call(self, method: str, path: str, role: str = "agent", service: str = "routing", **more: Any) -> Any:
        return await self._services.call(service, method, f"/v1{path}", role, "acme", **more)

    async def get(self, path: str, role: str = "agent", service: str = "routing") -> Any:
        return (await self.call("GET", path, role, service)).json()

    async def open(self, **sections: Any) -> None:
        created = await self._services.call(
            "routing", "PUT", "/v1/config", "operator", "*", json=DOCUMENT | sections, headers={"If-None-Match": "*"}
        )
        assert created.status_code == 200, created.text
        presence = {"session": "s1", "lease_seconds": 600, "state": "available"}
        assert (await self.call("PUT", "/me/presence", json=presence)).status_code == 200

        async def known() -> bool:
            versions = [await self.get("/config-version", service=name) for name in ("intake", "sla", "metrics")]
            return all(version["config_version"] for version in versions)

        await until(known)

    async def write(self, thread: str, text: str = "Hello") -> str:
        """A customer's message; the ticket that it is on."""
        self._written += 1
        message = {"connector": "site-chat", "external_id": f"m{self._written}", "thread": thread, "text": text}
        message |= {"customer": {"handle": "kim"}}  # type: ignore[dict-item]
        posted = await self.call("POST", "/messages", "connector", "intake", json=message)
        assert posted.status_code == 202, posted.text
        return str(posted.json()["ticket_id"])

    async def hold(self, ticket: str) -> None:
        """Anna accepts it."""

        async def offered() -> Any:
            offers = (await self.get("/me/offers"))["items"]
            return [offer for offer in offers if offer["ticket"]["id"] == ticket]

        (offer,) = await until(offered)
        assert (await self.call("POST", f"/offers/{offer['id']}/accept")).status_code == 200

    async def messages(self, ticket: str) -> list[tuple[str, str]]:
        """(the ticket, the text) of each message on the ticket's list."""
        items = (await self.get(f"/tickets/{ticket}/messages"))["items"]
        return [(item["ticket_id"], item["text"]) for item in items]

    async def running(self, ticket: str) -> list[dict[str, Any]]:
        """The response clocks that run."""
        clocks = (await self.get(f"/tickets/{ticket}/clocks", service="sla"))["items"]
        return [clock for clock in clocks if clock["metric"] == "first_response" and clock["state"] == "running"]
