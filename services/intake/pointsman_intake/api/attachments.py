"""Attachments: bytes put aside, named by an id in messages and replies."""

import re
from dataclasses import replace
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pointsman.core.ids import digest_of, random_id
from pointsman.runtime.auth import Caller
from pointsman.runtime.http.idempotency import IdempotencyKey
from pointsman.runtime.http.problems import Problem, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman_intake.api import forms
from pointsman_intake.api.bodies import too_large
from pointsman_intake.api.callers import ConnectorOrAgent, gate_of, seen_by
from pointsman_intake.api.idempotency import once
from pointsman_intake.file_names import disposition
from pointsman_intake.gate import Gate

router = routes_under("/v1/attachments", "attachments")

_PUT = """
INSERT INTO attachment (workspace, id, connector, name, content_type, size, sha256, content, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_GET = """
SELECT name, content_type, content, state, reason, EXISTS (
    SELECT FROM message said JOIN message deletion
        ON deletion.workspace = said.workspace AND deletion.connector = said.connector
       AND deletion.deletes IN (said.external_id, said.body ->> 'replaces')
    WHERE said.id = attachment.message_id) AS deleted
FROM attachment
WHERE workspace = $1 AND id = $2 AND ($3::text IS NULL OR connector = $3 OR EXISTS (
    SELECT FROM carried c WHERE c.workspace = $1 AND c.attachment_id = $2 AND c.connector = $3))
"""
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")


class AttachmentOut(BaseModel):
    """Where the bytes are kept."""

    attachment_id: str
    name: str | None
    content_type: str
    size: int
    sha256: str


_FILE = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "additionalProperties": False,
        "properties": {
            "file": {
                "type": "string",
                "format": "binary",
                "description": "The file, under any field with a file name.",
            },
            "name": {"type": "string", "description": "Its name, where it is another than the form says."},
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=AttachmentOut,
    openapi_extra={"requestBody": {"required": True, "content": {"*/*": _FILE, forms.MEDIA_TYPE: _FORM}}},
)
async def post_attachment(
    request: Request,
    caller: ConnectorOrAgent,
    key: IdempotencyKey,
    name: Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00-\x1f]*$")] = None,
) -> Response:
    """The body is the file: as it is, its media type the header Content-Type and its name the parameter `name`; or in a
    form (`multipart/form-data`, as browsers and `curl -F file=@…` send it) with both. A form has exactly one file; with
    an Idempotency-Key it is the same one when file, type and name are, whatever its boundary."""
    gate = gate_of(request)
    body = await request.body()
    said = request.headers.get("content-type", "application/octet-stream")
    kind = said.partition(";")[0].strip().lower()
    if kind == forms.MEDIA_TYPE:
        upload = await run_in_threadpool(forms.upload_of, said, body)  # a form made to be slow stops nobody
        kind = upload.content_type or "application/octet-stream"
        name, body = name or upload.name, upload.content
        if key is not None:
            key = replace(key, body_hash=digest_of(b"\0".join((body, kind.encode(), (name or "").encode()))))
    if len(body) > gate.settings.attachment_bytes_max:
        raise too_large(gate.settings.attachment_bytes_max)
    if not _TYPE.fullmatch(kind) or len(kind) > 255:
        raise Problem(415, "unsupported-media-type", "the Content-Type names no media type")
    return await once(request, key, lambda: _keep(gate, caller, name, kind, body))


async def _keep(gate: Gate, caller: Caller, name: str | None, kind: str, content: bytes) -> tuple[Any, int]:
    at = gate.process.clock.now()
    id, digest = random_id("att", at), sha256(content).hexdigest()
    row = (caller.workspace, id, seen_by(caller), name, kind, len(content), digest, content, at)
    await gate.process.pool.execute(_PUT, *row)
    kept = {"attachment_id": id, "name": name, "content_type": kind, "size": len(content), "sha256": digest}
    return kept, 201


@router.get(
    "/{id}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The bytes."}},
)
async def attachment(request: Request, caller: ConnectorOrAgent, id: str) -> Response:
    """The bytes, always as a download: nothing that a customer sent is shown in our origin. A connector's token reads
    what it brought and what its replies carry. 409 `attachment-fetching` while a file that a message named by its `url`
    is on its way, 404 `attachment-failed` when it could not be had, 410 `attachment-deleted` once its message was
    deleted."""
    row = await gate_of(request).process.pool.fetchrow(_GET, caller.workspace, id, seen_by(caller))
    if row is None:
        raise not_found("attachment")
    if row["deleted"]:
        raise Problem(410, "attachment-deleted", "the message that brought the file was deleted by its author")
    if row["content"] is None:
        raise _not_here(row)
    return Response(
        row["content"],
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": disposition(row["name"]),
            "X-Content-Type-Options": "nosniff",
            "Pointsman-Content-Type": _shown_type(row["content_type"]),
        },
    )


def _not_here(row: Any) -> Problem:
    if row["state"] == "failed":
        return Problem(404, "attachment-failed", f"the file could not be fetched: {row['reason']}")
    return Problem(409, "attachment-fetching", "the file is being fetched", headers={"Retry-After": "2"})


def _shown_type(kept: str | None) -> str:
    """What was said of its type, where that is a media type: a header holds nothing else."""
    kind = (kept or "").partition(";")[0].strip().lower()
    return kind if _TYPE.fullmatch(kind) else "application/octet-stream"
