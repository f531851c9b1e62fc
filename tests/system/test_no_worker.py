"""An installation whose workers stop answering, as a process does that hangs or whose machine is gone."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.system.app import App, running

PROMISED_SECONDS = 15


def until(app: App, wanted: Callable[[dict[str, Any]], bool], *, seconds: float) -> dict[str, Any]:
    """The first answer of `/health` that is as wanted."""
    end = time.monotonic() + seconds
    while True:
        answer: dict[str, Any] = app.client.get("/health").json()
        if wanted(answer):
            return answer
        assert time.monotonic() < end, answer
        time.sleep(0.5)


def test_health_says_that_no_worker_answers(tmp_path: Path) -> None:
    """Within the promised time, since when; orders are taken and wait, and it is well again when they are back."""
    with running(tmp_path) as app:
        until(app, lambda answer: answer.get("worker") is True, seconds=60)
        workers = [process for process in app.family() if any("worker.py" in part for part in process.cmdline())]
        for process in workers:
            process.suspend()
        try:
            answer = until(app, lambda answer: answer["status"] == "degraded", seconds=PROMISED_SECONDS)
            assert (answer["worker"], answer["queue"]) == (False, None)
            assert answer["workerSince"] is not None
            generation = app.order()
            assert app.client.get(f"/generations/{generation}/status").json()["status"]["status"] == "pending"
        finally:
            for process in workers:
                process.resume()
        until(app, lambda answer: answer["status"] == "ok", seconds=30)
        assert app.until_ended(generation)["status"] == "completed"
