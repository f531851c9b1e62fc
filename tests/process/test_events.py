"""Live streams on a real server: they arrive through everything around the API, and hold up no shutdown."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from core.api import event_hub
from core.config import Settings
from tests.api.conftest import arrive
from tests.api.test_events import listening
from tests.process.app import ROOT, free_port, running

pytestmark = pytest.mark.process


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
        app.process.wait(20)
    assert app.process.returncode in (0, -signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stream_ends_with_the_api_alone(installation: Settings, number: signal.Signals) -> None:
    """The API under uvicorn ends with a listener connected; the stream ends whole and can be taken up elsewhere."""
    ana = arrive("ana@example.org")
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "core.api:api", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | {"DATA_DIR": str(installation.data_dir)}) as process:
        until_healthy(port)
        with listening(f"http://127.0.0.1:{port}", ana) as stream:
            ana.generate()
            assert stream.next()["event"] == "generation"
            process.send_signal(number)
            with pytest.raises(EOFError):
                stream.next()
        assert process.wait(10 + event_hub.LAST_WORDS_SECONDS) in (0, -number)


def until_healthy(port: int) -> None:
    """Wait until a server answers."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=8), trust_env=False) as client:
        assert client.get(f"http://127.0.0.1:{port}/health").status_code == 200
