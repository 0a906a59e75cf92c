"""Sla's HTTP API (API.md), mounted at `/sla`. It reads tables and asks the worker; it holds no state."""

from fastapi import FastAPI

from pointsman.runtime.http.app import service_app
from pointsman.runtime.http.routes import add_routes
from pointsman.runtime.process import ApiProcess
from pointsman_sla.api import ack_links, alerts, clocks, notifications, recompute
from pointsman_sla.api.predictions import Predictions
from pointsman_sla.notify.waking import wake
from pointsman_sla.store import queries


def create(process: ApiProcess) -> FastAPI:
    """The application."""
    app = service_app(
        process,
        "sla",
        "Pointsman sla",
        config_version=lambda workspace: queries.newest_version(process.pool, workspace),
        keeps_secrets=True,
        secret_set=wake,
    )
    add_routes(app, *(part.routes for part in (clocks, alerts, ack_links, recompute, notifications)))
    app.state.predictions = Predictions(process)
    return app
