"""The installation's keys that sign and verify tokens: a file with a JWK (RFC 7517), or with a set of them.

The first key of a set signs, each verifies. So a rotation ends nothing: add the new key behind the old one and let
every process see it, put it first, and take the old one out when what it signed has expired. A running process sees a
changed file within seconds. Keys without their private part only verify.
"""

import os
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

log = structlog.get_logger(__name__)

KEYS_MAX = 16


class _Registry(JWSRegistry):
    """EdDSA and ES256 only. `Ed25519` is RFC 9864's name of EdDSA on that curve."""

    def get_alg(self, name: str) -> Any:
        if name not in ("EdDSA", "Ed25519", "ES256"):
            return super().get_alg(name)
        return self.algorithms[name]


_REGISTRY = _Registry(algorithms=["EdDSA", "Ed25519", "ES256"])


class _Key:
    """One key: Ed25519, or EC P-256. Raises `ValueError` when it is neither."""

    def __init__(self, jwk: Mapping[str, Any]) -> None:
        values = cast(Any, dict(jwk))
        if values.get("kty") == "OKP" and values.get("crv") == "Ed25519":
            self.key: Any = OKPKey.import_key(values)
            self.algorithm = "EdDSA"
        elif values.get("kty") == "EC" and values.get("crv") == "P-256":
            self.key = ECKey.import_key(values)
            self.algorithm = "ES256"
        else:
            raise ValueError("the key is neither Ed25519 nor EC P-256")
        self.id: str = self.key.thumbprint()


class IssuerKeys:
    """The keys, the one that signs first. Raises `ValueError` when there is none, or one of another kind."""

    def __init__(self, *jwks: Mapping[str, Any]) -> None:
        self._keys = _read(jwks)
        self._path: Path | None = None
        self._seen: object = None

    @classmethod
    def read(cls, path: Path) -> "IssuerKeys":
        """The keys in a file. Raises `OSError` or, when it holds none, `ValueError`."""
        keys = cls(*_jwks(path))
        keys._path, keys._seen = path, _stamp(path)
        return keys

    def refresh(self) -> bool:
        """Reads the file again when it was changed; whether the keys are others now. A file that cannot be read, as in
        the middle of a change, is an alarm, and the keys stay as they were."""
        if self._path is None:
            return False
        try:
            stamp = _stamp(self._path)
            if stamp == self._seen:
                return False
            keys = _read(_jwks(self._path))
        except (OSError, ValueError) as error:
            log.error("alarm: the key file cannot be read, the keys stay as they were", error=str(error))
            return False
        changed = [key.id for key in keys] != [key.id for key in self._keys]
        self._keys, self._seen = keys, stamp
        if changed:
            log.info("keys changed", keys=[key.id for key in keys])
        return changed

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The token, signed by the first key. Raises `ValueError` when only its public part is known."""
        first = self._keys[0]
        if not first.key.is_private:
            raise ValueError("the key file holds only the public part: this process cannot sign")
        header = {"alg": first.algorithm, "typ": "JWT", "kid": first.id}
        return jwt.encode(header, dict(claims), first.key, registry=_REGISTRY)

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token that one of the keys signed. Raises `ValueError` otherwise; expiry is not looked at.

        The token names its key (`kid`): of many keys a stranger's token costs at most one look.
        """
        named = _key_id(token)
        wrong: Exception | None = None
        for key in self._keys:
            if named is not None and named != key.id:
                continue
            try:
                return dict(jwt.decode(token, key.key, registry=_REGISTRY).claims)
            except (JoseError, ValueError, TypeError) as error:
                wrong = error
        raise ValueError("no key of this installation" if wrong is None else str(wrong))

    def public(self) -> dict[str, Any]:
        """The set of the public parts, for processes that only verify."""
        return {"keys": [key.key.as_dict(private=False) for key in self._keys]}


def generate_key_file(path: Path) -> None:
    """Makes a new Ed25519 key, readable by its owner only. Raises `FileExistsError` rather than replace one."""
    key = OKPKey.generate_key("Ed25519", parameters={"use": "sig"}, private=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_new(path, orjson.dumps(key.as_dict(private=True)) + b"\n", 0o600)


def write_public_file(path: Path, keys: IssuerKeys) -> None:
    """Writes the public parts beside what is there and puts them in its place, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    _write_new(beside, orjson.dumps(keys.public()) + b"\n", 0o644)
    beside.replace(path)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _read(jwks: Sequence[Mapping[str, Any]]) -> tuple[_Key, ...]:
    if not 0 < len(jwks) <= KEYS_MAX:
        raise ValueError(f"a key file has 1 to {KEYS_MAX} keys, not {len(jwks)}")
    return tuple(_Key(jwk) for jwk in jwks)


def _jwks(path: Path) -> list[Mapping[str, Any]]:
    try:
        value = orjson.loads(path.read_bytes())
        found = value["keys"] if isinstance(value, dict) and "keys" in value else [value]
        _read(found)
        return list(found)
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} holds no signing key: {error}") from error


def _key_id(token: str) -> str | None:
    """Which key a token says that it is signed by; None when it does not say, or is no token."""
    header = token.partition(".")[0]
    try:
        named = orjson.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4))).get("kid")
    except (ValueError, AttributeError):
        return None
    return named if isinstance(named, str) else None


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
