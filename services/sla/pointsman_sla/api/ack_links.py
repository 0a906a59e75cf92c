"""One-click acknowledgement: the links in notifications.

A link's GET only shows a button, since mail scanners and previews follow links; the button's POST acknowledges. Who has
the link may acknowledge its alert, and nothing else, until the link expires. The table has only digests of the tokens.
"""

from datetime import datetime
from hashlib import sha256
from html import escape
from typing import Annotated, Any
from urllib.parse import parse_qs

import orjson
from fastapi import Path
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pointsman.contracts.alerting import AlertAck
from pointsman.contracts.shapes import Actor
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.limits import traceparent_of
from pointsman.runtime.http.problems import Problem, invalid, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.http.storable import refuse_body, refuse_value
from pointsman_sla.store import queries

COMMENT_CHARACTERS_MAX = 2_000
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
LINK = "SELECT workspace, alert_id, target, expires_at FROM ack_link WHERE token_hash = $1 AND expires_at > $2"

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}}
button,input{{font:inherit;padding:.5rem 1rem}}input{{width:100%;box-sizing:border-box}}</style>
<h1>{title}</h1><p>{text}</p>{form}</html>
"""
FORM = """<form method="post"><p><label>Comment <input name="comment" maxlength="2000"></label></p>
<p><button>Acknowledge</button></p></form>"""

Token = Annotated[str, Path(max_length=200)]

routes = routes_under("/v1/acks", "alerts")


@routes.get("/{token}", response_class=HTMLResponse, responses={404: {"description": "unknown, or expired"}})
async def show(request: Request, token: Token) -> Response:
    """What the link would acknowledge, with a button. Changes nothing."""
    link = await _link(request, token)
    if link is None:
        return _gone(request)
    found = await queries.alert(request.app.state.process.pool, link["workspace"], link["alert_id"])
    if found is None:
        return _gone(request)
    if _wants_json(request):
        return Json(found, headers=HEADERS)
    return _page("Alert", _told(found), FORM if found["state"] in ("firing", "exhausted", "silenced") else "")


@routes.post("/{token}", response_class=HTMLResponse, responses={404: {"description": "unknown, or expired"}})
async def acknowledge(request: Request, token: Token) -> Response:
    """Acknowledges the alert of the link, with the `comment` of the form or of a JSON body. The answer is a page, or
    the alert as JSON to who accepts that."""
    link = await _link(request, token)
    if link is None:
        return _gone(request)
    command = AlertAck(
        actor=Actor(kind="system", id=f"ack-link:{link['target']}"),
        alert_id=link["alert_id"],
        comment=_comment(await request.body(), request.headers.get("content-type", "")),
    )
    try:
        answer = await request.app.state.process.commander.ask(
            command,
            workspace=link["workspace"],
            subject=f"alert:{link['alert_id']}",
            traceparent=traceparent_of(request),
        )
    except Problem as problem:
        if _wants_json(request) or problem.status >= 500:
            raise
        return _page("Not acknowledged", escape(problem.detail), "", 409)
    if _wants_json(request):
        return Json(answer.body, headers=HEADERS)
    return _page("Acknowledged", _told(answer.body), "")


async def _link(request: Request, token: str) -> Any:
    process = request.app.state.process
    return await process.pool.fetchrow(LINK, sha256(token.encode()).digest(), process.clock.now())


def _gone(request: Request) -> Response:
    if _wants_json(request):
        raise not_found("link")
    return _page("This link is not valid", "It has expired, or was never given.", "", 404)


def _page(title: str, text: str, form: str, status: int = 200) -> Response:
    return HTMLResponse(PAGE.format(title=title, text=text, form=form), status, HEADERS)


def _told(alert: dict[str, Any]) -> str:
    since = alert["opened_at"]
    opened = since.isoformat(" ", "seconds") if isinstance(since, datetime) else str(since)
    said = (
        f"{alert['severity']} of policy {alert['policy']} in queue {alert['queue'] or '–'}, "
        f"{alert['clock_count']} clock(s), open since {opened}: {alert['state']}"
    )
    return escape(said) + (f" by {escape(alert['acked_by'])}" if alert["acked_by"] else "")


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _comment(body: bytes, content_type: str) -> str | None:
    """Raises `Problem` for a body that is not what it says, or a comment that is no text."""
    if not body:
        return None
    refuse_body(body)
    try:
        if content_type.startswith("application/json"):
            given = orjson.loads(body)
            comment = given.get("comment") if isinstance(given, dict) else body
        else:
            comment = parse_qs(body.decode(), max_num_fields=10).get("comment", [""])[0].strip() or None
    except ValueError as error:
        raise Problem(400, "invalid-request", f"the body cannot be read: {error}") from error
    if comment is not None and not (isinstance(comment, str) and len(comment) <= COMMENT_CHARACTERS_MAX):
        detail = f"is not a text of at most {COMMENT_CHARACTERS_MAX} characters"
        raise invalid([{"pointer": "/comment", "detail": detail}])
    refuse_value(comment, at=("comment",))
    return comment
