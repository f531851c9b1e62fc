"""Orders and clips at any point of their life, moved there as dispatcher and workers move them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from core import db, errors
from core.clock import utc_now
from core.db import Database, WriteSession
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation
from core.generations import flights, lifecycle, turns
from core.generations.state_machine import State
from core.generations.submit import Order, submit
from core.messages import message, plain
from core.spec import GenerationSpec
from core.workspaces.access import Member
from tests.factories.projects import create_project

CONFIGURED = frozenset({"demo", "modelslab", "edenai"})
QUOTA_BYTES = 10**9
CLIP_FACTS = {
    "width": 1280,
    "height": 720,
    "duration_seconds": 5.0,
    "frame_rate": 24.0,
    "video_codec": "h264",
    "audio_codec": "aac",
    "container": "mp4",
    "size_bytes": 1000,
    "sha256": "0" * 64,
}

DISPATCHED = (Status.PENDING, Stage.DISPATCHED)
SUBMITTING = (Status.PROCESSING, Stage.SUBMITTING)
WAITING = (Status.PROCESSING, Stage.WAITING)
READY_TO_DOWNLOAD = (Status.PROCESSING, Stage.READY_TO_DOWNLOAD)
DOWNLOADING = (Status.PROCESSING, Stage.DOWNLOADING)

NOTES = {
    Stage.QUEUED: plain("Back in the queue"),
    Stage.DISPATCHED: message("next_in_line", provider="Demo Studio"),
    Stage.SUBMITTING: message("sending", provider="Demo Studio"),
    Stage.WAITING: message("accepted", provider="Demo Studio"),
    Stage.READY_TO_DOWNLOAD: message("provider_finished"),
    Stage.DOWNLOADING: message("fetching"),
}
"""What the worker notes of each step."""


def build_spec(model_id: str = "demo-film", **changes: Any) -> GenerationSpec:
    """A clip of 5 seconds in 720p, for 50 credits with the demo's model; with changes."""
    settings: dict[str, Any] = {
        "prompt": "a lake at dusk",
        "resolution": "720p",
        "duration_seconds": 5,
        "aspect_ratio": "16:9",
    }
    return GenerationSpec(model_id=model_id, **(settings | changes))


def build_order(project_id: str, **changes: Any) -> Order:
    """An order of such a clip, with changes to it."""
    return Order(project_id, build_spec(**changes))


def create_generation(database: Database, user: Member, **changes: Any) -> Generation:
    """A demo order that waits, with changes to it; in a project of its own unless `project_id` is among them."""
    key = changes.pop("idempotency_key", None)
    project_id = changes.pop("project_id", None) or create_project(database, user).id
    order = build_order(project_id, **changes)
    with database.write_session() as session:
        return submit(session, user, order, configured=CONFIGURED, quota_bytes=QUOTA_BYTES, idempotency_key=key)


def advance(
    database: Database, generation_id: str, *states: State, next_at: datetime | None = None, **values: Any
) -> Generation:
    """Move a generation through states; `values` are written with each, and it is due in 20 s unless said otherwise."""
    for status, stage in states:
        with database.write_session() as session:
            row = lifecycle.locked(session, generation_id)
            assert row is not None
            due = next_at or utc_now() + timedelta(seconds=20)
            assert lifecycle.transition(session, row, status, stage, what=NOTES[stage], next_at=due, **values)
            if stage is Stage.DISPATCHED:
                turns.taken(session, row.provider, [session.get_one(Flight, row.id).turn])
    return load_generation(generation_id, database)


def build_output(generation_id: str, **changes: Any) -> lifecycle.Output:
    """What is known of a finished clip's files, its preview among them, without the files; with changes."""
    base = f"videos/{generation_id}/0123456789abcdef"
    known: dict[str, Any] = {
        "output_key": f"{base}.mp4",
        "thumbnail_key": f"{base}.webp",
        "preview_key": f"{base}-preview.mp4",
        "stored_bytes": 1000,
        "facts": CLIP_FACTS,
    }
    return lifecycle.Output(**(known | changes))


def create_completed(database: Database, user: Member, **changes: Any) -> Generation:
    """A generation that went all the way."""
    return finish(database, create_generation(database, user, **changes).id)


def finish(database: Database, generation_id: str) -> Generation:
    """Let an order that waits go all the way."""
    row = advance(database, generation_id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))
    return load_generation(row.id, database)


def lose_submit(database: Database, generation_id: str, *, ago: timedelta = timedelta()) -> Generation:
    """Let the submit of an order get no answer, which was noticed so long ago."""
    row = advance(database, generation_id, DISPATCHED, SUBMITTING)
    with database.write_session() as session:
        error = errors.SubmitUncertain(detail="ReadTimeout")
        assert lifecycle.mark_uncertain(session, row, error, next_at=utc_now())
        noticed = update(Generation).where(Generation.id == row.id).values(updated_at=utc_now() - ago)
        session.execute(noticed)
    return load_generation(generation_id, database)


def load_generation(generation_id: str, database: Database | None = None) -> Generation:
    """A row as it is now, in the installation's own database unless another one is given."""
    with (database or db.default()).read_session() as session:
        return session.get_one(Generation, generation_id)


def values_of(database: Database, generation_id: str) -> dict[str, Any]:
    """All that is stored of a row, for copies of it; the words of its prompt are made anew with each."""
    with database.read_session() as session:
        row = session.get_one(Generation, generation_id)
        names = [column.name for column in Generation.__table__.columns if column.name != "prompt_words"]
        return {name: getattr(row, name) for name in names}


def load_flight(generation_id: str, database: Database | None = None) -> Flight:
    """What stands of it while it is under way: when it is due, and what looks have told."""
    with (database or db.default()).read_session() as session:
        return session.get_one(Flight, generation_id)


def set_flight(generation_id: str, database: Database | None = None, **values: Any) -> None:
    """Set what moves do not."""
    with (database or db.default()).write_session() as session:
        assert flights.note(session, generation_id, **values)


def rewrite(session: WriteSession, *where: ColumnElement[bool], **values: Any) -> None:
    """Set something of these generations that no move has set, and what of it their flights have, too."""
    ids = session.scalars(select(Generation.id).where(*where)).all()
    names = {"progress": "moved_progress"}
    session.execute(
        update(Generation)
        .where(Generation.id.in_(ids))
        .values({names.get(name, name): value for name, value in values.items()})
    )
    if values.get("stage") == Stage.FINALIZED:
        session.execute(delete(Flight).where(Flight.id.in_(ids)))
    elif of_flight := {name: value for name, value in values.items() if hasattr(Flight, name)}:
        session.execute(update(Flight).where(Flight.id.in_(ids)).values(of_flight))


def make_due(generation_id: str, database: Database | None = None) -> None:
    """Let its time come, since a test cannot wait for it; also the end of its worker's lease."""
    with (database or db.default()).write_session() as session:
        rewrite(session, Generation.id == generation_id, next_at=utc_now())
