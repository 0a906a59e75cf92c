"""The headers of a Standard Webhook (https://www.standardwebhooks.com, version 1): receivers verify with its libraries.

The signature is HMAC-SHA256 over `id.timestamp.body`, base64, once by each secret: during a rotation the receiver may
know either. A secret is at least 24 bytes in strict base64, with or without `whsec_` before it: a loose reading would
take an empty or broken secret for a key that everybody can guess.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

from pointsman.core.instant import Instant

PREFIX = "whsec_"
KEY_BYTES_MIN = 24


def signed_headers(secrets: Sequence[str], id: str, body: bytes, now: Instant) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp`, `webhook-signature`. Raises `ValueError` when a secret is no key."""
    timestamp = str(int(now.timestamp()))
    signed = f"{id}.{timestamp}.".encode() + body
    signatures = [hmac.digest(signing_key(secret), signed, sha256) for secret in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{b64encode(each).decode()}" for each in signatures),
    }


def signing_key(secret: str) -> bytes:
    """The key that a secret stands for. Raises `ValueError`, which says what is wrong and never the secret."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError as error:
        raise ValueError("the secret is not base64 (with padding, after an optional whsec_)") from error
    if len(key) < KEY_BYTES_MIN:
        raise ValueError(f"the secret has {len(key)} bytes after base64; a key has at least {KEY_BYTES_MIN}")
    return key
