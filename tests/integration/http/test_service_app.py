"""What every service's application does, whatever its routes are."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, Query
from pydantic import Field

from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.app import Body, service_app
from pointsman.testing.installation import Installation
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key

pytestmark = pytest.mark.stack


@pytest.fixture
def installation(tables: Installation) -> Installation:
    """Nothing here meets a broker."""
    return tables


class Order(Body):
    name: str = Field(max_length=10)
    count: int = 1


@pytest.fixture
async def app(installation: Installation, tmp_path: Path) -> AsyncIterator[FastAPI]:
    settings = with_key(installation.settings, tmp_path).model_copy(update={"body_bytes_max": 10_000})
    async with a_process(settings) as process:
        app = service_app(process, "routing", "A service")

        @app.post("/v1/orders")
        async def order(body: Order, caller: Annotated[Caller, Depends(require("agent"))]) -> dict[str, str]:
            return {"name": body.name, "workspace": caller.workspace}

        @app.get("/v1/orders")
        async def orders(
            caller: Annotated[Caller, Depends(require("agent"))], state: Annotated[str, Query()] = "open"
        ) -> dict[str, str]:
            if state == "broken":
                raise ZeroDivisionError("a mistake of ours")
            return {"state": state}

        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    token = a_token(app.state.process.settings, "agent")
    async with a_client(app, bearer(token)) as client:
        yield client


async def test_an_error_is_a_problem_document_with_the_request_id(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/nothing", headers={"X-Request-Id": "mine-1"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    problem = answer.json()
    assert problem["type"] == "/problems/not-found"
    assert (problem["status"], problem["instance"]) == (404, "mine-1")
    assert answer.headers["x-request-id"] == "mine-1"


async def test_a_trace_is_continued_and_a_strange_one_is_not(client: httpx.AsyncClient) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await client.get("/v1/orders", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert answer.headers["traceparent"].split("-")[1] == trace
    assert answer.headers["traceparent"].split("-")[2] != "00f067aa0ba902b7"
    answer = await client.get("/v1/orders", headers={"traceparent": "00-zz-01"})
    assert len(answer.headers["traceparent"]) == 55


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b"{", 400, None),
        (b"[]", 422, ""),
        (b'{"count": 1}', 422, "/name"),
        (b'{"name": "x", "count": "many"}', 422, "/count"),
        (b'{"name": "much too long a name"}', 422, "/name"),
        (b'{"name": "x", "a/b": 1}', 422, "/a~1b"),
    ],
)
async def test_bad_input_names_its_place(
    client: httpx.AsyncClient, body: bytes, status: int, pointer: str | None
) -> None:
    answer = await client.post("/v1/orders", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert [error["pointer"] for error in answer.json().get("errors", [])] == ([] if pointer is None else [pointer])


async def test_an_unknown_query_parameter_is_an_error(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/orders", params={"sate": "closed"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?sate")
    assert (await client.get("/v1/orders", params={"state": "closed"})).json() == {"state": "closed"}


async def test_a_body_above_the_limit_is_413_announced_or_not(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 1000

    assert (await client.post("/v1/orders", content=b" " * 20_000)).status_code == 413
    answer = await client.post("/v1/orders", content=chunks(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")


async def test_a_mistake_of_ours_is_a_500_without_traceback(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/orders", params={"state": "broken"})
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
    assert "mistake" not in answer.text


async def test_another_method_is_405(client: httpx.AsyncClient) -> None:
    answer = await client.put("/v1/orders", json={})
    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")


async def test_the_operators_routes_are_the_operators(app: FastAPI, client: httpx.AsyncClient) -> None:
    for path in ("/v1/dead-letters", "/v1/facts?subject=x"):
        assert (await client.get(path)).status_code == 403
        operator = bearer(a_token(app.state.process.settings, "operator", "*", "root"))
        answer = await client.get(path, headers=operator)
        assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None})


async def test_each_answer_of_the_document_is_a_problem(app: FastAPI) -> None:
    async with a_client(app) as anybody:
        document = (await anybody.get("/openapi.json")).json()
    answers = document["paths"]["/v1/orders"]["post"]["responses"]
    assert answers["422"]["content"]["application/problem+json"]["schema"]["$ref"].endswith("/ProblemDocument")
    assert {"401", "403", "404", "409", "413", "429", "503"} <= set(answers)
    assert "HTTPValidationError" not in document["components"]["schemas"]
