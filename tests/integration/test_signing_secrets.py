"""Secrets that sign or prove Standard Webhooks, in every service that keeps some."""

from base64 import b64encode
from typing import Any

import pytest

from tests.integration.workspace import Workspace

pytestmark = pytest.mark.stack

GOOD = b64encode(bytes(24)).decode()
LOOSE = ("whsec_", "whsec_YQ==", f"whsec_{GOOD[:-1]}", f"whsec_{GOOD[:-4]}-_-_")


async def test_a_key_that_would_verify_forgeries_is_found_when_it_is_put(workspace: Workspace) -> None:
    """By its prefix in every service; without the prefix where the document names it for a Standard Webhook."""
    chat = {"channel": "chat", "kind": "json"}
    site = chat | {"verify": {"scheme": "standard-webhooks", "secret": "site"}}
    hook = {"url_from": "crm-url", "secret": "crm", "events": ["ticket.assigned"]}
    await workspace.open(connectors={"site": site, "site-chat": chat}, webhooks={"crm": hook})

    async def put(service: str, name: str, value: str) -> Any:
        return await workspace.call("PUT", f"/secrets/{name}", "admin", service, json={"value": value})

    for service, name in (("intake", "site"), ("routing", "crm"), ("sla", "any"), ("intake", "any")):
        for loose in LOOSE:
            refused = await put(service, name, loose)
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/value"), (service, loose)
            assert len(loose) < 10 or loose not in refused.text
        for value in (GOOD, f"whsec_{GOOD}"):
            assert (await put(service, name, value)).status_code == 200
    for service, name in (("intake", "site"), ("routing", "crm")):
        assert (await put(service, name, "no key at all")).status_code == 422
    assert (await put("intake", "slack", "no key at all")).status_code == 200
