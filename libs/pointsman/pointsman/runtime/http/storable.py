"""No call brings a text that cannot be kept (core.storable) further than here: 422, with a pointer to each.

`refuse_unstorable` looks at every path, query, header and JSON body of every route of every service; routes that read
their body themselves give it to `refuse_body` or `refuse_value`. Raw bytes that are evidence (mail, files, what
providers send to hooks) are no texts yet: who reads them makes texts that can be kept.
"""

import json
import re
from itertools import islice
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from pointsman.core.storable import Path, mended, unstorable, why_unstorable
from pointsman.runtime.http.problems import ERRORS_MAX, Problem, invalid

_NO_UTF8 = "is not UTF-8"
_ENCODED = re.compile(rb"\xed[\xa0-\xbf]")
_ESCAPED = re.compile(
    rb"""
    \\u0000                                                             # NUL
    | \\u[dD][89abAB][0-9a-fA-F]{2} (?!\\u[dD][c-fC-F][0-9a-fA-F]{2})    # a first half without a second
    | (?<!\\u[dD][89abAB][0-9a-fA-F]{2}) \\u[dD][c-fC-F][0-9a-fA-F]{2}   # a second half without a first
    | \\\\u[dD][89abAB]                                                  # an escaped backslash: it may be either
    """,
    re.VERBOSE,
)


async def refuse_unstorable(request: Request) -> None:
    """A dependency of every route. Raises `Problem` 422 with a pointer to each text that cannot be kept."""
    errors = [{"pointer": pointer, "detail": why} for pointer, why in _in_address(request)]
    for name, value in request.scope["headers"]:
        if b"\0" in value:
            errors.append({"pointer": f"header:{name.decode('latin-1')}", "detail": str(why_unstorable("\0"))})
    if errors:
        raise _refused(errors)
    given = getattr(request, "_json", None)  # Starlette's own: what FastAPI parsed for the route before this
    if given is not None:
        refuse_value(given)


def refuse_value(value: Any, at: Path = ()) -> None:
    """Raises `Problem` 422 when a JSON value, found at a path of the body, has something that cannot be kept."""
    found = list(islice(unstorable(value), ERRORS_MAX))
    if found:
        raise _refused([{"pointer": _pointer((*at, *path)), "detail": why} for path, why in found])


def may_be_unstorable(body: bytes) -> bool:
    """Whether a JSON text has to be looked at closely: it may have a text that cannot be kept. Costs next to nothing.

    Its parsers (orjson, pydantic) call half a character no JSON at all, without saying where it is.
    """
    return (
        b"\0" in body
        or (b"\\u" in body and _ESCAPED.search(body) is not None)
        or (b"\xed" in body and _ENCODED.search(body) is not None)
    )


def refuse_body(body: bytes) -> None:
    """Raises `Problem` 422 when a JSON text has texts that cannot be kept. What is no JSON is left to its parser."""
    if may_be_unstorable(body):
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return
        refuse_value(value)


def _in_address(request: Request) -> list[tuple[str, str]]:
    """(pointer, why) for each part of the path and the query that cannot be kept."""
    scope = request.scope
    found = []
    path, query = scope["path"], scope["query_string"]
    if "\0" in path or "\ufffd" in path:
        broken = _broken(scope.get("raw_path", b""))
        for name, value in request.path_params.items():
            if (why := _why(str(value), broken)) is not None:
                found.append((f"path:{name}", why))
    if b"%" in query or not query.isascii() or b"\0" in query:
        broken = _broken(query)
        for name, value in request.query_params.multi_items():
            if (why := _why(name, broken) or _why(value, broken)) is not None:
                found.append((f"?{mended(name)}", why))
    return found


def _why(text: str, broken: bool) -> str | None:
    return _NO_UTF8 if broken and "\ufffd" in text else why_unstorable(text)


def _broken(quoted: bytes) -> bool:
    """Whether the bytes of a path or query are no UTF-8: what they were decoded to has U+FFFD in their place."""
    try:
        unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError:
        return True
    return False


def _refused(errors: list[dict[str, str]]) -> Problem:
    return invalid(errors)


def _pointer(path: Path) -> str:
    return "".join("/" + mended(str(step)).replace("~", "~0").replace("/", "~1") for step in path)
