"""Signature vectors: signed requests with their secret, their clock and the verdict that they expect.

A vector is `{id, scheme, secret, method, url, headers, body | body_file, now_unix?, expect}`. Verdicts: `accept`,
`reject`, `challenge` (a provider's question, answered), `duplicate` (the same request id was accepted before). What is
expected may go on after a hyphen: `reject-401` names the status of the refusal, `challenge-1158201444` the answer.
A vector that could not be tried, since its fixture is missing or its scheme unknown, is never as expected.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from pointsman_intake.hooks.schemes import SCHEMES, HookRequest, Proof, Scheme, meta_challenge

SLACK_CHALLENGE = "url_verification"
NOT_PROVED, NOT_SUBSCRIBED = "401", "403"


class VectorsWrong(ValueError):
    """The document is no set of vectors: where, and what is wrong."""


class _NotTried(Exception):
    """The vector proves nothing: its body cannot be read, or its scheme is not known here."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """`answer` is what a challenge was answered with, or the status of a refusal; `tried` False: it was not judged."""

    verdict: str
    detail: str = ""
    answer: str = ""
    tried: bool = True

    def is_as(self, expect: str) -> bool:
        verdict, more, answer = expect.partition("-")
        return self.tried and verdict == self.verdict and (not more or answer == self.answer)


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
        judged = _judge(vector, fixtures, seen, place)
        results.append(
            {
                "id": vector["id"],
                "verdict": judged.verdict,
                "detail": judged.detail,
                "expect": vector["expect"],
                "ok": judged.is_as(vector["expect"]),
            }
        )
    passed = sum(result["ok"] for result in results)
    return {"results": results, "passed": passed, "failed": len(results) - passed}


def _judge(vector: Mapping[str, Any], fixtures: Path, seen: set[tuple[str, str, str]], place: int) -> _Judged:
    try:
        request = _request(vector, fixtures, place)
        scheme = _scheme(vector["scheme"])
    except _NotTried as error:
        return _Judged("reject", str(error), tried=False)
    secret = vector.get("secret")
    secrets = [secret] if isinstance(secret, str) and secret else []
    if scheme is None:
        query = request.query
        answer = meta_challenge(
            query.get("hub.mode", ""), query.get("hub.challenge"), query.get("hub.verify_token", ""), secrets
        )
        if answer is None:
            return _Judged("reject", "the verify token is another", NOT_SUBSCRIBED)
        return _Judged("challenge", answer, answer)
    proof = scheme.prove(request, secrets, float(vector.get("now_unix", time.time())))
    if not proof.accepted:
        return _Judged("reject", proof.detail, NOT_PROVED)
    token, challenge = _looked_into(vector["scheme"], proof, request.body)
    if challenge is not None:
        return _Judged("challenge", challenge, challenge)
    if token is not None:
        key = (vector["scheme"], secrets[0], token)
        if key in seen:
            return _Judged("duplicate", f"{token} was accepted before")
        seen.add(key)
    return _Judged("accept")


def _scheme(name: str) -> Scheme | None:
    """The scheme of this name; None for Meta's verification of a subscription, which signs nothing."""
    if name == "meta-verify-token":
        return None
    if name not in SCHEMES:
        raise _NotTried(f"the scheme {name} is not known here")
    return SCHEMES[name]


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
            raise _NotTried(f"{vector['body_file']}: {error.strerror}; it was not tried") from error
    return HookRequest(
        str(vector.get("method", "POST")),
        {str(name).lower(): str(value) for name, value in headers.items()},
        dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
        body,
    )
