"""The API behind a real server on loopback, in a thread of this process, for programs that want a socket."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from sqlalchemy import select
from starlette.types import ASGIApp

from core import db
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import lifecycle
from core.installation import current
from tests.api.conftest import APP, CLIP, PREFIX
from tests.factories import generations

CLIP_OWN_FACTS = {"size_bytes": len(CLIP), "sha256": hashlib.sha256(CLIP).hexdigest()}


@contextmanager
def serving(app: ASGIApp = APP, *, prefix: str = PREFIX) -> Iterator[str]:
    """Serve while the block runs; yields the address of the API."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        end = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}{prefix}"
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def finishing() -> Iterator[None]:
    """Complete whatever is ordered while the block runs, as a worker would."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.05):
            with db.read_session() as session:
                pending = session.scalars(select(Generation.id).where(Generation.status == Status.PENDING)).all()
            for generation_id in pending:
                _finish(generation_id, facts=generations.CLIP_FACTS | CLIP_OWN_FACTS)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join(20)


def finish_soon(generation_id: str) -> threading.Thread:
    """Complete a generation a moment after it was first asked about, as a worker would."""

    def work() -> None:
        time.sleep(0.5)
        _finish(generation_id)

    worker = threading.Thread(target=work)
    worker.start()
    return worker


def _finish(generation_id: str, **known: Any) -> None:
    database = db.default()
    places = (
        generations.DISPATCHED,
        generations.SUBMITTING,
        generations.WAITING,
        generations.READY_TO_DOWNLOAD,
        generations.DOWNLOADING,
    )
    row = generations.advance(database, generation_id, *places)
    made = generations.build_output(row.id, **known)
    current().storage.put_bytes(made.output_key, CLIP, media_type="video/mp4")
    with database.write_session() as session:
        assert lifecycle.complete(session, row, made)
