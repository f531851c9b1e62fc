"""What an operator watches, as Prometheus reads it (text format 0.0.4); for tokens of administrators only.

Every query looks at what is under way or at one row a person or provider, never at all that ever was.
"""

import platform
import resource
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from starlette.responses import Response

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses
from core.audit import runs as audit_runs
from core.clock import utc_now
from core.db import Database, ReadSession
from core.db.tables import Account, Flight
from core.insights import circuit_breaker
from core.installation import Installation
from core.providers import registry
from core.redis import connection as redis_connection
from core.redis import job_queue
from core.workspaces.permissions import Action

router = routing.router("health")


@router.get(
    "/metrics",
    response_class=Response,
    responses=refuses(403) | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def get_metrics(member: CurrentMember, installation: CurrentInstallation) -> Response:
    """Get metrics for Prometheus.

    For administrators only; a token of scope `read` is enough.
    """
    member.require(Action.OPERATE)
    with db.read_session() as session:
        stored = [*work(session), *_providers(session, installation.configured), *_money(session)]
    text = generate_latest(_Snapshot([*stored, *_queues(installation), *_process(installation.database)]))
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Snapshot(Collector):
    """The figures of one request: they are looked up for it, so there is no registry that would keep them."""

    def __init__(self, figures: Sequence[Metric]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """What `generate_latest` writes out."""
        return self._figures


def _gauge(name: str, help: str, samples: Iterable[tuple[dict[str, str], float]]) -> Metric:
    """One figure with its samples: labels -> value."""
    figure = GaugeMetricFamily(name, help)
    for labels, value in samples:
        figure.add_sample(name, labels, value)
    return figure


def work(session: ReadSession) -> Iterator[Metric]:
    """What is under way."""
    counted = select(Flight.provider, Flight.status, func.count(), func.min(Flight.next_at))
    rows = session.execute(counted.group_by(Flight.provider, Flight.status)).all()
    under_way = [
        ({"provider": provider, "status": str(status)}, float(count)) for provider, status, count, _due in rows
    ]
    yield _gauge("video_generations_in_flight", "Generations that have not ended.", under_way)
    now = utc_now()
    due = [due for *_rest, due in rows if due is not None and due < now]
    late = (now - min(due)).total_seconds() if due else 0.0
    yield _gauge("video_oldest_due_seconds", "How long the most overdue generation has been waiting.", [({}, late)])


def _providers(session: ReadSession, usable: frozenset[str]) -> Iterator[Metric]:
    """Whether the providers work."""
    known = circuit_breaker.states(session)
    names = [provider.name for provider in registry.providers()]
    yield _gauge(
        "video_provider_configured", "Whether it can be used here.", [({"provider": n}, n in usable) for n in names]
    )
    yield _gauge(
        "video_provider_up",
        "0 while it is left alone after failures, or while it does not accept our account.",
        [({"provider": n}, circuit_breaker.state(known.get(n)) is circuit_breaker.State.OK) for n in names],
    )
    yield _gauge(
        "video_provider_failures",
        "Failures of its own in a row.",
        [({"provider": n}, known[n].failures if n in known else 0) for n in names],
    )


def _money(session: ReadSession) -> Iterator[Metric]:
    """Credits, and whether the books are in order."""
    available, held = session.execute(
        select(func.coalesce(func.sum(Account.available_credits), 0), func.coalesce(func.sum(Account.held_credits), 0))
    ).one()
    yield _gauge("video_ledger_available_credits", "What all people can spend.", [({}, float(available))])
    yield _gauge("video_ledger_held_credits", "What is reserved for generations under way.", [({}, float(held))])
    last = audit_runs.last_run(session)
    runs = [] if last is None else [last]
    yield _gauge("video_audit_broken_rules", "Rules broken at the last audit.", [({}, run.broken) for run in runs])
    yield _gauge(
        "video_audit_timestamp_seconds", "When that audit was made.", [({}, run.at.timestamp()) for run in runs]
    )


def _queues(installation: Installation) -> Iterator[Metric]:
    """The queue's lengths; none while it is away."""
    lengths: list[tuple[dict[str, str], float]] = []
    try:
        if installation.redis_url is not None:
            lengths = [
                ({"queue": name}, job_queue.length(installation.redis, name))
                for name in (job_queue.SUBMIT, job_queue.DOWNLOAD)
            ]
    except redis_connection.Unreachable:
        lengths = []
    yield _gauge("video_queue_up", "Whether Redis answers.", [({}, bool(lengths))])
    yield _gauge("video_queue_length", "Jobs that wait for a worker.", lengths)


def _process(database: Database) -> Iterator[Metric]:
    """This process, under the names that Prometheus's own clients use."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak_bytes = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    yield CounterMetricFamily("process_cpu_seconds_total", "CPU time.", used.ru_utime + used.ru_stime)
    yield _gauge("process_peak_memory_bytes", "The most memory it ever held.", [({}, peak_bytes)])
    yield _gauge("process_threads", "Threads of Python.", [({}, threading.active_count())])
    descriptors = Path("/proc/self/fd")
    if descriptors.exists():
        yield _gauge("process_open_fds", "Open files and sockets.", [({}, len(list(descriptors.iterdir())))])
    build = {"python": platform.python_version(), "database": database.engine.dialect.name}
    yield _gauge("video_build_info", "What runs here; always 1.", [(build, 1)])
