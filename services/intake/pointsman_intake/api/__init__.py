"""Intake's HTTP API, mounted at `/intake`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI

from pointsman.runtime.http.app import service_app
from pointsman.runtime.http.routes import add_routes
from pointsman_intake.api import attachments, customers, email, events, hooks, messages, quarantine, replies
from pointsman_intake.api.post_messages import add_hot_routes
from pointsman_intake.gate import Gate
from pointsman_intake.waking import wake

if TYPE_CHECKING:
    from pointsman.runtime.process import ApiProcess


def create(process: "ApiProcess") -> FastAPI:
    """The application over an open process. Its slot is open during the application's lifespan."""
    gate = Gate(process)
    app = service_app(
        process,
        "intake",
        "Pointsman intake",
        config_version=gate.config_version,
        keeps_secrets=True,
        signing_secret=gate.signing_secret,
        secret_set=wake,
        body_bytes_max=max(gate.settings.batch_bytes_max, gate.settings.email_bytes_max),
    )
    app.state.gate = gate
    for part in (messages, events, email, hooks, replies, quarantine, customers, attachments):
        add_routes(app, part.router)
    add_hot_routes(app, gate)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with gate:
            yield

    app.router.lifespan_context = lifespan
    return app
