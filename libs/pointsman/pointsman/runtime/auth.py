"""Who calls: signed tokens, roles, revocations.

A token is a JWT (RFC 7519) signed with EdDSA or ES256 by the installation's own key. Claims: `iss` "pointsman", `sub`
(a connector's or agent's slug, or a person's name), `workspace`, `role`, `jti` (the token's id), `iat`, `exp`.

Roles (API.md): `agent` < `supervisor` < `admin`, each may do what the former may; `viewer` reads what a supervisor
reads; `connector` posts messages; `operator` belongs to the installation: its workspace is `*`, and it names one by
the header `Pointsman-Workspace`.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

from starlette.requests import Request

from pointsman.core.instant import Instant
from pointsman.core.storable import why_unstorable
from pointsman.runtime.http.admission import Admission
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.issuer_keys import IssuerKeys
from pointsman.runtime.settings import RuntimeSettings

ISSUER = "pointsman"
EVERY_WORKSPACE = "*"
WORKSPACE_HEADER = "pointsman-workspace"
TTL_SECONDS_MAX = 400 * 86_400
"""The longest life of a token, wherever it is signed: who revokes one that is in no list remembers it so long."""
ROLES = ("connector", "viewer", "agent", "supervisor", "admin", "operator")
VERIFIED_MAX = 20_000
TOKEN_BYTES_MAX = 8_192

_RANK = {"agent": 1, "supervisor": 2, "admin": 3, "operator": 4}
_SLUG = re.compile(r"(?!.*--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `workspace` is `*` only for an operator who named none; `expires_at` is seconds since the epoch."""

    workspace: str
    role: str
    sub: str
    token_id: str
    expires_at: float


def sign_token(
    key: IssuerKeys,
    role: str,
    workspace: str,
    sub: str,
    ttl_seconds: float,
    token_id: str,
    *,
    now: float | None = None,
) -> str:
    """A token that begins now (`now`, seconds since the epoch) and lasts `ttl_seconds`.

    Raises `ValueError` for an unknown role, a life beyond `TTL_SECONDS_MAX`, and a key that only verifies.
    """
    if not 0 < ttl_seconds <= TTL_SECONDS_MAX:
        raise ValueError(f"a token lives from 1 to {TTL_SECONDS_MAX} seconds, not {ttl_seconds}")
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


class Authenticator:
    """Verifies tokens, remembering those it verified by their hash until they expire, and charges calls to them.

    Without an `admission` that other services of the process share, it has one of its own, of this rate.
    """

    def __init__(
        self,
        key: IssuerKeys,
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

    def refresh(self) -> None:
        """Takes the keys over that the key file has now, if it changed: what a removed key signed ends."""
        if self.key.refresh():
            self._verified.clear()

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
        auth: Authenticator = request.app.state.process.auth
        reads = request.method in ("GET", "HEAD") and not personal
        caller = auth.admit(request.headers, roles, reads=reads)
        if caller.workspace == EVERY_WORKSPACE and not workspace_optional and "operator" not in roles:
            raise Problem(400, "workspace-required", "an operator names the workspace: header Pointsman-Workspace")
        request.state.caller = caller
        return caller

    return admitted


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
