"""What Slack and Meta say: messages, edits, reactions, reports, and what is ignored."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointsman_intake.hooks.meta import read_meta
from pointsman_intake.hooks.slack import read_slack
from pointsman_intake.said import NotUnderstood, Read

SAMPLES = Path(os.environ.get("POINTSMAN_SAMPLES", "/nonexistent")) / "intake/webhook"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="POINTSMAN_SAMPLES is not set")


def slack(event: dict[str, Any], event_id: str = "Ev1") -> Read:
    return read_slack(
        orjson.dumps({"type": "event_callback", "event_id": event_id, "event": event}), "application/json"
    )


def meta(payload: Any) -> Read:
    return read_meta(orjson.dumps(payload), "acme", "facebook")


MESSAGE = {"type": "message", "channel": "C1", "user": "U1", "text": "help", "ts": "1767225600.000100"}


def test_a_mention_and_its_message_are_one() -> None:
    said, mention = slack(MESSAGE).messages[0], slack(MESSAGE | {"type": "app_mention"}, "Ev2").messages[0]
    assert said.external_id == mention.external_id == "C1:1767225600.000100"


def test_a_reply_in_a_slack_thread_is_in_its_conversation() -> None:
    root, answer = slack(MESSAGE), slack(MESSAGE | {"ts": "1767225601.0", "thread_ts": MESSAGE["ts"]})
    assert root.messages[0].thread == answer.messages[0].thread


def test_a_direct_message_is_in_its_channels_conversation() -> None:
    assert slack(MESSAGE | {"channel_type": "im"}).messages[0].thread == "C1"


@pytest.mark.parametrize(
    "changes",
    [
        {"subtype": "bot_message", "bot_id": "B1"},
        {"bot_id": "B1"},
        {"subtype": "channel_join"},
        {"type": "channel_created"},
        {"user": ""},
        {"ts": ""},
        {"channel": 7},
    ],
)
def test_what_no_customer_said_is_ignored(changes: dict[str, Any]) -> None:
    read = slack(MESSAGE | changes)
    assert not read.messages
    assert len(read.ignored) == 1


def test_an_edit_names_what_it_replaces_and_an_unfurled_link_is_none() -> None:
    changed = {"type": "message", "subtype": "message_changed", "channel": "C1", "event_ts": "1767225700.0"}
    edit = slack(changed | {"message": MESSAGE | {"text": "help!"}, "previous_message": MESSAGE}).messages[0]
    assert (edit.kind, edit.replaces, edit.text) == ("edit", "C1:1767225600.000100", "help!")
    assert slack(changed | {"message": MESSAGE, "previous_message": MESSAGE}).ignored


def test_a_reaction_joins_and_never_opens() -> None:
    event = {"type": "reaction_added", "user": "U1", "reaction": "+1", "item": {"channel": "C1", "ts": "1.0"}}
    said = slack(event | {"event_ts": "2.0"}).messages[0]
    assert (said.kind, said.text, said.cites, said.joins_only) == ("reaction", ":+1:", ("C1:1.0",), True)


def test_slacks_challenge_is_answered() -> None:
    assert read_slack(b'{"type": "url_verification", "challenge": "x"}', "application/json").reply == {"challenge": "x"}


def test_what_is_no_event_is_not_understood() -> None:
    for body in (b"{", b"[]", b'{"type": "event_callback"}'):
        with pytest.raises(NotUnderstood):
            read_slack(body, "application/json")
    for body in (b"{", b"[]", b'{"object": "page"}', b'{"entry": 3}'):
        with pytest.raises(NotUnderstood):
            read_meta(body, "acme", "facebook")


def messenger(**event: Any) -> Read:
    event = {"sender": {"id": "S1"}, "recipient": {"id": "P1"}, "timestamp": 1648581633369} | event
    return meta({"object": "page", "entry": [{"id": "P1", "messaging": [event]}]})


def test_messenger_messages_echoes_and_receipts() -> None:
    said = messenger(message={"mid": "m1", "text": "hi"}).messages[0]
    assert (said.external_id, said.thread, said.person.handle) == ("m1", "P1:S1", "messenger:S1")
    assert said.occurred_at is not None
    assert said.occurred_at.year == 2022
    assert messenger(message={"mid": "m1", "is_echo": True}).ignored[0].kind == "echo"
    report = messenger(delivery={"mids": ["m9"]}).reports[0]
    assert (report.state, report.external_id) == ("delivered", "m9")
    assert messenger(read={"watermark": 1}).ignored[0].kind == "read"


def test_an_unsent_message_is_a_deletion() -> None:
    said = messenger(message={"mid": "m1", "is_deleted": True}).messages[0]
    assert (said.kind, said.replaces, said.external_id) == ("delete", "m1", "m1:delete")


def test_a_page_comment_is_a_comment_of_its_author() -> None:
    value = {
        "item": "comment",
        "verb": "add",
        "comment_id": "c1",
        "post_id": "p1",
        "message": "nice",
        "from": {"id": "9"},
    }
    (said,) = meta({"object": "page", "entry": [{"changes": [{"field": "feed", "value": value}]}]}).messages
    assert (said.kind, said.thread, said.text) == ("comment", "p1:9", "nice")
    like = value | {"item": "like"}
    assert meta({"object": "page", "entry": [{"changes": [{"field": "feed", "value": like}]}]}).ignored


@needs_samples
@pytest.mark.parametrize("folder", ["slack", "slack-shapes", "messenger", "instagram", "whatsapp-cloud"])
def test_the_samples_bring_no_message_without_an_id(folder: str) -> None:
    for path in sorted((SAMPLES / folder).iterdir()):
        kind = "application/json" if path.suffix == ".json" else "application/x-www-form-urlencoded"
        try:
            if folder.startswith("slack"):
                read = read_slack(path.read_bytes(), kind)
            else:
                read = read_meta(path.read_bytes(), "acme", "facebook")
        except NotUnderstood:
            continue
        for said in read.messages:
            assert said.external_id.strip(":"), path.name
            assert said.thread.strip(":"), path.name


@needs_samples
def test_the_whatsapp_samples_are_read_as_their_index_says() -> None:
    def read(name: str) -> Read:
        return read_meta((SAMPLES / "whatsapp-cloud" / name).read_bytes(), "acme", "whatsapp")

    text = read("message.text.json").messages[0]
    assert (text.external_id, text.person.phone, text.text) == ("wamid.xyzxyz", "+972987654321", "Body Text")
    assert read("message.reaction.json").messages[0].kind == "reaction"
    assert read("deleted_message.revoke.json").messages[0].kind == "delete"
    assert read("message.document.json").messages[0].files
    failed = read("message_status.failed.json").reports[0]
    assert (failed.state, failed.permanent) == ("failed", True)
    assert read("message_status.read.json").reports[0].state == "read"
    assert not read("outgoing_message.text.json").messages
