"""What Slack and Meta say: messages, edits, reactions, reports, and what is ignored."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointsman_intake.hooks.meta import read_meta
from pointsman_intake.hooks.slack import read_slack
from pointsman_intake.parsed import NotUnderstood, ParsedWebhook

SAMPLES = Path(os.environ.get("POINTSMAN_SAMPLES", "/nonexistent")) / "intake/webhook"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="POINTSMAN_SAMPLES is not set")


def slack(event: dict[str, Any], event_id: str = "Ev1") -> ParsedWebhook:
    return read_slack(
        orjson.dumps({"type": "event_callback", "event_id": event_id, "event": event}), "application/json"
    )


def meta(payload: Any) -> ParsedWebhook:
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
    ],
)
def test_what_no_customer_said_is_ignored(changes: dict[str, Any]) -> None:
    read = slack(MESSAGE | changes)
    assert not read.messages
    assert len(read.ignored) == 1


@pytest.mark.parametrize("changes", [{"user": ""}, {"ts": ""}, {"channel": 7}, {"subtype": "hologram"}])
def test_what_looks_like_a_message_of_slack_and_is_none_is_unclear(changes: dict[str, Any]) -> None:
    read = slack(MESSAGE | changes)
    assert not read.messages
    assert len(read.unclear) == 1


def test_a_thread_in_a_direct_message_is_its_channels_conversation() -> None:
    """An answer in a thread opened a second ticket."""
    direct = MESSAGE | {"channel": "D1", "channel_type": "im"}
    answer = direct | {"ts": "1767225601.0", "thread_ts": MESSAGE["ts"]}
    assert slack(answer).messages[0].thread == slack(direct).messages[0].thread == "D1"
    edit = {"type": "message", "subtype": "message_changed", "channel": "D1", "message": answer, "event_ts": "2.0"}
    assert slack(edit).messages[0].thread == "D1"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("a &amp;lt; b", "a &lt; b"),
        ("<https://x.example/?a=1&amp;b=2>", "https://x.example/?a=1&b=2"),
        ("see <https://x.example|the page>", "see the page (https://x.example)"),
        ("<http://x.example|x.example>", "http://x.example"),
        ("<mailto:ada@example.com|ada@example.com>", "ada@example.com"),
        ("<@U1> and <@U2|ada>", "@U1 and @ada"),
        ("in <#C1|general>, <!here>", "in #general, @here"),
        ("<!subteam^S1|@team> <!date^1392734382^{date}|Feb 18>", "@team Feb 18"),
    ],
)
def test_slacks_marks_are_written_out(raw: str, text: str) -> None:
    assert slack(MESSAGE | {"text": raw}).messages[0].text == text


def test_text_that_is_only_in_blocks_is_read() -> None:
    inline = [
        {"type": "text", "text": "See "},
        {"type": "link", "url": "https://x.example", "text": "this"},
        {"type": "text", "text": " & "},
        {"type": "user", "user_id": "U7"},
    ]
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}]
    rich = {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": inline},
            {"type": "rich_text_list", "elements": items},
        ],
    }
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "*Order* &lt;7&gt;"}}
    said = slack(MESSAGE | {"text": "", "blocks": [rich, section]}).messages[0]
    assert said.text == "See this (https://x.example) & @U7\n- one\n*Order* <7>"


def test_a_forwarded_message_is_read_and_an_unfolded_link_is_not() -> None:
    """It came as empty."""
    shared = {"is_share": True, "author_name": "Bo", "text": "It burns &amp; smokes"}
    assert slack(MESSAGE | {"text": "", "attachments": [shared]}).messages[0].text == "Bo:\nIt burns & smokes"
    both = slack(MESSAGE | {"attachments": [shared]}).messages[0].text
    assert both == "help\n\nBo:\nIt burns & smokes"
    unfolded = {"from_url": "https://x.example", "title": "X", "text": "About X"}
    assert slack(MESSAGE | {"attachments": [unfolded]}).messages[0].text == "help"


def test_no_nesting_of_blocks_raises() -> None:
    block: dict[str, Any] = {"type": "rich_text", "elements": []}
    for _ in range(100):
        block = {"type": "rich_text", "elements": [block]}
    odd = [block, {"type": "section", "text": 7}, {"type": "rich_text_list", "elements": [[]]}, "x", {"type": None}]
    assert (
        slack(MESSAGE | {"text": "", "blocks": odd, "attachments": [{"message_blocks": [7]}, 3]}).messages[0].text == ""
    )


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


def messenger(**event: Any) -> ParsedWebhook:
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


@pytest.mark.parametrize(
    "event",
    [
        {"message": {"text": "hi"}},
        {"message": {"mid": "m1"}, "sender": {}},
        {"postback": {"title": "Go"}, "sender": {}},
        {"reaction": {"emoji": "x"}},
    ],
)
def test_what_looks_like_a_message_of_meta_and_is_none_is_unclear(event: dict[str, Any]) -> None:
    read = messenger(**event)
    assert (len(read.unclear), read.ignored, read.messages) == (1, (), ())


def whatsapp_contact(message: dict[str, Any], *contacts: dict[str, Any]) -> ParsedWebhook:
    value = {"metadata": {"phone_number_id": "11"}, "contacts": list(contacts), "messages": [message]}
    entry = {"changes": [{"field": "messages", "value": value}]}
    return meta({"object": "whatsapp_business_account", "entry": [entry]})


TEXT = {"id": "w1", "type": "text", "text": {"body": "hi"}}


def test_a_whatsapp_sender_without_a_number_is_their_user_id() -> None:
    """It was ignored, and nothing of it kept."""
    contact = {"user_id": "IT.77", "profile": {"username": "ada"}}
    (said,) = whatsapp_contact(TEXT | {"from_user_id": "IT.77"}, contact).messages
    assert (said.thread, said.names, said.person.id) == ("11:IT.77", ("11:IT.77",), "whatsapp:IT.77")
    assert (said.person.name, said.person.phone) == ("ada", None)


def test_a_whatsapp_sender_with_both_is_one_person() -> None:
    (said,) = whatsapp_contact(TEXT | {"from": "3912", "from_user_id": "IT.77"}).messages
    assert said.names == ("11:3912", "11:IT.77")
    assert (said.person.id, said.person.phone, said.person.handle) == ("whatsapp:IT.77", "+3912", "whatsapp:3912")
    known = {"wa_id": "3912", "user_id": "IT.77", "profile": {"name": "Ada"}}
    assert whatsapp_contact(TEXT | {"from_user_id": "IT.77"}, known).messages[0].names == said.names


def test_a_whatsapp_message_of_nobody_is_unclear() -> None:
    assert whatsapp_contact(TEXT).unclear
    assert whatsapp_contact({"type": "system"}).ignored


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
    def read(name: str) -> ParsedWebhook:
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
