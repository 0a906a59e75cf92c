"""Every secret that a document names is known with the service that is to have it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pointsman.contracts.document import document_schema, read_plain
from pointsman.contracts.document.needed import SECRET_KEYS, SERVICES, secrets_needed

ACME = Path(__file__).parents[3] / "deploy" / "examples" / "acme.yaml"


def names_of_secrets(schema: Any) -> Iterator[str]:
    """The properties that the schema describes as the name of a secret."""
    for shape in (schema, *schema["$defs"].values()):
        for name, described in shape.get("properties", {}).items():
            if "secret" in described.get("description", "").lower() and "name of" in described["description"].lower():
                yield name


def test_each_key_that_names_a_secret_is_looked_at() -> None:
    assert set(names_of_secrets(document_schema())) == set(SECRET_KEYS)


def test_the_secrets_of_the_example_are_found_with_the_service_that_uses_them() -> None:
    needed = {
        one.plain()["pointer"]: (one.name, one.service) for one in secrets_needed(read_plain(ACME.read_bytes()).value)
    }
    assert needed["/connectors/business-slack/verify/secret"] == ("slack-signing", "intake")
    assert needed["/connectors/app-messages/send/url_from"] == ("app-replies", "intake")
    assert needed["/webhooks/warehouse/secret"] == ("warehouse-key", "routing")
    assert {service for _, service in needed.values()} == set(SERVICES.values())
