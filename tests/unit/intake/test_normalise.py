"""Shapes of `POST /messages` to what is stored: limits, identities, what makes a message differ."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pointsman.core.instant import EPOCH
from pointsman.runtime.http.problems import Problem
from pointsman_intake.connectors import Connector
from pointsman_intake.json_messages import inbound
from pointsman_intake.model import Inbound, Person, canonical, cut
from pointsman_intake.shapes import MESSAGE

NOW = EPOCH + timedelta(days=20_000)
CHAT = Connector(channel="chat", kind="json", hints=True)


def understood(**fields: Any) -> Inbound:
    message = MESSAGE.validate_python({"connector": "site-chat", "external_id": "m1", "text": "Hello"} | fields)
    return inbound(message, "acme", CHAT, NOW)


def test_ids_and_handles_are_a_connectors_own_and_only_mail_addresses_ignore_case() -> None:
    person = Person(handle="@Ada", email=" Ada@Example.com ", phone="", id="C-7")
    assert person.identities("shop") == (
        ("shop", "id", "C-7"),
        ("", "email", "ada@example.com"),
        ("shop", "handle", "@Ada"),
    )


def test_a_text_is_cut_at_a_character() -> None:
    assert cut("é" * 10, 5) == ("éé", True)
    assert cut("abc", 5) == ("abc", False)


def test_what_is_said_makes_a_message_differ_and_where_we_cut_does_not() -> None:
    assert understood(text="a").body_hash == understood(text="a").body_hash
    assert understood(text="a").body_hash != understood(text="b").body_hash
    assert understood(customer={"email": "a@x"}).body_hash != understood(customer={"email": "b@x"}).body_hash
    long = "x" * 70_000
    assert understood(text=long + "1").body_hash != understood(text=long + "2").body_hash


def test_an_instant_of_the_future_is_now() -> None:
    assert understood(occurred_at="2100-01-01T00:00:00Z").content["occurred_at"] == NOW
    assert understood(occurred_at="2020-01-01T00:00:00+02:00").content["occurred_at"] < NOW


def test_a_nul_never_reaches_the_database() -> None:
    for fields in ({"customer": {"name": "a\x00"}}, {"thread": "a\x00"}, {"metadata": {"deep": ["a\x00"]}}):
        with pytest.raises(ValidationError):
            understood(**fields)
    with pytest.raises(Problem, match="NUL"):
        understood(text="a\x00b")
    assert canonical({"text": "a literal \\u0000"})


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, float("inf"), float("nan")])
def test_metadata_takes_no_number_that_json_cannot_carry_on(value: float) -> None:
    """They were a 500: what Python reads of `1e999` or of twenty digits no column takes."""
    with pytest.raises(ValidationError, match="/0"):
        understood(metadata={"deep": [value]})


def test_metadata_is_not_nested_without_end() -> None:
    """300 lists in one another passed every check, and then could not be written."""
    nested: Any = "x"
    for _ in range(300):
        nested = [nested]
    with pytest.raises(ValidationError, match="levels deep"):
        understood(metadata={"deep": nested})


def test_an_agents_message_is_theirs() -> None:
    said = understood(author={"kind": "agent", "agent": "anna"})
    assert (said.author_kind, said.author_id) == ("agent", "anna")
    assert understood(author={"kind": "bot"}).author_id == "site-chat"


def test_a_file_in_the_message_gets_an_id_and_its_bytes_stay_here() -> None:
    said = understood(attachments=[{"name": "a.txt", "content_type": "text/plain", "content_base64": "aGk="}])
    (reference,) = said.content["attachments"]
    assert reference["attachment_id"] == said.files[0].attachment_id
    assert (reference["size"], said.files[0].content) == (2, b"hi")
    assert "content_base64" not in reference
