"""What an operator watches, as Prometheus reads it (text format 0.0.4); for tokens of administrators only.

Every query looks at what is under way or at one row a person or provider, never at all that ever was.
"""

import platform
import resource
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from starlette.responses import Response

from core import db, errors
from core.api.http import routing
from core.api.http.auth import CurrentUser
from core.api.http.installed import CurrentInstallation
from core.audit import runs as audit_runs
from core.clock import utc_now
from core.db import Database, ReadSession
from core.db.enums import Role
from core.db.tables import Account, Generation, is_live
from core.insights import circuit_breaker
from core.installation import Installation
from core.messages import plain
from core.providers import registry
from core.redis import connection as redis_connection
from core.redis import job_queue

router = routing.router("health")

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure with its samples: labels -> value."""

    name: str
    help: str
    samples: Iterable[tuple[Mapping[str, str], float]]
    kind: str = "gauge"

    def lines(self) -> Iterator[str]:
        """The figure in Prometheus's text format."""
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} {self.kind}"
        for labels, value in self.samples:
            told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield f"{self.name}{{{told}}} {value:.15g}" if told else f"{self.name} {value:.15g}"


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(person: CurrentUser, installation: CurrentInstallation) -> Response:
    """Figures for Prometheus. Administrators only; a token of scope read is enough."""
    if person.role is not Role.ADMIN:
        raise errors.Forbidden(plain("These figures are for administrators."))
    with db.read_session() as session:
        found = [*_work(session), *_providers(session, installation.configured), *_money(session)]
    lines = (
        line for metric in [*found, *_queues(installation), *_process(installation.database)] for line in metric.lines()
    )
    return Response("\n".join(lines) + "\n", media_type=MEDIA_TYPE)


def _work(session: ReadSession) -> Iterator[Metric]:
    """What is under way."""
    counted = select(Generation.provider, Generation.status, func.count(), func.min(Generation.next_at))
    rows = session.execute(counted.where(is_live()).group_by(Generation.provider, Generation.status)).all()
    under_way = [
        ({"provider": provider, "status": str(status)}, float(count)) for provider, status, count, _due in rows
    ]
    yield Metric("video_generations_in_flight", "Generations that have not ended.", under_way)
    now = utc_now()
    due = [due for *_rest, due in rows if due is not None and due < now]
    late = (now - min(due)).total_seconds() if due else 0.0
    yield Metric("video_oldest_due_seconds", "How long the most overdue generation has been waiting.", [({}, late)])


def _providers(session: ReadSession, usable: frozenset[str]) -> Iterator[Metric]:
    """Whether the providers work."""
    known = circuit_breaker.states(session)
    names = [provider.name for provider in registry.providers()]
    yield Metric(
        "video_provider_configured", "Whether it can be used here.", [({"provider": n}, n in usable) for n in names]
    )
    yield Metric(
        "video_provider_up",
        "0 while it is left alone after failures, or while it does not accept our account.",
        [({"provider": n}, circuit_breaker.state(known.get(n)) is circuit_breaker.State.OK) for n in names],
    )
    yield Metric(
        "video_provider_failures",
        "Failures of its own in a row.",
        [({"provider": n}, known[n].failures if n in known else 0) for n in names],
    )


def _money(session: ReadSession) -> Iterator[Metric]:
    """Credits, and whether the books are in order."""
    available, held = session.execute(
        select(func.coalesce(func.sum(Account.available_credits), 0), func.coalesce(func.sum(Account.held_credits), 0))
    ).one()
    yield Metric("video_ledger_available_credits", "What all people can spend.", [({}, float(available))])
    yield Metric("video_ledger_held_credits", "What is reserved for generations under way.", [({}, float(held))])
    last = audit_runs.last_run(session)
    runs = [] if last is None else [last]
    yield Metric("video_audit_broken_rules", "Rules broken at the last audit.", [({}, run.broken) for run in runs])
    yield Metric(
        "video_audit_timestamp_seconds", "When that audit was made.", [({}, run.at.timestamp()) for run in runs]
    )


def _queues(installation: Installation) -> Iterator[Metric]:
    """The queue's lengths; none while it is away."""
    lengths: list[tuple[Mapping[str, str], float]] = []
    try:
        if installation.redis_url is not None:
            lengths = [
                ({"queue": name}, job_queue.length(installation.redis, name))
                for name in (job_queue.SUBMIT, job_queue.DOWNLOAD)
            ]
    except redis_connection.Unreachable:
        lengths = []
    yield Metric("video_queue_up", "Whether Redis answers.", [({}, bool(lengths))])
    yield Metric("video_queue_length", "Jobs that wait for a worker.", lengths)


def _process(database: Database) -> Iterator[Metric]:
    """This process, under the names that Prometheus's own clients use."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak_bytes = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    yield Metric("process_cpu_seconds_total", "CPU time.", [({}, used.ru_utime + used.ru_stime)], kind="counter")
    yield Metric("process_peak_memory_bytes", "The most memory it ever held.", [({}, peak_bytes)])
    yield Metric("process_threads", "Threads of Python.", [({}, threading.active_count())])
    descriptors = Path("/proc/self/fd")
    if descriptors.exists():
        yield Metric("process_open_fds", "Open files and sockets.", [({}, len(list(descriptors.iterdir())))])
    build = {"python": platform.python_version(), "database": database.engine.dialect.name}
    yield Metric("video_build_info", "What runs here; always 1.", [(build, 1)])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
