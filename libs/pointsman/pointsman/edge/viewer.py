"""`/docs`: the services' OpenAPI documents, to be read and tried in a browser.

Swagger UI comes from a wheel: nothing is loaded from elsewhere.
"""

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
    "show.js": "text/javascript",
}
SHOW = """\
SwaggerUIBundle({
  url: document.getElementById("viewer").dataset.document,
  dom_id: "#viewer", deepLinking: true, defaultModelExpandDepth: 3, docExpansion: "list", validatorUrl: null,
});
"""
_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Pointsman: {shown}</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="icon" href="/docs/favicon-32x32.png"></head>
<body><nav style="font-family: sans-serif; padding: 1em">Pointsman's HTTP interface: {links}</nav>
<div id="viewer" data-document="/{shown}/openapi.json"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/show.js"></script></body></html>
"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
}


def viewer_routes(services: Sequence[str]) -> list[Route]:
    """`/docs` shows the first service, `/docs?service=NAME` another."""

    async def page(request: Request) -> Response:
        shown = request.query_params.get("service", services[0])
        if shown not in services:
            return PlainTextResponse(f"there is no service of this name: {', '.join(services)}\n", 404)
        links = " · ".join(f'<a href="/docs?service={escape(name)}">{escape(name)}</a>' for name in services)
        return HTMLResponse(_PAGE.format(shown=shown, links=links), headers=_HEADERS)

    return [Route("/docs", page), Route("/docs/{name}", _asset)]


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in ASSETS:
        return PlainTextResponse("not found\n", 404)
    content = SHOW if name == "show.js" else (files("fastapi_swagger") / "resources" / name).read_bytes()
    headers = {**_HEADERS, "Cache-Control": "max-age=86400"}
    return Response(content, media_type=ASSETS[name], headers=headers)
