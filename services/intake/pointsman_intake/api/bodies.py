"""Reading a body under a limit, and the caller of a route that FastAPI's dependencies do not serve."""

from collections.abc import Mapping

from starlette.requests import Request

from pointsman.runtime.http.limits import Receive, Scope
from pointsman.runtime.http.problems import Problem

Headers = Mapping[str, str]


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers by lower-case name; of repeated ones the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def media_type(headers: Headers) -> str:
    """The body's media type without parameters, in lower case; JSON when none is named."""
    named = headers.get("content-type", "application/json")
    return named.partition(";")[0].strip().lower() or "application/json"


async def read_body(headers: Headers, receive: Receive, bytes_max: int) -> bytes:
    """The whole body. Raises `Problem` 413 as soon as it is too large."""
    announced = headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced) > bytes_max:
        raise too_large(bytes_max)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts, length = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            if length > bytes_max:
                raise too_large(bytes_max)
        body = b"".join(parts)
    if len(body) > bytes_max:
        raise too_large(bytes_max)
    return body


async def body_of(request: Request, bytes_max: int) -> bytes:
    """`read_body` of a request."""
    return await read_body(request.headers, request.receive, bytes_max)


def too_large(bytes_max: int) -> Problem:
    return Problem(413, "body-too-large", f"a body has at most {bytes_max} bytes here")
