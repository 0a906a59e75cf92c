"""An API process of a test's own: tokens, applications called over ASGI, and real ones on a port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from pointsman.contracts import wire
from pointsman.core.ids import random_id
from pointsman.core.instant import EPOCH
from pointsman.runtime.auth import sign_token
from pointsman.runtime.issuer_keys import IssuerKeys, generate_key_file
from pointsman.runtime.process import ApiProcess, Hub
from pointsman.runtime.sealing import generate_sealing_key
from pointsman.runtime.settings import RuntimeSettings


def with_key(settings: RuntimeSettings, folder: Path) -> RuntimeSettings:
    """The settings with key files of their own in the folder."""
    tokens, secrets = folder / "key.json", folder / "secrets.key"
    if not tokens.exists():
        generate_key_file(tokens)
    if not secrets.exists():
        generate_sealing_key(secrets)
    return settings.model_copy(update={"key_file": tokens, "secrets_key_file": secrets})


def a_token(settings: RuntimeSettings, role: str, workspace: str = "acme", sub: str = "anna", **changes: Any) -> str:
    assert settings.key_file is not None
    given: dict[str, Any] = {"ttl_seconds": 3600, "token_id": random_id("tok", EPOCH)} | changes
    return sign_token(IssuerKeys.read(settings.key_file), role, workspace, sub, **given)


def bearer(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **more}


def a_process(settings: RuntimeSettings, service: str = "routing", hub: Hub | None = None) -> ApiProcess:
    return ApiProcess(settings, service, wire=wire, hub=hub)


@asynccontextmanager
async def a_client(app: Any, headers: dict[str, str] | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application in this process; an exception that leaves the application fails the test."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://test", headers=headers, timeout=30
    ) as client:
        yield client
