"""The headers of a Standard Webhook (https://www.standardwebhooks.com, version 1): receivers verify with its libraries.

The signature is HMAC-SHA256 over `id.timestamp.body`, base64, once by each secret: during a rotation the receiver may
know either. A secret is base64, with or without `whsec_` before it.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

from pointsman.core.instant import Instant

PREFIX = "whsec_"


def signed_headers(secrets: Sequence[str], id: str, body: bytes, now: Instant) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp`, `webhook-signature`. Raises `ValueError` when a secret is no base64."""
    timestamp = str(int(now.timestamp()))
    signed = f"{id}.{timestamp}.".encode() + body
    signatures = [hmac.digest(_key(secret), signed, sha256) for secret in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{b64encode(each).decode()}" for each in signatures),
    }


def _key(secret: str) -> bytes:
    return b64decode(secret.removeprefix(PREFIX), validate=True)
