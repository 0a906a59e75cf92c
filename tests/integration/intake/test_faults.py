"""Input that proved itself never gets an error of ours: it ends as a message, as ignored, or in the quarantine."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from pointsman.testing.installation import Installation
from tests.integration.intake.serving import Api, an_api, configure, put_secrets
from tests.integration.intake.test_hooks import post_meta, post_slack, slack_event
from tests.integration.intake.test_mail import post
from tests.unit.intake.test_random_inputs import MAILS, PIECES, SLACK, WEBHOOKS, mutated

pytestmark = pytest.mark.stack

WEBHOOKS_TRIED, MAILS_TRIED = 120, 120


@pytest.fixture
async def api(installation: Installation, tmp_path: Path) -> AsyncIterator[Api]:
    await configure(installation)
    put_secrets(tmp_path / "secrets")
    async with an_api(installation.settings, tmp_path) as api:
        yield api


async def test_a_signed_event_with_a_subtype_that_is_no_text_is_kept(api: Api) -> None:
    answer = await post_slack(api, slack_event(subtype=["x"]))
    assert answer.status_code == 200, answer.text
    assert answer.json()["messages"] == []
    kept = (await api.get(f"/v1/quarantine/{answer.json()['quarantine_id']}")).json()
    assert (kept["reason"], kept["detail"]) == ("unclear", "unknown: of a kind that is not known")


@pytest.mark.parametrize(
    "mail",
    [
        b"From: a@x\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
        b"From: a@x\r\nSubject: =?utf-7?Q?+2AA-?=\r\n\r\nx",
        b"From: a@x\r\nSubject: =?unicode_escape?Q?=5Cud800?=\r\n\r\nx",
        b"From: a@x\r\nContent-Disposition: attachment; filename*=utf-7''+2AA-\r\nContent-Type: a/b\r\n\r\nx",
        b"From: a@x\r\nDate: Mon, 1 Jan 0001 00:00:00 +2359\r\n\r\nx",
    ],
)
async def test_a_mail_with_half_a_character_is_accepted(api: Api, mail: bytes) -> None:
    answer = await post(api, mail)
    assert answer.status_code == 202, answer.text
    assert answer.json()["ticket_id"]


async def test_whatever_a_provider_says_it_ends_somewhere(api: Api) -> None:
    chance = random.Random(7)
    all_of = [(connector, other) for connector, payload in WEBHOOKS for other in mutated(payload)]
    for connector, other in chance.sample(all_of, WEBHOOKS_TRIED):
        answer = await (post_slack(api, orjson.dumps(other)) if connector is SLACK else post_meta(api, other))
        assert answer.status_code == 200, (other, answer.text)


async def test_whatever_a_mail_says_it_ends_somewhere(api: Api) -> None:
    chance = random.Random(8)
    for number in range(MAILS_TRIED):
        raw = bytearray(MAILS[number % len(MAILS)])
        for _ in range(chance.randrange(1, 8)):
            at = chance.randrange(len(raw) + 1)
            raw[at : at + chance.choice((0, 1, 5, 40))] = chance.choice(PIECES)
        answer = await post(api, bytes(raw))
        assert answer.status_code == 202, (bytes(raw), answer.text)
        said = answer.json()
        assert said.get("ticket_id") or said.get("quarantine_id")
        assert said.get("reason") not in ("fault", "reader-ended"), (bytes(raw), said)
