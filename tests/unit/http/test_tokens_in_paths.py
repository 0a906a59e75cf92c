"""Links carry tokens in their path and challenges in their query: neither is in a log or a trace."""

import httpx
import pytest
import structlog
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pointsman.runtime.http.limits import CallLayer

SECRET = "s3cret-token-of-a-link"


@pytest.mark.parametrize("fails", [False, True])
async def test_a_call_is_logged_and_traced_by_its_route(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    """A failing acknowledgement wrote its path, and so its token, into the log; its span had it always."""
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.post("/v1/acks/{token}")
    async def acknowledge(token: str) -> str:
        if fails:
            raise RuntimeError("broken")
        return "done"

    layer = CallLayer(app, service="sla", body_bytes_max=1_000)
    with structlog.testing.capture_logs() as lines:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(layer, raise_app_exceptions=False), base_url="http://test"
        ) as client:
            for path in (f"/v1/acks/{SECRET}?hub.verify_token={SECRET}", f"/v1/nowhere/{SECRET}"):
                await client.post(path)
    told = "\n".join([span.to_json() for span in spans.get_finished_spans()] + [str(line) for line in lines])
    assert SECRET not in told
    assert '"http.route": "/v1/acks/{token}"' in told
    assert bool(lines) == fails
