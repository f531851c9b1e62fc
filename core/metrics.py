"""What a process counts and times of its own work, for Prometheus; it knows nothing of what is counted.

Labels are words of ours and names of providers, never people, ids or addresses, so that there are few series. What is
looked up in the database at the moment of asking is not here: see `core.api.routers.metrics`.
"""

import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no type there
REGISTRY = CollectorRegistry()
"""All of this process."""

_SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_LONG = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 90.0, 180.0, 600.0)

LOOKS = Counter("video_looks", "Looks at a provider, by what came of it.", ("provider", "outcome"), registry=REGISTRY)
LOOK_LAG = Histogram(
    "video_look_lag_seconds",
    "How long the most overdue look of a provider had been due when its turn came.",
    ("provider",),
    buckets=_LONG,
    registry=REGISTRY,
)
SUBMIT = Histogram(
    "video_submit_seconds",
    "How long sending an order took, by what came of it.",
    ("provider", "outcome"),
    buckets=_LONG,
    registry=REGISTRY,
)
COLLECT = Histogram(
    "video_collect_seconds",
    "How long a finished clip took from the first byte to stored and charged, or until that failed.",
    ("provider", "outcome"),
    buckets=_LONG,
    registry=REGISTRY,
)
PREVIEW = Histogram(
    "video_preview_seconds", "How long preview and check of a clip took.", buckets=_LONG, registry=REGISTRY
)
QUEUE_WAIT = Histogram(
    "video_queue_wait_seconds",
    "How long what was ready for a worker waited until one took it.",
    ("queue",),
    buckets=_LONG,
    registry=REGISTRY,
)
HTTP = Histogram(
    "video_http_seconds",
    "How long a request took until its answer began.",
    ("method", "route", "code"),
    buckets=_SHORT,
    registry=REGISTRY,
)
SESSIONS = Gauge("video_sessions", "Pages that are open in a browser.", registry=REGISTRY)
STORAGE = Histogram(
    "video_storage_seconds",
    "How long the store of files took; of a read until its first bytes.",
    ("op",),
    buckets=_SHORT,
    registry=REGISTRY,
)
STORAGE_ERRORS = Counter(
    "video_storage_errors", "How often the store of files was full, read-only or away.", ("op",), registry=REGISTRY
)
CREDITS = Counter(
    "video_ledger_credits", "Credits that were moved, by the kind of movement.", ("kind",), registry=REGISTRY
)

_COUNTED: tuple[Counter | Gauge | Histogram, ...] = (
    *(LOOKS, LOOK_LAG, SUBMIT, COLLECT, PREVIEW, QUEUE_WAIT),
    *(HTTP, SESSIONS, STORAGE, STORAGE_ERRORS, CREDITS),
)

LOOKED_UP: Mapping[str, str] = {
    "process_open_fds": "Open files and sockets.",
    "process_peak_memory_bytes": "The most memory it ever held.",
    "process_threads": "Threads of Python.",
    "video_audit_broken_rules": "Rules broken at the last audit.",
    "video_audit_timestamp_seconds": "When that audit was made.",
    "video_backfill_rows": "Rows filled in as yet of what a migration has left open and is not finished.",
    "video_build_info": "What runs here; always 1.",
    "video_database_up": "Whether the database answers.",
    "video_db_pool_checkedout": "Connections to the database that are in use.",
    "video_flights": "Generations that have not ended, by where they stand.",
    "video_generations_in_flight": "Generations that have not ended.",
    "video_ledger_available_credits": "What all people can spend.",
    "video_ledger_held_credits": "What is reserved for generations under way.",
    "video_oldest_due_seconds": "How long the most overdue generation has been waiting.",
    "video_oldest_snapshot_seconds": "How long the oldest transaction of the database has been open.",
    "video_oldest_snapshot_transactions": "How many transactions began since the oldest one.",
    "video_provider_configured": "Whether it can be used here.",
    "video_provider_failures": "Failures of its own in a row.",
    "video_provider_up": "0 while it is left alone after failures, or while it does not accept our account.",
    "video_replication_slot_bytes": "How much of its log a replication slot of the database holds back.",
    "video_queue_length": "Jobs that wait for a worker.",
    "video_queue_up": "Whether Redis answers.",
}
"""What is looked up when somebody asks, each a gauge: its name -> what it says."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Snapshot(Collector):
    """Figures of one answer."""

    def __init__(self, figures: Iterable[Metric]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """What `generate_latest` writes out."""
        return self._figures


def text(looked_up: Iterable[Metric] = ()) -> bytes:
    """All of this process, and what was looked up for this one answer, as Prometheus reads it (0.0.4)."""
    return generate_latest(REGISTRY) + generate_latest(_Snapshot([*_process(), *looked_up]))


def described() -> Mapping[str, tuple[str, str]]:
    """Every metric there is, as Prometheus has it: name -> (kind, what it says)."""
    counted = {family.name: (family.type, family.documentation) for family in REGISTRY.collect()}
    found = {f"{name}_total" if kind == "counter" else name: (kind, help) for name, (kind, help) in counted.items()}
    found["process_cpu_seconds_total"] = ("counter", "CPU time.")
    return dict(sorted((found | {name: ("gauge", help) for name, help in LOOKED_UP.items()}).items()))


def labels_of(name: str) -> tuple[str, ...]:
    """What a metric that this process counts is told apart by; none for what is looked up."""
    known = {each._name: each._labelnames for each in _COUNTED}  # the library has no other way to ask
    return tuple(known.get(name.removesuffix("_total"), ()))


def gauge(name: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Metric:
    """One figure of `LOOKED_UP`, with its samples: labels -> value."""
    figure = GaugeMetricFamily(name, LOOKED_UP[name])
    for labels, value in samples:
        figure.add_sample(name, dict(labels), float(value))
    return figure


def _process() -> Iterator[Metric]:
    """This process, under the names that Prometheus's own clients use."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak_bytes = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    yield CounterMetricFamily("process_cpu_seconds_total", "CPU time.", used.ru_utime + used.ru_stime)
    yield gauge("process_peak_memory_bytes", [({}, peak_bytes)])
    yield gauge("process_threads", [({}, threading.active_count())])
    descriptors = Path("/proc/self/fd")
    if descriptors.exists():
        yield gauge("process_open_fds", [({}, len(list(descriptors.iterdir())))])


def storage(op: str, *, failures: tuple[type[Exception], ...]) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Time a method of a store of files and count how often it raised one of `failures`."""
    seconds, errors = STORAGE.labels(op), STORAGE_ERRORS.labels(op)

    def counted(method: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(method)
        def run(*args: _P.args, **named: _P.kwargs) -> _R:
            began = time.monotonic()
            try:
                return method(*args, **named)
            except failures:
                errors.inc()
                raise
            finally:
                seconds.observe(time.monotonic() - began)

        return run

    return counted


def storage_stream(
    op: str, *, failures: tuple[type[Exception], ...]
) -> Callable[[Callable[_P, Iterator[_R]]], Callable[_P, Iterator[_R]]]:
    """The same for a method that gives its answer bit by bit; how fast it is taken says nothing of the store."""
    seconds, errors = STORAGE.labels(op), STORAGE_ERRORS.labels(op)

    def counted(method: Callable[_P, Iterator[_R]]) -> Callable[_P, Iterator[_R]]:
        @wraps(method)
        def run(*args: _P.args, **named: _P.kwargs) -> Iterator[_R]:
            return pieces(method(*args, **named))

        def pieces(found: Iterator[_R]) -> Iterator[_R]:
            began, is_first = time.monotonic(), True
            try:
                for piece in found:
                    if is_first:
                        seconds.observe(time.monotonic() - began)
                        is_first = False
                    yield piece
            except failures:
                errors.inc()
                raise

        return run

    return counted
