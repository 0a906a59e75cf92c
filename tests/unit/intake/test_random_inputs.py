"""Whatever mail and webhooks say, reading them gives messages, what was ignored, or `NotUnderstood`. Nothing else."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointsman.core.instant import EPOCH
from pointsman_intake.connectors import Connector
from pointsman_intake.ingest import understood
from pointsman_intake.mail.charsets import codec_of, decode
from pointsman_intake.mail.message import read_mail
from pointsman_intake.model import Raw
from pointsman_intake.normalise import normalise
from pointsman_intake.parsed import NotUnderstood
from pointsman_intake.parsing import hook_arrival, read_hook
from pointsman_intake.storable import kept
from tests.unit.intake.bombs import bombs

MAILBOX = Connector(channel="email", kind="smtp", addresses=("help@acme.example",))
SLACK = Connector(channel="chat", kind="slack")
META = Connector(channel="social", kind="meta")
MUTATIONS = int(os.environ.get("POINTSMAN_MUTATIONS", "1500"))
SAMPLES = Path(os.environ.get("POINTSMAN_SAMPLES", "/nonexistent")) / "intake/email"

_MESSAGE = {
    "type": "message",
    "subtype": "file_share",
    "channel": "C1",
    "channel_type": "im",
    "user": "U1",
    "text": "help",
    "ts": "1767225600.000100",
    "thread_ts": "1767225600.000000",
    "event_ts": "1767225600.000100",
    "user_profile": {"real_name": "Ada"},
    "files": [{"name": "a.png", "mimetype": "image/png", "size": 5, "url_private": "https://x/a"}],
}
_ITEM = {"item": {"channel": "C1", "ts": "1.2"}, "user": "U1", "reaction": "+1", "event_ts": "1.3"}


def _slack(event: dict[str, Any]) -> Any:
    return {"type": "event_callback", "event_id": "Ev1", "event": event}


def _meta(kind: str, **entry: Any) -> Any:
    return {"object": kind, "entry": [{"id": "1", "time": 1767225600, **entry}]}


def _messaging(**event: Any) -> Any:
    return _meta("page", messaging=[{"sender": {"id": "9"}, "recipient": {"id": "1"}, "timestamp": 1.7e12, **event}])


def _whatsapp(*messages: dict[str, Any], **more: Any) -> Any:
    value = {
        "metadata": {"phone_number_id": "11"},
        "contacts": [{"wa_id": "39", "profile": {"name": "Ada"}}],
        "messages": [{"from": "39", "id": f"w{place}", "timestamp": "1697044621", **message}
                     for place, message in enumerate(messages)],
        **more,
    }  # fmt: skip
    return _meta("whatsapp_business_account", changes=[{"field": "messages", "value": value}])


WEBHOOKS: list[tuple[Connector, Any]] = [
    (SLACK, _slack(_MESSAGE)),
    (SLACK, _slack({**_MESSAGE, "subtype": "message_changed", "message": _MESSAGE, "previous_message": {"text": "a"}})),
    (SLACK, _slack({**_MESSAGE, "subtype": "message_deleted", "deleted_ts": "1.2", "previous_message": _MESSAGE})),
    (SLACK, _slack({"type": "reaction_added", **_ITEM})),
    (SLACK, _slack({"type": "reaction_removed", **_ITEM})),
    (SLACK, {"type": "url_verification", "challenge": "abc"}),
    (META, _messaging(message={"mid": "m1", "text": "hi", "attachments": [{"type": "x", "payload": {"url": "u"}}]})),
    (META, _messaging(message={"mid": "m1", "is_deleted": True})),
    (META, _messaging(postback={"mid": "m2", "title": "Yes", "payload": "YES"})),
    (META, _messaging(reaction={"mid": "m1", "action": "react", "emoji": "x"})),
    (META, _messaging(message_edit={"mid": "m1", "text": "new", "num_edit": 2})),
    (META, _messaging(delivery={"mids": ["m1"]})),
    (META, _meta("page", changes=[{"field": "feed", "value": {"item": "comment", "verb": "edited", "comment_id": "c",
        "post_id": "p", "from": {"id": "9", "name": "Ada"}, "message": "hi", "created_time": 1767225600}}])),
    (META, _meta("instagram", changes=[{"field": "comments", "value": {"id": "c", "media": {"id": "p"},
        "from": {"id": "9", "username": "ada"}, "text": "hi"}}])),
    (META, _whatsapp(
        {"type": "text", "text": {"body": "hi"}, "context": {"id": "w0"}},
        {"type": "image", "image": {"id": "i", "mime_type": "image/png", "caption": "see"}},
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"title": "Yes"}}},
        {"type": "location", "location": {"name": "Rome", "address": "Via", "latitude": 1.5, "longitude": 2}},
        {"type": "order", "order": {"text": "x", "product_items": [{"quantity": 1, "product_retailer_id": "p"}]}},
        {"type": "reaction", "reaction": {"message_id": "w0", "emoji": "x"}},
        {"type": "edit", "edit": {"original_message_id": "w0", "message": {"text": {"body": "new"}}}},
        statuses=[{"id": "w9", "status": "failed", "errors": [{"title": "no"}]}],
    )),
]  # fmt: skip

OTHERS: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    7,
    1.5,
    -0.0,
    1e308,
    2**63,
    10**11,
    10**18,
    "",
    "x",
    "\0",
    " ",
    "T",
    "1e999",
    "\U0001f600",
    "a" * 2_000,
    [],
    ["x"],
    [None],
    [[]],
    [{}],
    {},
    {"x": 1},
    {"id": ["x"]},
    {"type": {}},
]


def mutated(value: Any) -> Iterator[Any]:
    """The value with each part of it, itself included, replaced by a value of each JSON type, or left out."""
    yield from OTHERS
    if isinstance(value, dict):
        for name, part in value.items():
            yield {known: other for known, other in value.items() if known != name}
            for other in mutated(part):
                yield value | {name: other}
    elif isinstance(value, list):
        for place, part in enumerate(value):
            for other in mutated(part):
                yield [*value[:place], other, *value[place + 1 :]]


def read_webhook(connector: Connector, body: bytes) -> None:
    raw = Raw(body, "application/json")
    try:
        read = read_hook(raw, "acme", "hook", connector)
    except NotUnderstood:
        return
    arrival = hook_arrival(read, raw, "acme", "hook", connector, EPOCH)
    became = (read.ignored, read.unclear, arrival.messages, arrival.signals, arrival.reports)
    assert read.reply is not None or any(became), "nothing is lost without a word"
    orjson.dumps([message.content for message in arrival.messages])


@pytest.mark.parametrize(("connector", "payload"), WEBHOOKS, ids=range(len(WEBHOOKS)))
def test_a_webhook_with_any_value_of_any_type_is_read_or_not_understood(connector: Connector, payload: Any) -> None:
    """`"subtype": ["x"]` in a signed event of Slack was answered 500, and stored nowhere."""
    for other in mutated(payload):
        read_webhook(connector, orjson.dumps(other))


PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"=",
    b"=?",
    b"?=",
    b"=?utf-7?Q?+2AA-?=",
    b";",
    b'"',
    b"\\",
    b"<",
    b">",
    b"(",
    b":",
    b",",
    b"@",
    b"--b",
    b"--b--",
    b"charset=utf-7",
    b"charset=punycode",
    b"+2AA-",
    b"boundary=b",
    b"=?unicode_escape?Q?=5Cud800?=",
    b"=?idna?b?//8=?=",
    b"filename*0*=x''%ff",
    b"name*1=a",
    b"&#55296;",
    b"&#xD800;",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Date: Mon, 99 Foo 0000\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: x-uuencode\r\n",
    b"Date: 1 Jan 1 25:61 +9999",
    b"Content-Type: text/html; charset=utf-16\r\n",
    b"<pre>",
    b"<!--",
    b"style='display:none'",
    b"From: ",
    b"\r\n\r\n",
    b"Content-Type: message/delivery-status\r\n\r\n",
    b"On x y wrote:\n",
    b"> ",
    b"a" * 500,
    b"\xe2\x80\xae",
]

MAILS = [
    b"From: Ada <ada@example.com>\r\nTo: help@acme.example\r\nSubject: =?utf-8?q?Pr=C3=BCfung?=\r\n"
    b"Date: Mon, 1 Jan 2026 10:00:00 +0100\r\nMessage-ID: <a@x>\r\nReferences: <b@x> <c@x>\r\n\r\n"
    b"It burns.\r\n\r\nOn Mon, Anna wrote:\r\n> a\r\n",
    b"From: a@x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; "
    b"boundary=c\r\n\r\n--c\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+AGE-\r\n--c\r\n"
    b"Content-Type: text/html\r\n\r\n<p>a</p>\r\n--c--\r\n--b\r\nContent-Disposition: attachment; "
    b"filename*=utf-8''%C3%A4\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nhi\r\n--b--\r\n",
    b"From: MAILER-DAEMON@x\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    b"--b\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    b"Reporting-MTA: dns; x\r\n\r\nAction: failed\r\n--b--\r\n",
]


def read_raw(raw: bytes) -> None:
    try:
        said = kept(read_mail(raw, MAILBOX.addresses))
    except NotUnderstood:
        return
    message = normalise(said, "acme", "mailbox", MAILBOX, EPOCH)
    orjson.dumps((message.content, message.external_id, message.thread, message.cites, message.reference))


def test_mail_with_anything_anywhere_is_read_or_not_understood() -> None:
    chance = random.Random(7)
    mails = MAILS + [path.read_bytes()[:20_000] for path in sorted(SAMPLES.glob("**/*.eml"))]
    for number in range(MUTATIONS):
        raw = bytearray(mails[number % len(mails)])
        for _ in range(chance.randrange(1, 8)):
            at = chance.randrange(len(raw) + 1)
            raw[at : at + chance.choice((0, 0, 1, 5, 40))] = chance.choice(PIECES)
        read_raw(bytes(raw))


def test_bombs_cut_anywhere_are_read_or_not_understood() -> None:
    chance = random.Random(8)
    for raw in bombs().values():
        read_raw(raw[: chance.randrange(50, 5_000)])


@pytest.mark.parametrize(
    ("raw", "field", "text"),
    [
        (b"From: a@x\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-x", "text", "\ufffdx"),
        (b"From: a@x\r\nSubject: =?utf-7?Q?+2AA-?=x\r\n\r\n", "subject", "\ufffdx"),
        (b"From: a@x\r\nSubject: =?unicode_escape?Q?=5Cud800?=\r\n\r\n", "subject", "\\ud800"),
        (b"From: a@x\r\nContent-Type: text/plain; charset=punycode\r\n\r\nhello-x", "text", "hello-x"),
    ],
)
def test_half_a_character_is_replaced_and_a_codec_is_no_charset(raw: bytes, field: str, text: str) -> None:
    """They were answered 500, and stored nowhere."""
    assert getattr(read_mail(raw), field) == text


def test_no_file_name_has_half_a_character() -> None:
    head = b"From: a@x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; "
    for name in (b'filename="=?utf-7?Q?+2AA-?=.pdf"', b"filename*=utf-7''%2B2AA-.pdf", b'filename="\xed\xa0\x80.pdf"'):
        (file,) = read_mail(head + name + b"\r\n\r\nx").files
        assert file.name is not None
        assert file.name.encode()


def test_python_codecs_that_are_no_charsets_are_not_named_by_mail() -> None:
    for name in (
        "unicode_escape",
        "raw_unicode_escape",
        "idna",
        "punycode",
        "base64",
        "rot13",
        "hex",
        "undefined",
        "mbcs",
    ):
        assert codec_of(name) is None
        assert decode(b"a\\u0041", name) == "a\\u0041"


async def test_what_raises_is_not_understood_and_what_heals_is_an_error() -> None:
    async def raises(error: Exception) -> None:
        raise error

    for error in (
        TypeError("unhashable"),
        RecursionError(),
        MemoryError(),
        UnicodeEncodeError("utf-8", "x", 0, 1, "y"),
    ):
        with pytest.raises(NotUnderstood) as why:
            await understood(raises(error))
        assert why.value.reason == "fault"
    with pytest.raises(ConnectionError):
        await understood(raises(ConnectionError("the database is away")))
