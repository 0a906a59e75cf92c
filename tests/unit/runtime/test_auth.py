"""Tokens and roles (API.md, Conventions)."""

import stat
from pathlib import Path

import orjson
import pytest
from joserfc.jwk import ECKey

from pointsman.core.instant import FOREVER
from pointsman.runtime.auth import TTL_SECONDS_MAX, Authenticator, Revocations, may, sign_token
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.issuer_keys import IssuerKeys, generate_key_file
from pointsman_routing.desk.rules.tokens import UNLISTED_SECONDS

NOW = 1_800_000_000.0


@pytest.fixture
def key(tmp_path: Path) -> IssuerKeys:
    generate_key_file(tmp_path / "key.json")
    return IssuerKeys.read(tmp_path / "key.json")


def an_auth(key: IssuerKeys, *, now: float = NOW, calls_per_second_max: float = 1000) -> Authenticator:
    return Authenticator(key, Revocations(), calls_per_second_max=calls_per_second_max, now=lambda: now)


def a_token(key: IssuerKeys, role: str = "agent", workspace: str = "acme", token_id: str = "tok_1") -> str:
    return sign_token(key, role, workspace, "anna", 3600, token_id, now=NOW)


def headers_with(token: str, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", **more}


def status_of(auth: Authenticator, headers: dict[str, str], *needed: str, reads: bool = False) -> int:
    with pytest.raises(Problem) as raised:
        auth.admit(headers, needed or ("agent",), reads=reads)
    return raised.value.status


def test_a_key_file_is_readable_by_its_owner_only_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key.json"
    generate_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        generate_key_file(path)


def test_a_file_that_holds_no_key_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    for content in ("", "[]", '{"kty": "oct", "k": "AA"}', '{"kty": "OKP", "crv": "Ed25519"}'):
        path.write_text(content)
        with pytest.raises(ValueError, match=r"key\.json"):
            IssuerKeys.read(path)


def test_a_signed_token_names_its_caller(key: IssuerKeys) -> None:
    caller = an_auth(key).admit(headers_with(a_token(key)), ("agent",), reads=False)
    assert (caller.workspace, caller.role, caller.sub, caller.token_id) == ("acme", "agent", "anna", "tok_1")
    assert caller.expires_at == NOW + 3600


def test_an_es256_key_signs_and_verifies_too() -> None:
    key = IssuerKeys(ECKey.generate_key("P-256").as_dict(private=True))
    assert an_auth(key).admit(headers_with(a_token(key)), ("agent",), reads=True).sub == "anna"


def test_a_public_key_verifies_and_does_not_sign(key: IssuerKeys, tmp_path: Path) -> None:
    import orjson

    jwk = orjson.loads((tmp_path / "key.json").read_bytes())
    public = IssuerKeys({name: value for name, value in jwk.items() if name != "d"})
    assert an_auth(public).admit(headers_with(a_token(key)), ("agent",), reads=True).sub == "anna"
    with pytest.raises(ValueError, match="public"):
        a_token(public)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer " + "x" * 9000]
)
def test_without_a_token_of_this_installation_it_is_401(key: IssuerKeys, header: str | None) -> None:
    assert status_of(an_auth(key), {} if header is None else {"authorization": header}) == 401


def test_a_token_signed_by_another_key_or_without_signature_is_401(key: IssuerKeys, tmp_path: Path) -> None:
    generate_key_file(tmp_path / "other.json")
    other = IssuerKeys.read(tmp_path / "other.json")
    assert status_of(an_auth(key), headers_with(a_token(other))) == 401
    payload = a_token(key).split(".")[1]
    assert status_of(an_auth(key), headers_with(f"eyJhbGciOiJub25lIn0.{payload}.")) == 401


def test_a_token_ends_at_its_expiry_even_when_it_was_verified_before(key: IssuerKeys) -> None:
    instant = [NOW]
    auth = Authenticator(key, Revocations(), now=lambda: instant[0])
    auth.admit(headers_with(a_token(key)), ("agent",), reads=True)
    instant[0] = NOW + 3600
    assert status_of(auth, headers_with(a_token(key))) == 401


def test_a_revoked_token_is_401_at_once_and_its_streams_are_told(key: IssuerKeys) -> None:
    auth = an_auth(key)
    auth.admit(headers_with(a_token(key)), ("agent",), reads=True)
    heard: list[str] = []
    auth.revocations.listen(heard.append)
    auth.revocations.add("tok_1", FOREVER)
    assert status_of(auth, headers_with(a_token(key))) == 401
    assert heard == ["tok_1"]


def test_only_an_operators_token_is_for_every_workspace(key: IssuerKeys) -> None:
    assert status_of(an_auth(key), headers_with(a_token(key, "admin", "*"))) == 401
    assert status_of(an_auth(key), headers_with(a_token(key, "operator", "acme"))) == 401


def test_an_operator_names_the_workspace_by_a_header_and_nobody_else_does(key: IssuerKeys) -> None:
    operator = headers_with(a_token(key, "operator", "*"), **{"pointsman-workspace": "acme"})
    assert an_auth(key).admit(operator, ("admin",), reads=False).workspace == "acme"
    admin = headers_with(a_token(key, "admin"), **{"pointsman-workspace": "other"})
    assert an_auth(key).admit(admin, ("admin",), reads=False).workspace == "acme"
    strange = headers_with(a_token(key, "operator", "*"), **{"pointsman-workspace": "No Slug"})
    assert status_of(an_auth(key), strange, "admin") == 400


def test_roles_are_ordered_and_a_viewer_reads_what_a_supervisor_reads() -> None:
    for needed, those_that_may in {
        "agent": {"agent", "supervisor", "admin", "operator"},
        "supervisor": {"supervisor", "admin", "operator"},
        "admin": {"admin", "operator"},
        "viewer": {"viewer", "supervisor", "admin", "operator"},
        "connector": {"connector"},
        "operator": {"operator"},
    }.items():
        roles = ("connector", "viewer", "agent", "supervisor", "admin", "operator")
        assert {role for role in roles if may(role, needed, reads=False)} == those_that_may, needed
    assert may("viewer", "supervisor", reads=True)
    assert may("viewer", "agent", reads=True)
    assert not may("viewer", "admin", reads=True)


def test_a_role_that_does_not_suffice_is_403(key: IssuerKeys) -> None:
    assert status_of(an_auth(key), headers_with(a_token(key)), "supervisor") == 403


def test_a_token_that_calls_too_often_is_429_with_retry_after(key: IssuerKeys) -> None:
    auth = an_auth(key, calls_per_second_max=3)
    for _ in range(3):
        auth.admit(headers_with(a_token(key)), ("agent",), reads=True)
    with pytest.raises(Problem) as raised:
        auth.admit(headers_with(a_token(key)), ("agent",), reads=True)
    assert (raised.value.status, raised.value.headers["Retry-After"]) == (429, "1")
    auth.admit(headers_with(a_token(key, token_id="tok_2")), ("agent",), reads=True)


def test_each_key_of_a_set_verifies_and_the_first_signs(tmp_path: Path) -> None:
    jwks = []
    for name in ("old", "new"):
        generate_key_file(tmp_path / name)
        jwks.append(orjson.loads((tmp_path / name).read_bytes()))
    old, new = (IssuerKeys(jwk) for jwk in jwks)
    both = IssuerKeys(*jwks)
    for alone in (old, new):
        assert both.verify(a_token(alone))["jti"] == "tok_1"
    assert old.verify(a_token(both))["jti"] == "tok_1"
    with pytest.raises(ValueError, match="no key of this installation"):
        new.verify(a_token(both))
    public = IssuerKeys(*both.public()["keys"])
    assert b'"d"' not in orjson.dumps(both.public())
    assert public.verify(a_token(new))["jti"] == "tok_1"
    with pytest.raises(ValueError, match="cannot sign"):
        a_token(public)


@pytest.mark.parametrize("content", [b'{"keys": []}', b'{"keys": 3}', b'{"keys": [1]}', b'{"keys": null}', b"[]"])
def test_a_file_without_a_key_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"key\.json holds no signing key"):
        IssuerKeys.read(tmp_path / "key.json")


def test_no_token_outlives_the_memory_of_its_revocation(key: IssuerKeys) -> None:
    """One that is in no list is remembered as long as a token may live at the longest."""
    assert UNLISTED_SECONDS == TTL_SECONDS_MAX
    for seconds in (0, -1, TTL_SECONDS_MAX + 1):
        with pytest.raises(ValueError, match="a token lives"):
            sign_token(key, "operator", "*", "root", seconds, "tok_1")
