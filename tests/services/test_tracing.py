import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import update

from core import db, logs, tracing
from core.clock import utc_now
from core.db import Database
from core.db.tables import Generation
from core.generations import told
from core.worker import traces
from core.workspaces.access import Member
from tests.factories.generations import create_completed, load_generation


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Takes all spans of this process for as long as the test runs."""
    exporter = InMemorySpanExporter()
    tracing.begin("", "test", exporter=exporter)
    yield exporter
    tracing.end()


def named(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """What was made, by name; the last where there are several of one."""
    return {span.name: span for span in exporter.get_finished_spans()}


def test_without_a_collector_nothing_is_loaded_and_nothing_is_made() -> None:
    """What makes spans loads nothing of OpenTelemetry, though it is installed here, and spans are no work."""
    program = "import sys, core.db.engine, core.db.traced, core.worker.traces; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert not [name for name in ran.stdout.split() if name.startswith("opentelemetry")]
    with tracing.span("anything") as span:
        assert span is None
    assert tracing.traceparent() is None


def test_order_to_file_is_one_trace(database_url: str, spans: InMemorySpanExporter) -> None:
    """An order keeps its span; each stage of its clip hangs on it and is linked to it, as its timeline has it."""
    database = Database(database_url)  # made after spans were wanted, as in a process that makes them
    with db.using(database):
        with tracing.span("POST /generate"):
            row = _completed(database)
        traces.ended(row.id)
        traces.preview(row, began=utc_now() - timedelta(seconds=1), over=utc_now())
    database.dispose()

    found = named(spans)
    order = found["POST /generate"].get_span_context()
    assert order is not None
    assert row.traceparent is not None
    assert row.traceparent.startswith(f"00-{order.trace_id:032x}-{order.span_id:016x}-")
    assert {"queue", "submit", "wait", "collect", "preview"} <= set(found)
    for name in ("queue", "submit", "wait", "collect", "preview"):
        span = found[name]
        assert span.parent is not None
        assert (span.parent.trace_id, span.parent.span_id) == (order.trace_id, order.span_id)
        assert [link.context.span_id for link in span.links] == [order.span_id]
        assert span.attributes is not None
        assert span.attributes["video.generation_id"] == row.id
        assert span.start_time is not None
        assert span.end_time is not None
        assert span.start_time <= span.end_time
    statements = [span for span in spans.get_finished_spans() if span.name == "INSERT"]
    assert statements
    assert {span.parent.span_id for span in statements if span.parent} == {order.span_id}
    assert "a lake at dusk" not in str([dict(span.attributes or {}) for span in spans.get_finished_spans()])


def test_lines_name_their_trace(database_url: str, spans: InMemorySpanExporter) -> None:
    """A line of a request, and one of what works on its clip later, has the id by which its spans are found."""
    database = Database(database_url)
    with db.using(database):
        with tracing.span("POST /generate"):
            row = _completed(database)
            of_request = logs.ids()["trace_id"]
        assert "trace_id" not in logs.ids()
        with told.about(row):
            assert logs.ids()["trace_id"] == of_request
        with told.about_id(row.id):
            assert logs.ids()["trace_id"] == of_request
    database.dispose()

    context = named(spans)["POST /generate"].get_span_context()
    assert context is not None
    assert of_request == f"{context.trace_id:032x}"


def test_clip_of_before_has_no_spans(database: Database, spans: InMemorySpanExporter, person: Member) -> None:
    """What was ordered when nobody wanted spans has none later."""
    row = create_completed(database, person)
    with database.write_session() as session:
        session.execute(update(Generation).where(Generation.id == row.id).values(traceparent=None))
    with db.using(database):
        traces.ended(row.id)

    assert spans.get_finished_spans() == ()


def _completed(database: Database) -> Generation:
    from tests.factories.users import create_member

    row = create_completed(database, create_member(database))
    return load_generation(row.id, database)
