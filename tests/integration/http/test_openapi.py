"""Every API against its own document: no server error, no answer that the document does not know (schemathesis)."""

import asyncio
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as drawing
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pointsman.runtime.settings import RuntimeSettings
from pointsman.testing.installation import Installation
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key

pytestmark = [
    pytest.mark.stack,
    # Of schemathesis' own strategies.
    pytest.mark.filterwarnings("ignore:Do not use the `random` module"),
]

EXAMPLES_PER_OPERATION = 10
URL_CHARACTERS_MAX = 60_000
"""The client refuses to send longer ones."""
NEVER_ENDING = ("/stream",)
"""Streams have tests of their own: they do not end."""

NEGATIVE = schemathesis.GenerationMode.NEGATIVE
ROLES = {"intake": "connector", "routing": "admin", "sla": "admin", "metrics": "viewer"}

CHECKS = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
schemathesis.serializer.alias(["message/rfc822"], "text/plain")
APPS = sorted(entry.name for entry in entry_points(group="pointsman.apps"))


@pytest.mark.long
@pytest.mark.parametrize("service", APPS)
async def test_every_answer_is_one_that_the_document_knows(
    service: str, installation: Installation, tmp_path: Path
) -> None:
    own = with_key(installation.settings, tmp_path).model_copy(update={"command_timeout_seconds": 0.05})
    (entry,) = [entry for entry in entry_points(group="pointsman.apps") if entry.name == service]
    async with a_process(own, service) as process:
        app: FastAPI = entry.load()(process)
        async with app.router.lifespan_context(app):
            schema = schemathesis.openapi.from_dict(app.openapi())
            for found in schema.get_all_operations():
                operation: Any = found.ok()  # type: ignore[union-attr]
                if not operation.path.endswith(NEVER_ENDING):
                    await _fuzz(app, operation, bearer(_token_for(own, service, operation.path)))


def _token_for(settings: RuntimeSettings, service: str, path: str) -> str:
    """A token that the route lets in."""
    if path.startswith(("/v1/dead-letters", "/v1/facts")):
        return a_token(settings, "operator", "*", "root")
    if path.startswith("/v1/secrets"):
        return a_token(settings, "admin")
    if service == "intake" and path.startswith("/v1/quarantine"):
        return a_token(settings, "supervisor")
    return a_token(settings, ROLES[service])


async def _fuzz(app: FastAPI, operation: Any, headers: dict[str, str]) -> None:
    """Cases of one operation, called in this loop: hypothesis draws them in a thread of its own."""
    cases: list[Any] = []

    @drawing(
        max_examples=EXAMPLES_PER_OPERATION,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(operation.as_strategy(), operation.as_strategy(generation_mode=NEGATIVE)))
    def draw(case: Any) -> None:
        cases.append(case)

    await asyncio.to_thread(draw)
    async with a_client(app) as client:
        for case in cases:
            case.headers = {**(case.headers or {}), **headers}
            case.query = {name: value for name, value in (case.query or {}).items() if name != "wait"}
            sent: Any = requests.Request(**case.as_transport_kwargs(base_url="http://test")).prepare()
            if len(sent.url) > URL_CHARACTERS_MAX:
                continue
            answer = await client.request(sent.method, sent.url, headers=dict(sent.headers), content=sent.body)
            assert answer.status_code < 500 or answer.status_code == 503, (case.as_curl_command(), answer.text)
            response = schemathesis.Response.from_any(answer)
            for check in CHECKS:
                case.validate_response(response, checks=[check])
