"""Providers' proofs on the raw bytes: the public vectors of the schemes that are built, and what is near to them."""

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


def test_a_document_that_holds_no_vectors_is_refused() -> None:
    with pytest.raises(VectorsWrong, match="/vectors"):
        check_vectors({"tests": []}, Path())
