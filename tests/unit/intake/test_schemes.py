"""Providers' proofs on the raw bytes: the public vectors of the schemes that are built, and what is near to them."""

import base64
import hmac
import json
import os
from pathlib import Path

import pytest

from pointsman_intake.hooks.schemes import SCHEMES, HookRequest, meta_challenge
from pointsman_intake.hooks.vectors import VectorsWrong, check_vectors

SAMPLES = Path(os.environ.get("POINTSMAN_SAMPLES", "/nonexistent"))
VECTORS = SAMPLES / "intake/signatures/vectors-public.json"
BUILT = {*SCHEMES, "meta-verify-token"}

# Slack's own published example ("Verifying requests from Slack").
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887"
    b"a14d10d2c447fce8b6703c"
)
SLACK_HEADERS = {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}


def slack(now: float = 1531420618, body: bytes = SLACK_BODY, **changes: str) -> bool:
    headers = SLACK_HEADERS | {name.replace("_", "-"): value for name, value in changes.items()}
    return SCHEMES["slack-v0"].prove(HookRequest("POST", headers, {}, body), [SLACK_SECRET], now).accepted


def test_slacks_published_example_is_accepted() -> None:
    assert slack()


@pytest.mark.parametrize(("now", "accepted"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_a_timestamp_is_good_for_five_minutes(now: int, accepted: bool) -> None:
    assert slack(1531420618 + now) is accepted


def test_another_body_signature_or_timestamp_is_refused() -> None:
    assert not slack(body=SLACK_BODY + b" ")
    assert not slack(x_slack_signature="v0=00")
    assert not slack(x_slack_signature="v0=é")
    assert not slack(x_slack_request_timestamp="soon")
    assert not slack(x_slack_request_timestamp="")


def test_any_of_the_secrets_proves_it_during_a_rotation() -> None:
    request = HookRequest("POST", SLACK_HEADERS, {}, SLACK_BODY)
    assert SCHEMES["slack-v0"].prove(request, ["old", SLACK_SECRET], 1531420618).accepted


def test_a_signature_of_the_same_json_written_otherwise_is_refused() -> None:
    """The bytes are what was signed, not what they mean."""
    headers = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    prove = SCHEMES["x-hub-signature-256"].prove
    secret = ["It's a Secret to Everybody"]
    assert prove(HookRequest("POST", headers, {}, b"Hello, World!"), secret, 0).accepted
    assert not prove(HookRequest("POST", headers, {}, b"Hello,World!"), secret, 0).accepted
    assert not prove(HookRequest("POST", {}, {}, b"Hello, World!"), secret, 0).accepted


def test_metas_challenge_needs_the_token() -> None:
    assert meta_challenge("subscribe", "123", "vt", ["vt"]) == "123"
    assert meta_challenge("subscribe", "123", "nope", ["vt"]) is None
    assert meta_challenge("unsubscribe", "123", "vt", ["vt"]) is None
    assert meta_challenge("subscribe", None, "vt", ["vt"]) is None


@pytest.mark.skipif(not VECTORS.exists(), reason="POINTSMAN_SAMPLES is not set")
def test_the_public_vectors_have_their_verdicts() -> None:
    document = json.loads(VECTORS.read_text())
    built = [vector for vector in document["vectors"] if vector["scheme"] in BUILT]
    result = check_vectors({"vectors": built}, SAMPLES / "intake")
    assert [row for row in result["results"] if not row["ok"]] == []
    assert result["passed"] == len(built) > 5


def test_the_second_request_of_an_id_is_a_duplicate() -> None:
    vector = {
        "id": "one",
        "scheme": "standard-webhooks",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "headers": {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        "body": '{"test": 2432232314}',
        "now_unix": 1614265330,
        "expect": "accept",
    }
    again = vector | {"id": "two", "expect": "duplicate"}
    assert check_vectors({"vectors": [vector, again]}, Path())["passed"] == 2


def signed(secret: bytes, family: str = "webhook") -> dict[str, str]:
    """Headers that this key signs for the body `{}` at second 1000."""
    mac = base64.b64encode(hmac.digest(secret, b"m1.1000.{}", "sha256")).decode()
    return {f"{family}-id": "m1", f"{family}-timestamp": "1000", f"{family}-signature": f"v1,{mac}"}


def proved(secret: str, headers: dict[str, str]) -> bool:
    return SCHEMES["standard-webhooks"].prove(HookRequest("POST", headers, {}, b"{}"), [secret], 1000).accepted


KEY = bytes(range(24))
SECRET = base64.b64encode(KEY).decode()


@pytest.mark.parametrize("prefix", ["", "whsec_"])
def test_a_loose_or_short_secret_verifies_no_forgery(prefix: str) -> None:
    """Read loosely, each of these is a key that everybody knows: the empty one, or what is left of it."""
    assert proved(prefix + SECRET, signed(KEY))
    for loose, left in (
        ("", b""),
        ("====", b""),
        ("!!!!", b""),
        ("not base64 at all", b"\x9e\x8b[\xab\x1e\xeb"),
        ("YQ==", b"a"),
    ):
        assert not proved(prefix + loose, signed(left)), loose
    assert not proved(prefix + base64.b64encode(KEY[:23]).decode(), signed(KEY[:23]))
    assert not proved(prefix + SECRET[:-4] + "-_-_", signed(base64.urlsafe_b64decode(SECRET[:-4] + "-_-_")))


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_no_scheme_is_proved_by_an_empty_secret(scheme: str) -> None:
    mac = hmac.digest(b"", b"v0:1000:{}", "sha256").hex(), hmac.digest(b"", b"{}", "sha256").hex()
    headers = {"X-Slack-Request-Timestamp": "1000", "X-Slack-Signature": f"v0={mac[0]}"}
    headers |= {"X-Hub-Signature-256": f"sha256={mac[1]}"} | signed(b"")
    for secret in ("", None):
        vector = {"id": "v", "scheme": scheme, "secret": secret, "headers": headers, "body": "{}", "now_unix": 1000}
        (row,) = check_vectors({"vectors": [vector | {"expect": "reject"}]}, Path())["results"]
        assert (row["verdict"], row["ok"]) == ("reject", True)


def test_svixs_names_of_the_headers_are_the_same_scheme_but_not_mixed() -> None:
    assert proved(SECRET, signed(KEY, "svix"))
    assert proved(SECRET, signed(KEY, "svix") | signed(KEY))
    assert not proved(SECRET, signed(KEY, "svix") | {"webhook-id": "m1"})
    assert not proved(
        SECRET, {"webhook-id": "m1", "webhook-timestamp": "1000"} | {"svix-signature": signed(KEY)["webhook-signature"]}
    )


def test_what_could_not_be_tried_is_never_as_expected() -> None:
    vector = {"id": "v", "scheme": "slack-v0", "secret": "s", "headers": {}, "now_unix": 0}
    for untried in ({"body_file": "nowhere.json"}, {"scheme": "invented"}):
        for expect in ("reject", "reject-401", "accept"):
            result = check_vectors({"vectors": [vector | untried | {"expect": expect}]}, Path("/nonexistent"))
            assert (result["passed"], result["failed"]) == (0, 1), (untried, expect)


@pytest.mark.parametrize(
    ("token", "expect", "ok"),
    [
        ("vt", "challenge", True),
        ("vt", "challenge-115", True),
        ("vt", "challenge-116", False),
        ("vt", "accept", False),
        ("no", "reject", True),
        ("no", "reject-403", True),
        ("no", "reject-401", False),
    ],
)
def test_a_challenge_is_compared_with_its_answer_and_a_refusal_with_its_status(
    token: str, expect: str, ok: bool
) -> None:
    url = f"https://x/hook?hub.mode=subscribe&hub.challenge=115&hub.verify_token={token}"
    vector = {"id": "v", "scheme": "meta-verify-token", "secret": "vt", "method": "GET", "url": url, "expect": expect}
    assert check_vectors({"vectors": [vector]}, Path())["results"][0]["ok"] is ok


def test_a_document_that_holds_no_vectors_is_refused() -> None:
    with pytest.raises(VectorsWrong, match="/vectors"):
        check_vectors({"tests": []}, Path())
