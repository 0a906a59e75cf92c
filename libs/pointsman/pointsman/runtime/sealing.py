"""Sealing: secrets at rest are encrypted with keys that are in a file, never in the database.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits. What a value belongs to is authenticated with it, so that
a sealed value that was moved to another row, workspace or service does not open.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NAME_BYTES = 4
NONCE_BYTES = 12


class NotOpened(ValueError):
    """The sealed value is not of these keys, or not of this place."""


class SealingKeys:
    """The installation's keys: the first seals, each opens what it sealed, so that keys can be changed.

    A sealed value is the name of its key (four bytes of its SHA-256), the nonce, and the ciphertext with its tag.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a sealing key has {KEY_BYTES} bytes")
        self._ciphers = {_name_of(key): AESGCM(key) for key in keys}
        self._first = _name_of(keys[0])

    @classmethod
    def read(cls, path: Path) -> "SealingKeys":
        """The keys in a file, one a line in base64url. Raises `OSError`, or `ValueError` when it holds none."""
        try:
            lines = path.read_text("ascii").split()
            return cls([urlsafe_b64decode(line + "=" * (-len(line) % 4)) for line in lines])
        except ValueError as error:
            raise ValueError(f"{path} holds no sealing key: {error}") from error

    def seal(self, plain: bytes, place: str) -> bytes:
        """The value sealed with the first key, for this place only."""
        nonce = os.urandom(NONCE_BYTES)
        return self._first + nonce + self._ciphers[self._first].encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """The value. Raises `NotOpened`."""
        name, nonce = sealed[:NAME_BYTES], sealed[NAME_BYTES : NAME_BYTES + NONCE_BYTES]
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise NotOpened("it was sealed with a key that is not in the key file")
        try:
            return cipher.decrypt(nonce, sealed[NAME_BYTES + NONCE_BYTES :], place.encode())
        except (InvalidTag, ValueError) as error:
            raise NotOpened("it was changed, or moved from another place") from error


def _name_of(key: bytes) -> bytes:
    return sha256(key).digest()[:NAME_BYTES]


def generate_sealing_key(path: Path) -> None:
    """Makes a file with a new key, readable by its owner only. Raises `FileExistsError` rather than replace one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(urlsafe_b64encode(os.urandom(KEY_BYTES)) + b"\n")
