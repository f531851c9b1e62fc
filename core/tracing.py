"""Spans of OpenTelemetry, where the extra `telemetry` is installed and somebody wants them; else nothing at all.

A span says what took how long, by names and ids of ours; it holds no text of people. Without `begin` nothing of
OpenTelemetry's SDK is loaded, and each function here returns at once.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any

from core import logs

SERVICE = "ai-video-generator"
_TRACES_PATH = "/v1/traces"
_MISSING = "it needs the extra telemetry: pip install 'ai-video-generator[telemetry]'."

_begun: list[Any] = []
"""The tracer and its provider, once there are any."""


def begin(endpoint: str, role: str, *, exporter: Any = None) -> None:
    """Send the spans of this process to a collector at this address (OTLP over HTTP); for composition roots only.

    ValueError with a sentence where OpenTelemetry is not installed. `exporter` takes them in its place.
    """
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            processor: Any = BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}{_TRACES_PATH}"))
        else:
            processor = SimpleSpanProcessor(exporter)
    except ModuleNotFoundError:
        raise ValueError(_MISSING) from None
    end()
    resource = Resource.create({"video.role": role})
    if str(resource.attributes.get("service.name", "")).startswith("unknown_service"):  # OTEL_SERVICE_NAME names none
        resource = resource.merge(Resource({"service.name": SERVICE}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    _begun[:] = [provider.get_tracer(SERVICE), provider]  # not the global one: libraries would add spans of their own


def end() -> None:
    """Send what is left and make no more."""
    if _begun:
        _tracer, provider = _begun
        _begun.clear()
        provider.shutdown()


def is_on() -> bool:
    """Whether spans are made in this process."""
    return bool(_begun)


def span(name: str, *, traceparent: str = "", **attributes: str | int | None) -> AbstractContextManager[Any]:
    """A span around a block, below the one that is open or the one that a caller names; yields it, None without."""
    return _opened(name, traceparent, attributes) if _begun else nullcontext()


@contextmanager
def _opened(name: str, traceparent: str, attributes: Mapping[str, str | int | None]) -> Iterator[Any]:
    context = _context_of(traceparent) if traceparent else None
    with _begun[0].start_as_current_span(name, context=context, attributes=_known(attributes)) as opened:
        trace_id = f"{opened.get_span_context().trace_id:032x}"
        if logs.ids().get("trace_id") == trace_id:
            yield opened
        else:
            with logs.bound(trace_id=trace_id):
                yield opened


def has_span() -> bool:
    """Whether a span is open here that somebody will see."""
    if not _begun:
        return False
    from opentelemetry import trace

    return trace.get_current_span().is_recording()


def traceparent() -> str | None:
    """Which span is open here, as W3C's Trace Context writes it; None without one."""
    if not _begun:
        return None
    from opentelemetry import trace

    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return None
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace that a traceparent belongs to; None without one."""
    return traceparent.split("-")[1] if traceparent else None


def stage(name: str, traceparent: str, *, began: datetime, ended: datetime, **attributes: str | int | None) -> None:
    """A span of what is over, below the one that an order was made in and linked to it."""
    if not _begun:
        return
    from opentelemetry import trace

    context = _context_of(traceparent)
    origin = trace.get_current_span(context).get_span_context()
    links = [trace.Link(origin)] if origin.is_valid else []
    made = _begun[0].start_span(
        name, context=context, links=links, attributes=_known(attributes), start_time=_nanoseconds(began)
    )
    made.end(end_time=max(_nanoseconds(began), _nanoseconds(ended)))


def _context_of(traceparent: str) -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent})


def _known(attributes: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """By names with dots, as OpenTelemetry has them."""
    return {name.replace("__", "."): value for name, value in attributes.items() if value is not None}


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1e6) * 1000
