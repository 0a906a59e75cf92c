"""How providers prove that they sent these bytes. Every check is on the raw bytes, and fails closed.

Sources: Slack, "Verifying requests from Slack"; Meta, "Webhooks: validating payloads" and "verification requests";
Standard Webhooks specification 1.0.0.
"""

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from pointsman.runtime.standard_webhook import signing_key

AGE_SECONDS_MAX = 300


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A request as it came. Header names are in lower case."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Proof:
    """`accepted` with the provider's id of the request (`token`), if it gives one; else `detail` says why not."""

    accepted: bool
    detail: str = ""
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way of proof. `prove(request, secrets, now_unix)`: any one of the secrets may prove it."""

    prove: Callable[[HookRequest, Sequence[str], float], Proof]
    headers_kept: tuple[str, ...] = field(default=())


def _refused(detail: str) -> Proof:
    return Proof(False, detail)


def _mac(secret: bytes, message: bytes) -> bytes:
    return hmac.new(secret, message, sha256).digest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def _age(timestamp: str, now: float) -> str | None:
    """What is wrong with a request's timestamp, in seconds since the epoch."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return "the timestamp is no number of seconds"
    if abs(now - int(timestamp)) > AGE_SECONDS_MAX:
        return f"the timestamp is more than {AGE_SECONDS_MAX} seconds away"
    return None


def slack_v0(request: HookRequest, secrets: Sequence[str], now: float) -> Proof:
    """`v0=` hex HMAC-SHA256 over `v0:<timestamp>:<body>`; five minutes."""
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature")
    if signature is None:
        return _refused("the header X-Slack-Signature is missing")
    if wrong := _age(timestamp, now):
        return _refused(wrong)
    message = b"v0:" + timestamp.encode() + b":" + request.body
    if any(_same(signature, "v0=" + _mac(secret.encode(), message).hex()) for secret in secrets):
        return Proof(True)
    return _refused("the signature is not of this body")


def hub_256(request: HookRequest, secrets: Sequence[str], now: float) -> Proof:
    """`sha256=` hex HMAC-SHA256 over the body."""
    signature = request.headers.get("x-hub-signature-256")
    if signature is None:
        return _refused("the header X-Hub-Signature-256 is missing")
    if any(_same(signature, "sha256=" + _mac(secret.encode(), request.body).hex()) for secret in secrets):
        return Proof(True)
    return _refused("the signature is not of this body")


def standard_webhooks(request: HookRequest, secrets: Sequence[str], now: float) -> Proof:
    """One of the `v1,` base64 signatures is HMAC-SHA256 over `<id>.<timestamp>.<body>`; the id is the dedupe key.

    Svix's older names of the three headers (`svix-id`, …) are the same scheme; the three are of one family.
    """
    family = "webhook" if "webhook-id" in request.headers else "svix"
    id, timestamp = request.headers.get(f"{family}-id"), request.headers.get(f"{family}-timestamp", "")
    if not id or len(id) > 512:
        return _refused("the header webhook-id (or svix-id) is missing")
    if wrong := _age(timestamp, now):
        return _refused(wrong)
    message = f"{id}.{timestamp}.".encode() + request.body
    listed = request.headers.get(f"{family}-signature", "").split(" ")
    given = [part[3:] for part in listed if part.startswith("v1,")]
    wrong = None
    for secret in secrets:
        try:
            key = signing_key(secret)
        except ValueError as error:
            wrong = str(error)
            continue
        wanted = base64.b64encode(_mac(key, message)).decode()
        if any(_same(signature, wanted) for signature in given):
            return Proof(True, token=id)
    return _refused(wrong or "no signature is of this body")


def meta_challenge(mode: str, challenge: str | None, token: str, secrets: Sequence[str]) -> str | None:
    """The challenge to answer when a subscription's verify token is ours; None when it is not."""
    if mode != "subscribe" or challenge is None:
        return None
    return challenge if any(_same(token, secret) for secret in secrets) else None


SCHEMES: dict[str, Scheme] = {
    "slack-v0": Scheme(slack_v0, ("x-slack-retry-num", "x-slack-retry-reason")),
    "x-hub-signature-256": Scheme(hub_256),
    "standard-webhooks": Scheme(standard_webhooks, ("webhook-id", "svix-id")),
}
