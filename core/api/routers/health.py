"""Whether this installation works, for probes; it tells nothing of anybody."""

import logging

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from core import db
from core.api.http import error_handlers, routing
from core.api.http.installed import CurrentInstallation
from core.api.schemas import responses
from core.clock import utc_now
from core.db import availability
from core.db.enums import Status
from core.db.tables import Generation, is_live
from core.redis import connection as redis_connection

log = logging.getLogger(__name__)

router = routing.router("health")


class HealthAnswer(responses.Response):
    """`queue` is null where the app brings its own; degraded means that orders are taken but wait."""

    status: str
    database: bool
    queue: bool | None
    oldest_pending_seconds: float
    in_flight: int


@router.get("/health", response_model=HealthAnswer, responses={503: {"description": "The database does not answer"}})
def get_health(installation: CurrentInstallation) -> HealthAnswer | JSONResponse:
    """Check whether the database and the queue answer."""
    reachable = None if installation.settings.is_demo else redis_connection.ping(installation.redis)
    pending = select(func.min(Generation.created_at)).where(is_live(), Generation.status == Status.PENDING)
    try:
        with db.read_session() as session:
            in_flight = session.scalar(select(func.count()).where(is_live())) or 0
            oldest = session.scalar(pending)
    except SQLAlchemyError as failure:
        if not availability.is_away(failure):
            log.exception("the health of the database is unknown")
        return _without_database(reachable)
    return HealthAnswer(
        status="degraded" if reachable is False else "ok",
        database=True,
        queue=reachable,
        oldest_pending_seconds=max(0.0, round((utc_now() - oldest).total_seconds(), 1)) if oldest else 0.0,
        in_flight=in_flight,
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
