"""Errors as RFC 9457 problem documents.

`type` is `/problems/<code>`, a page of the installation (docs/problems/<code>.md); `title` is the code in words;
`instance` the request id; `errors` say what is wrong with the input: `pointer` is a JSON pointer into the body (RFC
6901), or `?name` for a query parameter, or `header:name`; `line` the line of a YAML body. `detail` says the first of
the errors in words.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from pointsman.runtime.http.json import dump_json

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 100
PATH_SHOWN_MAX = 200

Paths = Sequence[tuple[re.Pattern[str], Sequence[str]]]

HTTP_CODES = {413: "body-too-large", 415: "unsupported-media-type"}


class ProblemError(BaseModel):
    """One thing that is wrong with the input."""

    pointer: str
    detail: str
    line: int | None = None


class ProblemDocument(BaseModel):
    """RFC 9457, as every error of every service looks; further members depend on the type."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemError] | None = None


class Problem(Exception):
    """An answer that is an error. `code` is the slug of its page, `extra` further members of the document.

    The first of the errors is said behind `detail`, in words, unless `detail` says it.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        if errors and str(errors[0]["detail"]) not in detail:
            detail = ": ".join(part for part in (detail, in_words(errors)) if part)
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers, self.extra = tuple(errors), dict(headers or {}), extra

    @classmethod
    def of_refusal(cls, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> "Problem":
        """The problem of a refused command: `{status, code, detail, …extra}` (core.decision.Refusal)."""
        extra = {name: value for name, value in body.items() if name not in ("status", "code", "detail", "errors")}
        return cls(
            int(body["status"]), str(body["code"]), str(body["detail"]), body.get("errors", ()), headers, **extra
        )

    def document(self, request_id: str) -> dict[str, Any]:
        document: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.code.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "instance": request_id,
            **self.extra,
        }
        if self.errors:
            document["errors"] = list(self.errors)
        return document

    def response(self, request_id: str) -> Response:
        return Response(dump_json(self.document(request_id)), self.status, headers=self.headers, media_type=MEDIA_TYPE)


def invalid(errors: Sequence[Mapping[str, Any]], code: str = "invalid-request") -> Problem:
    """422: what is wrong with the input."""
    return Problem(422, code, "", errors)


def in_words(errors: Sequence[Mapping[str, Any]]) -> str:
    """The first error as a person says it, and how many more there are: `customer.email: is no address (line 3)`."""
    first, others = errors[0], len(errors) - 1
    place = _in_words(str(first["pointer"]))
    line = f" (line {first['line']})" if first.get("line") else ""
    more = f"; and {others} more error{'s' if others > 1 else ''}" if others else ""
    return f"{place}{': ' if place else ''}{first['detail']}{line}{more}"


def _in_words(pointer: str) -> str:
    """The place that a pointer names: `customer.email`, `queue`, `the header If-Match`."""
    if pointer.startswith("header:"):
        return f"the header {pointer.removeprefix('header:')}"
    if not pointer.startswith("/"):
        return pointer.removeprefix("?").removeprefix("path:").removeprefix("cookie:")
    return ".".join(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))


def not_found(what: str) -> Problem:
    """404; also the answer for what belongs to another workspace."""
    return Problem(404, "not-found", f"there is no such {what}")


def install(app: FastAPI) -> None:
    """Every error of the app becomes a problem document."""
    app.state.paths, app.state.reading_paths = None, asyncio.Lock()
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


def request_id_of(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", "-"))


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response(request_id_of(request))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in (404, 405):
        return (await _elsewhere(request)).response(request_id_of(request))
    code = HTTP_CODES.get(error.status_code, "bad-request" if error.status_code < 500 else "internal-error")
    problem = Problem(error.status_code, code, str(error.detail), headers=error.headers)
    return problem.response(request_id_of(request))


async def _elsewhere(request: Request) -> Problem:
    """What the router has no answer for: 405 with every method that the path has, else 404."""
    path = str(request.scope["path"])[len(str(request.scope.get("root_path", ""))) :]
    allowed = sorted(
        {method for template, methods in await _paths_of(request.app) if template.match(path) for method in methods}
    )
    if not allowed:
        return Problem(404, "not-found", f"there is nothing at {path[:PATH_SHOWN_MAX]}")
    detail = f"{path[:PATH_SHOWN_MAX]} takes {' and '.join(allowed)}, not {request.method[:PATH_SHOWN_MAX]}"
    return Problem(405, "method-not-allowed", detail, headers={"Allow": ", ".join(allowed)})


async def _paths_of(app: FastAPI) -> Paths:
    """(path, its methods) of everything that the application documents, also of what its router does not know.

    To write the document takes some tenths of a second: once, when somebody asks for what there is not, and beside the
    loop, which has others to answer.
    """
    async with app.state.reading_paths:
        if app.state.paths is None:
            app.state.paths = await run_in_threadpool(_documented, app)
    paths: Paths = app.state.paths
    return paths


def _documented(app: FastAPI) -> Paths:
    paths = app.openapi()["paths"].items()
    return [(compile_path(path)[0], [method.upper() for method in methods]) for path, methods in paths]


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return invalid_request(error.errors()).response(request_id_of(request))


def invalid_request(found: Sequence[Any]) -> Problem:
    """The problem of pydantic's errors: 400 when the body is no JSON at all, else 422."""
    if any(item["type"] == "json_invalid" for item in found):
        reason = found[0].get("ctx", {}).get("error", "")
        return Problem(400, "not-json", f"the body is not JSON: {reason}")
    errors = [{"pointer": _pointer(item["loc"]), "detail": item["msg"]} for item in found[:ERRORS_MAX]]
    return invalid(errors)


def _pointer(place: Sequence[Any]) -> str:
    where, rest = (str(place[0]), place[1:]) if place else ("body", ())
    if where == "query":
        return "?" + ".".join(map(str, rest))
    if where in ("header", "path", "cookie"):
        return f"{where}:" + ".".join(map(str, rest))
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in rest)
