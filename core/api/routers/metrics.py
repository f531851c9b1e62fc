"""What an operator watches, as Prometheus reads it; by the API for tokens of administrators only.

Every query looks at what is under way or at one row a person or provider, never at all that ever was.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client.core import Metric
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from core import metrics
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses
from core.audit import runs as audit_runs
from core.clock import utc_now
from core.db import ReadSession, availability, backfills, snapshots
from core.db import figures as database_figures
from core.db.enums import Stage
from core.db.tables import Account, Flight
from core.insights import circuit_breaker
from core.installation import Installation
from core.metrics import gauge
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
    return Response(metrics.text(figures(installation)), media_type=metrics.CONTENT_TYPE)


def figures(installation: Installation) -> Sequence[Metric]:
    """What is looked up for this answer alone; nothing of the database while it is away."""
    found = [*_queues(installation), *database_figures.figures(installation.database)]
    try:
        with installation.database.read_session() as session:
            found += [*work(session), *_providers(session, installation.configured), *_money(session)]
            found += [*_snapshots(session), *_backfills(session)]
    except SQLAlchemyError as failure:
        if not availability.is_away(failure):
            raise
        return [*found, gauge("video_database_up", [({}, 0)])]
    return [*found, gauge("video_database_up", [({}, 1)])]


def work(session: ReadSession) -> Iterator[Metric]:
    """What is under way."""
    place = (Flight.provider, Flight.status, Flight.stage)
    rows = session.execute(select(*place, func.count(), func.min(Flight.next_at)).group_by(*place)).all()
    by_status, by_stage = Counter[tuple[str, str]](), Counter[str]()
    for provider, status, stage, count, _due in rows:
        by_status[provider, str(status)] += count
        by_stage[str(stage)] += count
    under_way = [({"provider": provider, "status": status}, count) for (provider, status), count in by_status.items()]
    yield gauge("video_generations_in_flight", under_way)
    stages = [({"stage": str(stage)}, by_stage[str(stage)]) for stage in Stage if stage is not Stage.FINALIZED]
    yield gauge("video_flights", stages)
    now = utc_now()
    due = [due for *_rest, due in rows if due is not None and due < now]
    late = (now - min(due)).total_seconds() if due else 0.0
    yield gauge("video_oldest_due_seconds", [({}, late)])


def _providers(session: ReadSession, usable: frozenset[str]) -> Iterator[Metric]:
    """Whether the providers work."""
    known = circuit_breaker.states(session)
    names = [provider.name for provider in registry.providers()]
    yield gauge("video_provider_configured", [({"provider": n}, n in usable) for n in names])
    yield gauge(
        "video_provider_up",
        [({"provider": n}, circuit_breaker.state(known.get(n)) is circuit_breaker.State.OK) for n in names],
    )
    yield gauge(
        "video_provider_failures",
        [({"provider": n}, known[n].failures if n in known else 0) for n in names],
    )


def _money(session: ReadSession) -> Iterator[Metric]:
    """Credits, and whether the books are in order."""
    available, held = session.execute(
        select(func.coalesce(func.sum(Account.available_credits), 0), func.coalesce(func.sum(Account.held_credits), 0))
    ).one()
    yield gauge("video_ledger_available_credits", [({}, float(available))])
    yield gauge("video_ledger_held_credits", [({}, float(held))])
    last = audit_runs.last_run(session)
    runs = [] if last is None else [last]
    yield gauge("video_audit_broken_rules", [({}, run.broken) for run in runs])
    yield gauge("video_audit_timestamp_seconds", [({}, run.at.timestamp()) for run in runs])


def _snapshots(session: ReadSession) -> Iterator[Metric]:
    """What keeps the database from cleaning up; 0 on SQLite."""
    held = snapshots.held(session)
    seconds: list[tuple[dict[str, str], float]] = [({}, max((each.seconds or 0.0 for each in held), default=0.0))]
    yield gauge("video_oldest_snapshot_seconds", seconds)
    behind: list[tuple[dict[str, str], float]] = [({}, max((each.transactions for each in held), default=0))]
    yield gauge("video_oldest_snapshot_transactions", behind)
    slots = [({"slot": each.name}, each.log_bytes) for each in held if each.log_bytes is not None]
    yield gauge("video_replication_slot_bytes", slots)


def _backfills(session: ReadSession) -> Iterator[Metric]:
    """How far what is being filled in after a migration has come."""
    yield gauge("video_backfill_rows", [({"backfill": row.name}, row.row_count) for row in backfills.progress(session)])


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
    yield gauge("video_queue_up", [({}, bool(lengths))])
    yield gauge("video_queue_length", lengths)
