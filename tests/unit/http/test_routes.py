"""Routes refuse and document what every route does, whichever router they were put on."""

import json
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from pointsman.runtime.http.routes import ANSWERS, DEPENDENCIES, add_routes, routes_under

OPENAPI = Path(__file__).parents[3] / "docs" / "openapi"
ANSWERED_BEFORE_THE_ROUTER = {"/v1/messages", "/v1/messages:batch"}


def test_every_operation_documents_what_every_route_may_answer() -> None:
    bare = []
    for document in OPENAPI.glob("*.json"):
        for path, operations in json.loads(document.read_bytes())["paths"].items():
            for method, operation in operations.items():
                hot = method == "post" and path in ANSWERED_BEFORE_THE_ROUTER
                if not hot and not {str(status) for status in ANSWERS} <= operation["responses"].keys():
                    bare.append((document.stem, method, path))
    assert bare == []


def test_what_documents_it_refuses_it_too() -> None:
    routes = routes_under("/v1", "orders")
    routes.add_api_route("/orders", lambda: None)
    app = FastAPI()
    add_routes(app, routes)
    route = next(route for route in app.routes if isinstance(route, APIRoute))
    assert (route.path, route.tags) == ("/v1/orders", ["orders"])
    assert tuple(route.dependencies) == DEPENDENCIES
    assert route.responses.keys() == ANSWERS.keys()


def test_routes_are_shared_by_the_applications_that_have_them() -> None:
    routes: APIRouter = routes_under("/v1")
    routes.add_api_route("/orders", lambda: None)
    one, other = FastAPI(), FastAPI()
    add_routes(one, routes)
    add_routes(other, routes)
    assert one.routes[-1] is other.routes[-1]
