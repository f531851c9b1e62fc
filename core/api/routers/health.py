"""Whether this installation works, for probes; it tells nothing of anybody."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from core import db
from core.api.http import error_handlers, routing
from core.api.http.installed import CurrentInstallation
from core.api.schemas import fields, responses
from core.db import availability
from core.insights import health
from core.insights.workers import Part, Workers
from core.installation import Installation
from core.redis import connection as redis_connection
from core.version import VERSION

log = logging.getLogger(__name__)

router = routing.router("health")


class HealthAnswer(responses.Response):
    """`queue` is null where the app brings its own; degraded means that orders are taken but wait.

    `freeBytes` is the least room on the disks that clips are written to; `lastDeliveryAt` is null when none of the
    newest orders was delivered. `storage` is there where files lie in a bucket, and false while that does not answer.

    `worker` is there once it is known, and false when no worker answers, which follows within 15 seconds; `workerSince`
    and `queueSince` are when what is missing last gave a sign of life, null where it never did. `version` is
    that of the process that answers.
    """

    status: str
    database: bool
    queue: bool | None
    oldest_pending_seconds: float
    in_flight: int
    free_bytes: int | None
    last_delivery_at: fields.MomentOrNull
    storage: bool | None = None
    worker: bool | None = None
    worker_since: datetime | None = None
    queue_since: datetime | None = None
    version: str = ""


@router.get(
    "/health",
    response_model=HealthAnswer,
    response_model_exclude_unset=True,
    responses={503: {"description": "The database does not answer"}},
)
def get_health(installation: CurrentInstallation) -> HealthAnswer | JSONResponse:
    """Check whether the database, the queue and the workers answer, and whether there is a place for clips.

    It is looked at every two seconds at most, however many ask.
    """
    found: HealthAnswer | _Away = installation.recent_health.get(lambda: _look(installation))
    return found if isinstance(found, HealthAnswer) else _without_database(found.is_queue_there)


@dataclass(frozen=True, slots=True)
class _Away:
    """The database does not answer; whether Redis does, None where the app brings its own."""

    is_queue_there: bool | None


def _look(installation: Installation) -> HealthAnswer | _Away:
    stored = installation.storage.answers()
    reachable = None if installation.settings.is_demo else redis_connection.ping(installation.redis)
    try:
        with db.read_session() as session:
            found = health.health(session, installation.settings)
            workers = installation.watch.workers(lambda: session)
    except SQLAlchemyError as failure:
        if not availability.is_away(failure):
            log.exception("the health of the database is unknown")
        return _Away(reachable)
    return HealthAnswer(
        success=True,
        status="degraded" if False in (reachable, stored) or workers.since or found.is_disk_nearly_full else "ok",
        database=True,
        queue=reachable,
        oldest_pending_seconds=round(found.oldest_pending_seconds, 1),
        in_flight=found.in_flight,
        free_bytes=found.free_bytes,
        last_delivery_at=found.last_delivery_at,
        version=VERSION,
        **_workers(workers) | ({} if stored is None else {"storage": stored}),
    )


def _workers(found: Workers) -> dict[str, Any]:
    """What is known of the workers, and since when nobody of them, or the queue, answers."""
    told: dict[str, Any] = {}
    if found.queue_is_away:
        told["queue_since"] = found.since[Part.REDIS]
    elif found.known:
        told["worker"] = not found.since
    missing = [at for part, at in found.since.items() if part is not Part.REDIS]
    if missing:
        told["worker_since"] = None if None in missing else min(at for at in missing if at)
    return told


def _without_database(reachable: bool | None) -> JSONResponse:
    content = {
        "success": False,
        "status": "degraded",
        "database": False,
        "queue": reachable,
        "version": VERSION,
        "error": {"code": "database_unavailable", "message": "The database does not answer."},
    }
    return JSONResponse(content, status_code=503, headers={"Retry-After": str(error_handlers.RETRY_AFTER_SECONDS)})
