"""Logs, metrics and traces of a process.

Logs are structlog lines (JSON, or readable on a terminal) with the request, trace and workspace ids that are bound in
the context. Metrics are Prometheus'; no workspace or ticket is ever a label. Spans go to an OTLP endpoint when
`POINTSMAN_OTLP_ENDPOINT` names one, and cost nothing otherwise.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import orjson
import structlog
from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer
from prometheus_client import Counter, Gauge, Histogram

from pointsman.core.envelope import Arrived
from pointsman.runtime.settings import RuntimeSettings

BATCH_RECORDS = Histogram(
    "pointsman_batch_records", "Records and timers in a batch.", ["service"], buckets=(1, 2, 5, 10, 50, 100, 500, 2000)
)
TRANSACTION_SECONDS = Histogram(
    "pointsman_transaction_seconds",
    "Duration of a batch's transaction.",
    ["service"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
)
LAG = Gauge("pointsman_lag_records", "Records fetched and not yet decided, and not yet fetched.", ["topic", "lane"])
UNSENT = Gauge("pointsman_unsent_facts", "Committed facts that the broker has not acknowledged.", ["topic", "lane"])
UNSENT_AGE = Gauge("pointsman_unsent_age_seconds", "Age of the oldest unsent fact.", ["topic", "lane"])
GAPS = Counter("pointsman_gaps_total", "Gaps found in the numbers of a source.", ["topic"])
DROPPED = Counter("pointsman_duplicates_dropped_total", "Records dropped because their number was seen.", ["topic"])
SKIPPED = Counter("pointsman_unknown_types_total", "Facts skipped because this version does not know them.", ["topic"])
DEAD_LETTERS = Counter("pointsman_dead_letters_total", "Records that could not be decided.", ["service", "reason"])
LEASE_RENEWAL_SECONDS = Histogram(
    "pointsman_lease_renewal_seconds",
    "Duration of a renewal of all leases that this process holds.",
    ["service"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
)
LANE_MOVES = Counter("pointsman_lane_moves_total", "Lanes claimed, released and lost.", ["service", "move"])
LANES = Gauge("pointsman_lanes", "Lanes that this process runs.", ["service"])
TIMER_LATENESS = Histogram(
    "pointsman_timer_lateness_seconds",
    "How long after its due instant a timer was decided.",
    ["service", "kind"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)
ALARMS = Counter("pointsman_alarms_total", "Things wrong with the system itself.", ["service", "alarm"])


def encode(value: Any) -> bytes:
    """JSON as it goes into logs and bodies."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def configure_logs(settings: RuntimeSettings, service: str) -> None:
    """One line an event on standard error; the standard library's loggers go the same way."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_line)
            if settings.log_format == "json"
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _line(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=repr).decode()


def configure_tracing(settings: RuntimeSettings, service: str) -> Tracer:
    """The process's tracer; exports only when an endpoint is set."""
    if settings.otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider(resource=Resource.create({"service.name": f"pointsman-{service}"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_endpoint)))
        trace.set_tracer_provider(provider)
    return trace.get_tracer("pointsman")


def batch_span(service: str, lane: int, records: Sequence[Arrived]) -> AbstractContextManager[Any]:
    """A span over a batch, linked to the traces that its records belong to. Nothing when tracing is off."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        return nullcontext()
    links = []
    for record in records:
        parent = record.header("traceparent")
        if parent is not None:
            context = extract({"traceparent": parent})
            links.append(trace.Link(trace.get_current_span(context).get_span_context()))
    tracer = trace.get_tracer("pointsman")
    return tracer.start_as_current_span(
        "lane.batch", links=links, attributes={"pointsman.service": service, "pointsman.lane": lane}
    )


@contextmanager
def call_span(method: str, traceparent: str) -> Iterator[str | None]:
    """A span over an HTTP call, the child of the caller's; yields its own `traceparent`. None when tracing is off.

    Neither path nor query is in it: links carry tokens there. `name_call` adds the route.
    """
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        yield None
        return
    tracer = trace.get_tracer("pointsman")
    attributes = {"http.request.method": method}
    with tracer.start_as_current_span(
        f"HTTP {method}", extract({"traceparent": traceparent}), trace.SpanKind.SERVER, attributes
    ) as span:
        context = span.get_span_context()
        yield f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def name_call(method: str, route: str) -> None:
    """Names the current span of an HTTP call by its route, once that is known."""
    span = trace.get_current_span()
    if span.is_recording():
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)


def alarm(service: str, name: str, **details: Any) -> None:
    """Something is wrong with the system itself: an error log, a metric, and a Prometheus rule on it."""
    ALARMS.labels(service, name).inc()
    structlog.get_logger(__name__).error("alarm", alarm=name, **details)
