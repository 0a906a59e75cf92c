"""The routes of a service: each refuses what every route refuses, and documents what every route may answer."""

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request

from pointsman.runtime.http.problems import MEDIA_TYPE, Problem, invalid
from pointsman.runtime.http.storable import refuse_unstorable

if TYPE_CHECKING:
    from pointsman.runtime.process import ApiProcess

_MEANINGS = {
    400: "The call is malformed: no JSON, or an operator named no workspace.",
    401: "The token is absent, expired, revoked or not of this installation.",
    403: "The token's role does not allow it.",
    404: "There is no such thing in this workspace.",
    405: "The path has other methods.",
    409: "It conflicts with the state of things, or the same call is still running.",
    412: "`If-Match` names another version than the current one.",
    413: "The body is too large.",
    415: "The body's media type is not one of those that are read here.",
    422: "The input has errors, or an idempotency key was used with another body.",
    428: "`If-Match` is required.",
    429: "Too many calls with this token or from this address, or too many at once.",
    503: "Not applied, and safe to retry.",
}


async def refuse_without_database(request: Request) -> None:
    """503 at once while the database does not answer: what waited for it would only wait longer."""
    process: ApiProcess = request.app.state.process
    if process.database.away:
        detail = "the database is out of reach; repeat the call, with its Idempotency-Key if it had one"
        raise Problem(503, "unavailable", detail, headers={"Retry-After": "2"})


async def _known_parameters(request: Request) -> None:
    """Refuses query parameters that the route does not know: a misspelt filter must not answer everything."""
    if not request.scope["query_string"]:
        return
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    read: dict[int, frozenset[str]] = request.app.state.known_parameters
    known = read.get(id(route))
    if known is None:
        known = read[id(route)] = _parameters_of(route)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        errors = [{"pointer": f"?{name}", "detail": "unknown parameter"} for name in unknown]
        raise invalid(errors)


def _parameters_of(route: APIRoute) -> frozenset[str]:
    names: set[str] = set()
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        names.update(field.alias for field in dependant.query_params)
        waiting.extend(dependant.dependencies)
    return frozenset(names)


DEPENDENCIES: Final = (Depends(refuse_without_database), Depends(refuse_unstorable), Depends(_known_parameters))
"""What every route refuses, in this order, before it reads the call."""

_PROBLEM = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": meaning, "content": {MEDIA_TYPE: _PROBLEM}} for status, meaning in _MEANINGS.items()
}
"""What every route may answer besides what it is for."""


def routes_under(path: str, *tags: str) -> APIRouter:
    """No routes yet; their paths will start with `path`, and the documents group them by `tags`."""
    return APIRouter(prefix=path, tags=list(tags), dependencies=DEPENDENCIES, responses=ANSWERS)


def add_routes(app: FastAPI, *routers: APIRouter) -> None:
    """Adds routes that `routes_under` began, as they are.

    FastAPI's `include_router` would read the signature of each once more for every application, and look at each twice
    for every call.
    """
    for router in routers:
        app.router.routes.extend(router.routes)
