"""Signature vectors: signed requests with their secret, their clock and the verdict that they expect.

A vector is `{id, scheme, secret, method, url, headers, body | body_file, now_unix?, expect}`. Verdicts: `accept`,
`reject`, `challenge` (a provider's question, answered), `duplicate` (the same request id was accepted before).
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from pointsman_intake.hooks.schemes import SCHEMES, HookRequest, Proof, meta_challenge

SLACK_CHALLENGE = "url_verification"


class VectorsWrong(ValueError):
    """The document is no set of vectors: where, and what is wrong."""


class _NoBody(Exception):
    """The file with the vector's body cannot be read."""


def check_vectors(document: Any, fixtures: Path) -> dict[str, Any]:
    """`{results: [{id, verdict, detail, expect, ok}], passed, failed}`. Raises `VectorsWrong`."""
    vectors = document.get("vectors") if isinstance(document, dict) else document
    if not isinstance(vectors, list):
        raise VectorsWrong("/vectors is not a list")
    seen: set[tuple[str, str, str]] = set()
    results = []
    for place, vector in enumerate(vectors):
        if not isinstance(vector, dict) or not all(isinstance(vector.get(n), str) for n in ("id", "scheme", "expect")):
            raise VectorsWrong(f"/vectors/{place} needs the texts id, scheme and expect")
        verdict, detail = _verdict(vector, fixtures, seen, place)
        ok = vector["expect"].partition("-")[0] == verdict
        results.append({"id": vector["id"], "verdict": verdict, "detail": detail, "expect": vector["expect"], "ok": ok})
    passed = sum(result["ok"] for result in results)
    return {"results": results, "passed": passed, "failed": len(results) - passed}


def _verdict(vector: Mapping[str, Any], fixtures: Path, seen: set[tuple[str, str, str]], place: int) -> tuple[str, str]:
    secret = str(vector.get("secret", ""))
    try:
        request = _request(vector, fixtures, place)
    except _NoBody as error:
        return "reject", str(error)
    if vector["scheme"] == "meta-verify-token":
        query = request.query
        answer = meta_challenge(
            query.get("hub.mode", ""), query.get("hub.challenge"), query.get("hub.verify_token", ""), [secret]
        )
        return ("reject", "the verify token is another") if answer is None else ("challenge", answer)
    scheme = SCHEMES.get(vector["scheme"])
    if scheme is None:
        return "reject", f"the scheme {vector['scheme']} is not built yet"
    proof = scheme.prove(request, [secret], float(vector.get("now_unix", time.time())))
    if not proof.accepted:
        return "reject", proof.detail
    token, challenge = _looked_into(vector["scheme"], proof, request.body)
    if challenge is not None:
        return "challenge", challenge
    if token is not None:
        key = (vector["scheme"], secret, token)
        if key in seen:
            return "duplicate", f"{token} was accepted before"
        seen.add(key)
    return "accept", ""


def _looked_into(scheme: str, proof: Proof, body: bytes) -> tuple[str | None, str | None]:
    """(the request's id, the challenge in it)."""
    if scheme != "slack-v0":
        return proof.token, None
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(payload, dict):
        return None, None
    if payload.get("type") == SLACK_CHALLENGE:
        return None, str(payload.get("challenge", ""))
    return payload.get("event_id") or None, None


def _request(vector: Mapping[str, Any], fixtures: Path, place: int) -> HookRequest:
    headers, url = vector.get("headers", {}), str(vector.get("url", ""))
    if not isinstance(headers, dict):
        raise VectorsWrong(f"/vectors/{place}/headers is not an object")
    body = str(vector.get("body", "")).encode()
    if "body_file" in vector:
        try:
            body = (fixtures / str(vector["body_file"])).read_bytes()
        except OSError as error:
            raise _NoBody(f"{vector['body_file']}: {error.strerror}") from error
    return HookRequest(
        str(vector.get("method", "POST")),
        {str(name).lower(): str(value) for name, value in headers.items()},
        dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
        body,
    )
