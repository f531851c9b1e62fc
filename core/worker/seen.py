"""Lets those who watch see inside a worker's process: its metrics on a port of their own, and its spans."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from core import config, metrics, status_server, tracing
from core.config import Settings
from core.db import figures
from core.installation import Installation

log = logging.getLogger(__name__)


@contextmanager
def traced(settings: Settings, role: str) -> Iterator[None]:
    """Make spans while the block runs, where somebody wants them. BadSetting where that cannot be."""
    if settings.otel_exporter_otlp_endpoint:
        try:
            tracing.begin(settings.otel_exporter_otlp_endpoint, role)
        except ValueError as missing:
            raise config.BadSetting(f"OTEL_EXPORTER_OTLP_ENDPOINT: {missing}") from None
    try:
        yield
    finally:
        tracing.end()


@contextmanager
def measured(opened: Installation, port: int | None) -> Iterator[None]:
    """Give the metrics of this process while the block runs; one whose port is taken works all the same."""
    with ExitStack() as stack:
        if port is not None:
            try:
                paths = {status_server.METRICS: lambda: _answer(opened)}
                stack.enter_context(status_server.serving(opened.settings.metrics_host, port, paths))
            except OSError as taken:
                log.warning("METRICS_PORT: %s cannot be used (%s); this process gives no metrics", port, taken.strerror)
        yield


def _answer(opened: Installation) -> status_server.Answer:
    return status_server.Answer(metrics.text(figures.figures(opened.database)), metrics.CONTENT_TYPE)
