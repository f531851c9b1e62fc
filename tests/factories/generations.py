"""Orders and finished clips for tests, made through the services as the product makes them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import Stage, Status
from core.db.tables import Generation, User
from core.generations import lifecycle
from core.generations.submit import Order, submit
from core.projects import projects

CONFIGURED = frozenset({"demo", "modelslab", "edenai"})
QUOTA_BYTES = 10**9


def order(project_id: str, **changes: Any) -> Order:
    """A demo order of 50 credits, with changes."""
    settings: dict[str, Any] = {
        "model_id": "demo-film",
        "prompt": "a lake at dusk",
        "resolution": "720p",
        "duration_seconds": 5,
        "aspect_ratio": "16:9",
    }
    return Order(project_id=project_id, **(settings | changes))


def ordered(database: Database, user: User, **changes: Any) -> Generation:
    """Submit one order of this person, in a project of its own."""
    key = changes.pop("idempotency_key", None)
    with database.write_session() as session:
        project_id = changes.pop("project_id", None) or projects.create(session, user, name="Lakes").id
        return submit(
            session,
            user,
            order(project_id, **changes),
            configured=CONFIGURED,
            quota_bytes=QUOTA_BYTES,
            idempotency_key=key,
        )


def advance(database: Database, generation_id: str, *places: tuple[Status, Stage], **values: Any) -> Generation:
    """Move a generation through places, as dispatcher and workers would."""
    for status, stage in places:
        with database.write_session() as session:
            row = lifecycle.locked(session, generation_id)
            assert row is not None
            next_at = utc_now() + timedelta(seconds=20)
            assert lifecycle.transition(session, row, status, stage, what="test", next_at=next_at, **values)
    with database.read_session() as session:
        found = session.get(Generation, generation_id)
        assert found is not None
        return found


HANDED = (Status.PENDING, Stage.DISPATCHED)
SUBMITTING = (Status.PROCESSING, Stage.SUBMITTING)
WAITING = (Status.PROCESSING, Stage.WAITING)
READY = (Status.PROCESSING, Stage.READY_TO_DOWNLOAD)
DOWNLOADING = (Status.PROCESSING, Stage.DOWNLOADING)


def output(generation_id: str, **changes: Any) -> lifecycle.Output:
    """What is known of a finished clip's files, its preview among them, without the files; with changes."""
    base = f"videos/{generation_id}/0123456789abcdef"
    known: dict[str, Any] = {
        "output_key": f"{base}.mp4",
        "thumbnail_key": f"{base}.webp",
        "preview_key": f"{base}-preview.mp4",
        "stored_bytes": 1000,
        "facts": {"width": 1280, "height": 720, "duration_seconds": 5.0, "video_codec": "h264"},
    }
    return lifecycle.Output(**(known | changes))


def completed(database: Database, user: User, **changes: Any) -> Generation:
    """A generation that went all the way."""
    row = ordered(database, user, **changes)
    row = advance(database, row.id, HANDED, SUBMITTING, WAITING, READY, DOWNLOADING)
    with database.write_session() as session:
        assert lifecycle.complete(session, row, output(row.id))
    with database.read_session() as session:
        found = session.get(Generation, row.id)
        assert found is not None
        return found


def lost(database: Database, generation_id: str, *, ago: timedelta = timedelta()) -> Generation:
    """A generation whose submit got no answer, which was noticed so long ago."""
    row = advance(database, generation_id, HANDED, SUBMITTING)
    with database.write_session() as session:
        error = errors.SubmitUncertain(detail="ReadTimeout")
        assert lifecycle.mark_uncertain(session, row, error, next_at=utc_now())
        noticed = update(Generation).where(Generation.id == row.id).values(updated_at=utc_now() - ago)
        session.execute(noticed)
    with database.read_session() as session:
        found = session.get(Generation, generation_id)
        assert found is not None
        return found
