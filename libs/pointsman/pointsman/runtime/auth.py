"""Who calls: signed tokens, roles, revocations.

A token is a JWT (RFC 7519) signed with EdDSA or ES256 by the installation's own key. Claims: `iss` "pointsman", `sub`
(a connector's or agent's slug, or a person's name), `workspace`, `role`, `jti` (the token's id), `iat`, `exp`.

Roles (API.md): `agent` < `supervisor` < `admin`, each may do what the former may; `viewer` reads what a supervisor
reads; `connector` posts messages; `operator` belongs to the installation: its workspace is `*`, and it names one by
the header `Pointsman-Workspace`.
"""

import os
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry
from starlette.requests import Request

from pointsman.core.instant import Instant
from pointsman.core.storable import why_unstorable
from pointsman.runtime.http.admission import Admission
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.settings import RuntimeSettings

ISSUER = "pointsman"
EVERY_WORKSPACE = "*"
WORKSPACE_HEADER = "pointsman-workspace"
ROLES = ("connector", "viewer", "agent", "supervisor", "admin", "operator")
VERIFIED_MAX = 20_000
TOKEN_BYTES_MAX = 8_192

_RANK = {"agent": 1, "supervisor": 2, "admin": 3, "operator": 4}
_SLUG = re.compile(r"(?!.*--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class _Registry(JWSRegistry):
    """EdDSA and ES256 only. `Ed25519` is RFC 9864's name of EdDSA on that curve."""

    def get_alg(self, name: str) -> Any:
        if name not in ("EdDSA", "Ed25519", "ES256"):
            return super().get_alg(name)
        return self.algorithms[name]


_REGISTRY = _Registry(algorithms=["EdDSA", "Ed25519", "ES256"])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `workspace` is `*` only for an operator who named none; `expires_at` is seconds since the epoch."""

    workspace: str
    role: str
    sub: str
    token_id: str
    expires_at: float


class IssuerKey:
    """The installation's key, as a JWK: Ed25519, or EC P-256. Without its private part it only verifies."""

    def __init__(self, jwk: Mapping[str, Any]) -> None:
        values = cast(Any, dict(jwk))
        if values.get("kty") == "OKP" and values.get("crv") == "Ed25519":
            self._key: Any = OKPKey.import_key(values)
            self._algorithm = "EdDSA"
        elif values.get("kty") == "EC" and values.get("crv") == "P-256":
            self._key = ECKey.import_key(values)
            self._algorithm = "ES256"
        else:
            raise ValueError("the key is neither Ed25519 nor EC P-256")

    @classmethod
    def read(cls, path: Path) -> "IssuerKey":
        """The key in a file. Raises `OSError` or, when it holds no key, `ValueError`."""
        try:
            return cls(orjson.loads(path.read_bytes()))
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} holds no signing key: {error}") from error

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The signed token. Raises `ValueError` when only the public part is known."""
        if not self._key.is_private:
            raise ValueError("the key file holds only the public part: this process cannot sign")
        header = {"alg": self._algorithm, "typ": "JWT", "kid": self._key.thumbprint()}
        return jwt.encode(header, dict(claims), self._key, registry=_REGISTRY)

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token that this key signed. Raises `ValueError` otherwise; expiry is not looked at."""
        try:
            return dict(jwt.decode(token, self._key, registry=_REGISTRY).claims)
        except (JoseError, ValueError, TypeError) as error:
            raise ValueError(str(error)) from error


def generate_key_file(path: Path) -> None:
    """Makes a new Ed25519 key, readable by its owner only. Raises `FileExistsError` rather than replace one."""
    key = OKPKey.generate_key("Ed25519", parameters={"use": "sig"}, private=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(key.as_dict(private=True)) + b"\n")


def sign_token(
    key: IssuerKey,
    role: str,
    workspace: str,
    sub: str,
    ttl_seconds: float,
    token_id: str,
    *,
    now: float | None = None,
) -> str:
    """A token that begins now (`now`, seconds since the epoch) and lasts `ttl_seconds`."""
    if role not in ROLES:
        raise ValueError(f"{role!r} is no role: {', '.join(ROLES)}")
    issued = int(time.time() if now is None else now)
    return key.sign(
        {
            "iss": ISSUER,
            "sub": sub,
            "workspace": workspace,
            "role": role,
            "jti": token_id,
            "iat": issued,
            "exp": issued + int(ttl_seconds),
        }
    )


def may(role: str, needed: str, *, reads: bool) -> bool:
    """Whether a role may use a route that needs another. `reads`: the call changes nothing."""
    if needed in ("connector", "operator"):
        return role == needed
    if needed == "viewer":
        return role == "viewer" or _RANK.get(role, 0) >= _RANK["supervisor"]
    if role == "viewer":
        return reads and needed in ("agent", "supervisor")
    return _RANK.get(role, 0) >= _RANK[needed]


class Revocations:
    """The ids of tokens that were taken back and would not have expired yet."""

    def __init__(self) -> None:
        self._expires: dict[str, float] = {}
        self._listeners: set[Callable[[str], None]] = set()

    def __contains__(self, token_id: str) -> bool:
        return token_id in self._expires

    def add(self, token_id: str, expires_at: Instant) -> None:
        """From now on the token is refused, and streams that it opened end."""
        if token_id in self._expires:
            return
        if len(self._expires) % 1000 == 999:
            past = time.time() - 86_400
            self._expires = {known: at for known, at in self._expires.items() if at > past}
        self._expires[token_id] = expires_at.timestamp()
        for listener in tuple(self._listeners):
            listener(token_id)

    def listen(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Calls back with each id that is revoked; returns what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)


class Auth:
    """Verifies tokens, remembering those it verified by their hash until they expire, and charges calls to them.

    Without an `admission` that other services of the process share, it has one of its own, of this rate.
    """

    def __init__(
        self,
        key: IssuerKey,
        revocations: Revocations,
        *,
        admission: Admission | None = None,
        calls_per_second_max: float = 500,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.key = key
        self.revocations = revocations
        self._now = now
        self._verified: OrderedDict[bytes, Caller] = OrderedDict()
        self._admission = admission or Admission(RuntimeSettings(calls_per_second_max=calls_per_second_max))

    def admit(self, headers: Mapping[str, str], needed: tuple[str, ...], *, reads: bool) -> Caller:
        """The caller, when one of the roles in `needed` lets it in. Raises `Problem` 400, 401, 403 or 429.

        Plain and synchronous, so that a hot route can call it without FastAPI's dependencies.
        """
        caller = self.verify(headers.get("authorization"))
        self._admission.charge_token(caller.token_id)
        if not any(may(caller.role, role, reads=reads) for role in needed):
            raise Problem(403, "wrong-role", f"this needs the role {' or '.join(needed)}, the token has {caller.role}")
        if caller.workspace == EVERY_WORKSPACE:
            named = headers.get(WORKSPACE_HEADER)
            if named is not None:
                if not _SLUG.fullmatch(named):
                    raise Problem(400, "workspace-required", f"Pointsman-Workspace: {named!r} is no workspace's name")
                return replace(caller, workspace=named)
        return caller

    def verify(self, authorization: str | None) -> Caller:
        """The caller that an `Authorization` header proves. Raises `Problem` 401."""
        if authorization is None:
            raise _unauthorized("the header Authorization is missing")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > TOKEN_BYTES_MAX:
            raise _unauthorized("the header Authorization must be: Bearer <token>")
        digest = blake2b(token.encode(), digest_size=16).digest()
        caller = self._verified.get(digest)
        if caller is None:
            caller = self._read(token)
            self._admission.proved(authorization, caller.token_id)
            self._verified[digest] = caller
            if len(self._verified) > VERIFIED_MAX:
                self._verified.popitem(last=False)
        if caller.expires_at <= self._now():
            self._verified.pop(digest, None)
            self._admission.charge_token(caller.token_id)
            raise _unauthorized("the token has expired")
        if caller.token_id in self.revocations:
            self._admission.charge_token(caller.token_id)
            raise _unauthorized("the token was revoked")
        return caller

    def _read(self, token: str) -> Caller:
        try:
            claims = self.key.verify(token)
        except ValueError as error:
            raise _unauthorized("the token is not one of this installation") from error
        workspace, role, sub, token_id = (claims.get(name) for name in ("workspace", "role", "sub", "jti"))
        expires = claims.get("exp")
        claimed = (workspace, role, sub, token_id)
        texts = all(isinstance(value, str) and value and why_unstorable(value) is None for value in claimed)
        if claims.get("iss") != ISSUER or not texts or not isinstance(expires, int | float) or role not in ROLES:
            raise _unauthorized("the token lacks a claim, or has one that is unknown")
        if (workspace == EVERY_WORKSPACE) != (role == "operator"):
            raise _unauthorized("only an operator's token is for every workspace")
        return Caller(str(workspace), str(role), str(sub), str(token_id), float(expires))


def require(
    *roles: str, workspace_optional: bool = False, personal: bool = False
) -> Callable[[Request], Awaitable[Caller]]:
    """A FastAPI dependency that gives the `Caller` when one of the roles lets it in.

    `workspace_optional`: an operator need not name a workspace (the body does). `personal`: the route is about the
    caller itself, so that a viewer has no business there.
    """

    async def admitted(request: Request) -> Caller:
        auth: Auth = request.app.state.process.auth
        reads = request.method in ("GET", "HEAD") and not personal
        caller = auth.admit(request.headers, roles, reads=reads)
        if caller.workspace == EVERY_WORKSPACE and not workspace_optional and "operator" not in roles:
            raise Problem(400, "workspace-required", "an operator names the workspace: header Pointsman-Workspace")
        request.state.caller = caller
        return caller

    return admitted


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
