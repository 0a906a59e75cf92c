"""The key that signs the installation's tokens, made once."""

import os
from pathlib import Path

import orjson
from joserfc.jwk import OKPKey


def generate_key_file(path: Path) -> None:
    """Makes a new Ed25519 key, readable by its owner only. Raises `FileExistsError` rather than replace one."""
    key = OKPKey.generate_key("Ed25519", parameters={"use": "sig"}, private=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(key.as_dict(private=True)) + b"\n")
