"""Whether this installation works, for probes; it tells nothing of anybody."""

import logging

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from core import db
from core.api.http import error_handlers, routing
from core.api.http.installed import CurrentInstallation
from core.api.schemas import fields, responses
from core.db import availability
from core.insights import health
from core.redis import connection as redis_connection

log = logging.getLogger(__name__)

router = routing.router("health")


class HealthAnswer(responses.Response):
    """`queue` is null where the app brings its own; degraded means that orders are taken but wait.

    `freeBytes` is the least room on the disks that clips are written to; `lastDeliveryAt` is null when none of the
    newest orders was delivered.
    """

    status: str
    database: bool
    queue: bool | None
    oldest_pending_seconds: float
    in_flight: int
    free_bytes: int | None
    last_delivery_at: fields.MomentOrNull


@router.get("/health", response_model=HealthAnswer, responses={503: {"description": "The database does not answer"}})
def get_health(installation: CurrentInstallation) -> HealthAnswer | JSONResponse:
    """Check whether the database and the queue answer, and whether there is room for clips."""
    reachable = None if installation.settings.is_demo else redis_connection.ping(installation.redis)
    try:
        with db.read_session() as session:
            found = health.health(session, installation.settings)
    except SQLAlchemyError as failure:
        if not availability.is_away(failure):
            log.exception("the health of the database is unknown")
        return _without_database(reachable)
    return HealthAnswer(
        status="degraded" if reachable is False or found.is_disk_nearly_full else "ok",
        database=True,
        queue=reachable,
        oldest_pending_seconds=round(found.oldest_pending_seconds, 1),
        in_flight=found.in_flight,
        free_bytes=found.free_bytes,
        last_delivery_at=found.last_delivery_at,
    )


def _without_database(reachable: bool | None) -> JSONResponse:
    content = {
        "success": False,
        "status": "degraded",
        "database": False,
        "queue": reachable,
        "error": {"code": "database_unavailable", "message": "The database does not answer."},
    }
    return JSONResponse(content, status_code=503, headers={"Retry-After": str(error_handlers.RETRY_AFTER_SECONDS)})
