"""Routing's HTTP API (API.md). It holds no state: it turns calls into commands, reads tables, and feeds long polls and
streams from the topics."""

from fastapi import FastAPI

from pointsman.runtime.http.app import service_app
from pointsman.runtime.http.routes import add_routes
from pointsman.runtime.process import ApiProcess
from pointsman_routing.api import (
    actions,
    audit,
    bulk,
    config,
    config_check,
    config_entries,
    events,
    moves,
    overview,
    tickets,
    tokens,
    webhooks,
)
from pointsman_routing.api.config_document import config_version_of
from pointsman_routing.api.directory import Directory
from pointsman_routing.api.holidays import HolidayRenewal
from pointsman_routing.api.me import MyRoutes
from pointsman_routing.api.offers import OfferReader
from pointsman_routing.api.renewals import Renewals
from pointsman_routing.api.stream import AgentStream
from pointsman_routing.api.viewing import Viewings
from pointsman_routing.webhooks.waking import wake


def create(process: ApiProcess) -> FastAPI:
    """The application, mounted at `/routing`."""
    app = service_app(
        process,
        "routing",
        "Pointsman routing",
        config_version=lambda workspace: config_version_of(process.pool, workspace),
        keeps_secrets=True,
        signing_secret=lambda workspace, name: webhooks.signs_with(process.pool, workspace, name),
        secret_set=wake,
    )
    renewals = Renewals(process)
    process.start(renewals.run())
    viewings = Viewings(process)
    process.start(viewings.run())
    process.start(HolidayRenewal(process).run())
    offers = OfferReader(process.pool, process.broadcast)
    stream = AgentStream(process, viewings, offers)
    for shared in (MyRoutes(renewals, offers), stream, Directory(process), viewings):
        add_routes(app, shared.router())
    for module in (
        actions,
        moves,
        bulk,
        tickets,
        overview,
        events,
        webhooks,
        audit,
        config,
        config_check,
        config_entries,
        tokens,
    ):
        add_routes(app, module.routes)
    return app
