"""Live streams on a real server: they arrive through everything around the API, and hold up no shutdown."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert

from core import db
from core.api.routers import event_hub, events
from core.db.tables import GenerationEvent
from core.installation import Installation
from core.worker import endings
from tests.api.conftest import arrive
from tests.api.streams import listening
from tests.system.app import ROOT, free_port, running

pytestmark = pytest.mark.process

MORE_THAN_SOCKETS_HOLD_BYTES = 32 * 1024**2


def test_stream_ends_with_the_app(tmp_path: Path) -> None:
    """`streamlit run` carries the stream unbuffered, also to a client that takes gzip; SIGTERM ends both, politely."""
    with (
        running(tmp_path) as app,
        app.client.stream("GET", "/generations/events", headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers
        lines = answer.iter_lines()
        assert next(lines).startswith("retry: ")
        generation_id = app.order()
        assert any(generation_id in line for line in lines)
        app.process.send_signal(signal.SIGTERM)
        assert not [line for line in lines if "reload" in line]  # reads on to a proper end of the stream
        app.process.wait(endings.WHOLE_SECONDS)
    assert app.process.returncode in (0, -signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stream_ends_with_the_api_alone(installation: Installation, number: signal.Signals) -> None:
    """The API under uvicorn ends with a listener connected; the stream ends whole and can be taken up elsewhere."""
    ana = arrive("ana@example.org")
    with alone(installation) as (process, port):
        with listening(f"http://127.0.0.1:{port}", ana) as stream:
            ana.generate()
            assert stream.next()["event"] == "generation"
            process.send_signal(number)
            with pytest.raises(EOFError):
                stream.next()
        assert process.wait(10 + event_hub.FLUSH_GRACE_SECONDS) in (0, -number)


@pytest.mark.parametrize("answer", ["steps", "file"])
def test_client_that_never_reads(installation: Installation, answer: str) -> None:
    """However much is still to be sent to somebody who takes nothing of it, the server ends when it is told to."""
    ana = arrive("ana@example.org")
    row = ana.finished()
    if answer == "file":
        path = f"/download/{row.id}"
        assert row.output_key is not None
        clip = bytes(MORE_THAN_SOCKETS_HOLD_BYTES)
        installation.storage.put_bytes(row.output_key, clip, media_type="video/mp4")
    else:
        path = "/generations/events?lastEventId=0"
        step = {"generation_id": row.id, "status": row.status, "stage": row.stage, "what": "x" * 300}
        with db.write_session() as session:
            session.execute(insert(GenerationEvent), [step] * (events.RESUME_SPAN - 1000))
    asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {ana.token}\r\n\r\n"
    with alone(installation) as (process, port), socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(asked.encode())
        assert client.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL) == b"HTTP/1.1 200"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM)


@contextmanager
def alone(installation: Installation) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """The API under uvicorn and its port; it is gone afterwards."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "core.api:api", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"DATA_DIR": str(installation.settings.data_dir)}
    ) as process:
        try:
            until_healthy(port)
            yield process, port
        finally:
            process.kill()


def until_healthy(port: int) -> None:
    """Wait until a server answers."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=8), trust_env=False) as client:
        assert client.get(f"http://127.0.0.1:{port}/health").status_code == 200
