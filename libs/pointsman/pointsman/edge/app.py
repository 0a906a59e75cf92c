"""The services' apps, opened in order and mounted under one origin."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import EntryPoint, entry_points

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import Receive, Scope, Send

from pointsman.contracts import wire
from pointsman.edge.problem_pages import ProblemPages
from pointsman.edge.settings import EdgeSettings
from pointsman.edge.viewer import viewer_routes
from pointsman.runtime.http.limits import CallLayer
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.ops import healthz, readiness
from pointsman.runtime.process import ApiProcess, Hub


class UnknownService(ValueError):
    """`edge_services` names a service that is not installed: which, in one line."""


def served_apps(settings: EdgeSettings) -> Iterator[EntryPoint]:
    """The entry points of the apps to serve, by name. Raises `UnknownService`."""
    installed = {entry.name: entry for entry in entry_points(group="pointsman.apps")}
    wanted = [name.strip() for name in settings.edge_services.split(",") if name.strip()] or sorted(installed)
    for name in wanted:
        if name not in installed:
            raise UnknownService(f"the service {name!r} is not installed: {', '.join(sorted(installed))}")
        yield installed[name]


@asynccontextmanager
async def edge_app(settings: EdgeSettings, hub: Hub) -> AsyncIterator[tuple[Router, dict[str, ApiProcess]]]:
    """The one app, with every service's process open; closed in reverse order. The hub is open already.

    Whatever a service runs beside its calls is its app's lifespan, which is entered here: a mounted app's is not.
    """
    async with AsyncExitStack() as stack:
        processes: dict[str, ApiProcess] = {}
        mounts = []
        for entry in served_apps(settings):
            process = await stack.enter_async_context(ApiProcess(settings, entry.name, wire=wire, hub=hub))
            app = entry.load()(process)
            await stack.enter_async_context(app.router.lifespan_context(app))
            processes[entry.name] = process
            mounts.append(Mount(f"/{entry.name}", app))

        async def readyz(_: Request) -> Response:
            return readiness(unready(processes), remarks(processes))

        async def index(_: Request) -> Response:
            return JSONResponse({"services": {name: f"/{name}/openapi.json" for name in processes}, "docs": "/docs"})

        routes = [
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/", index),
            Route("/problems/{code}", ProblemPages(settings.edge_problem_pages).__call__),
            *viewer_routes(list(processes)),
            *mounts,
        ]
        # Paths of no service are answered like any call: with its ids, as a problem.
        nothing_here = CallLayer(
            _nothing_here, service="edge", body_bytes_max=settings.body_bytes_max, admission=hub.admission
        )
        yield Router(routes, redirect_slashes=False, default=nothing_here), processes


def unready(processes: dict[str, ApiProcess]) -> str | None:
    """Why the process cannot serve now; None when it can."""
    return next((why for process in processes.values() if (why := process.unready()) is not None), None)


def remarks(processes: dict[str, ApiProcess]) -> list[str]:
    """Which processes of the services are restarted again and again, and which upgrade is not finished. The edge itself
    can serve meanwhile: a worker that is away delays only its own answers."""
    return [f"{name}: {line}" for name, process in processes.items() for line in process.database.remarks()]


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    raise Problem(404, "not-found", "no service has this path")
