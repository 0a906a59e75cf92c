"""Errors as RFC 9457 problem documents.

`type` is `/problems/<code>`, a page of the installation (docs/problems/<code>.md); `title` is the code in words;
`instance` the request id; `errors` say what is wrong with the input: `pointer` is a JSON pointer into the body (RFC
6901), or `?name` for a query parameter, or `header:name`; `line` the line of a YAML body.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pointsman.runtime.http.json import dump_json

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 100

HTTP_CODES = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 415: "unsupported-media-type"}


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
    """An answer that is an error. `code` is the slug of its page, `extra` further members of the document."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
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


def not_found(what: str) -> Problem:
    """404; also the answer for what belongs to another workspace."""
    return Problem(404, "not-found", f"there is no such {what}")


def install(app: FastAPI) -> None:
    """Every error of the app becomes a problem document."""
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
    code = HTTP_CODES.get(error.status_code, "bad-request" if error.status_code < 500 else "internal-error")
    problem = Problem(error.status_code, code, str(error.detail), headers=error.headers)
    return problem.response(request_id_of(request))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return invalid_request(error.errors()).response(request_id_of(request))


def invalid_request(found: Sequence[Any]) -> Problem:
    """The problem of pydantic's errors: 400 when the body is no JSON at all, else 422."""
    if any(item["type"] == "json_invalid" for item in found):
        reason = found[0].get("ctx", {}).get("error", "")
        return Problem(400, "not-json", f"the body is not JSON: {reason}")
    errors = [{"pointer": _pointer(item["loc"]), "detail": item["msg"]} for item in found[:ERRORS_MAX]]
    return Problem(422, "invalid-request", "the request has errors", errors)


def _pointer(place: Sequence[Any]) -> str:
    where, rest = (str(place[0]), place[1:]) if place else ("body", ())
    if where == "query":
        return "?" + ".".join(map(str, rest))
    if where in ("header", "path", "cookie"):
        return f"{where}:" + ".".join(map(str, rest))
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in rest)
