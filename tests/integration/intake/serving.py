"""Intake's API in the test's process, over a workspace with connectors of every kind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pointsman.core.instant import EPOCH
from pointsman.runtime.process import ApiProcess, Hub
from pointsman.runtime.settings import RuntimeSettings
from pointsman.testing.installation import Installation
from pointsman_intake.api import create
from pointsman_intake.connectors import store_version
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key

CONNECTORS: dict[str, Any] = {
    "site-chat": {"channel": "chat", "kind": "json", "hints": True},
    "plain": {"channel": "social", "kind": "json", "verify": {"scheme": "standard-webhooks", "secret": "plain"}},
    "pushed": {"channel": "chat", "kind": "json", "send": {"kind": "webhook", "url_from": "url", "secret": "sign"}},
    "mailbox": {"channel": "email", "kind": "smtp", "addresses": ["help@acme.example"]},
    "slack": {"channel": "chat", "kind": "slack", "verify": {"scheme": "slack-v0", "secret": "acme-slack"}},
    "facebook": {
        "channel": "social",
        "kind": "meta",
        "verify": {"scheme": "x-hub-signature-256", "secret": "acme-meta", "challenge_secret": "acme-verify"},
    },
    "unproved": {"channel": "social", "kind": "meta"},
}
SECRETS = {
    "acme-slack": "slack-secret",
    "acme-meta": "meta-secret",
    "acme-verify": "verify-me",
    "plain": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "sign": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


async def configure(installation: Installation, workspace: str = "acme", version: int = 1, **changes: Any) -> None:
    """What the worker writes when it hears `config.applied`."""
    connection = await installation.connect("intake")
    async with connection.transaction():
        await store_version(
            connection, workspace, version, {"connectors": CONNECTORS | changes, "agents": {"anna": {}}}, EPOCH
        )
    await connection.close()


def put_secrets(folder: Path, workspace: str = "acme", **more: str) -> None:
    for name, value in (SECRETS | {name.replace("_", "-"): value for name, value in more.items()}).items():
        path = folder / workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value + "\n")


@dataclass
class Api:
    """A running application and how to call it."""

    settings: RuntimeSettings
    process: ApiProcess
    client: httpx.AsyncClient

    def headers(self, role: str = "connector", sub: str = "site-chat", workspace: str = "acme") -> dict[str, str]:
        return bearer(a_token(self.settings, role, workspace, sub))

    async def post(self, path: str, sub: str = "site-chat", **call: Any) -> httpx.Response:
        headers = self.headers(sub=sub) | call.pop("headers", {})
        return await self.client.post(path, headers=headers, **call)

    async def get(self, path: str, role: str = "supervisor", sub: str = "vera", **call: Any) -> httpx.Response:
        return await self.client.get(path, headers=self.headers(role, sub), **call)


@asynccontextmanager
async def an_api(settings: RuntimeSettings, folder: Path, hub: Hub | None = None) -> AsyncIterator[Api]:
    """One API process; several may run on one installation."""
    settings = with_key(settings, folder).model_copy(update={"secrets_folder": folder / "secrets"})
    async with a_process(settings, "intake", hub) as process:
        app = create(process)
        async with app.router.lifespan_context(app), a_client(app) as client:
            yield Api(settings, process, client)
