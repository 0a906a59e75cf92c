"""The document that customers were shown: accepted as it stands, and no key of it silently does nothing."""

from pathlib import Path

import jsonschema

from pointsman.contracts.document import document_schema, read_document, read_plain

PROMISED = Path(__file__).with_name("promised.yaml")


def test_it_is_accepted_as_it_stands() -> None:
    raw = PROMISED.read_bytes()
    jsonschema.Draft202012Validator(document_schema()).validate(read_plain(raw).value)
    document = read_document(raw)
    assert document.queues["billing"].relax[1].lower == {"billing": 1}
    assert document.agents["helper"].kind == "bot"
    assert document.presence.gone["email"].at_latest_seconds == 28_800
    assert next(iter(document.calendars["office"].from_.values())).week is not None


def test_of_the_desk_only_agents_hours_and_logins_are_not_built() -> None:
    desk = ("queues", "channels", "skills", "classify", "agents", "teams", "presence", "webhooks", "replies")
    inactive = read_document(PROMISED.read_bytes()).inactive()
    assert [pointer for pointer in inactive if pointer.split("/")[1] in desk] == [
        "/agents/anna/hours",
        "/agents/anna/login",
        "/teams/rome/hours",
    ]
