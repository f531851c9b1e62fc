"""The API behind a real server on loopback, in a thread of this process, for programs that want a socket."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from core import db
from core.generations import lifecycle
from core.installation import current
from tests.api.conftest import APP, CLIP, PREFIX
from tests.factories import generations


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


def finish_soon(generation_id: str) -> threading.Thread:
    """Complete a generation a moment after it was first asked about, as a worker would."""

    def work() -> None:
        time.sleep(0.5)
        database = db.default()
        places = (
            generations.DISPATCHED,
            generations.SUBMITTING,
            generations.WAITING,
            generations.READY_TO_DOWNLOAD,
            generations.DOWNLOADING,
        )
        row = generations.advance(database, generation_id, *places)
        made = generations.build_output(row.id)
        current().storage.put_bytes(made.output_key, CLIP, media_type="video/mp4")
        with database.write_session() as session:
            assert lifecycle.complete(session, row, made)

    worker = threading.Thread(target=work)
    worker.start()
    return worker
