"""What a deploy does to the workers: each ends when told to, and nothing that was sent is left uncertain."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.db.enums import Stage, Status
from core.worker import endings, supervisor, tasks
from tests import simulators
from tests.system.app import ROOT, free_port
from tests.system.installation import Installation, installed

pytestmark = pytest.mark.process


@pytest.fixture
def site() -> Iterator[Installation]:
    """An installation with Redis, and no worker yet."""
    with simulators.running("modelslab", seconds=1, limit=1000) as url, installed(url) as found:
        found.start_redis()
        yield found


def test_times_of_the_roles() -> None:
    """A submit may take as long as an order can, and whoever waits for it waits longer."""
    assert endings.STOP_SECONDS["submit"] >= tasks.SUBMIT_SECONDS + 15
    assert endings.STOP_SECONDS["collect"] > endings.COLLECT_SECONDS
    assert supervisor.STOP_SECONDS > endings.COLLECT_AT_A_DESK_SECONDS
    assert max(endings.STOP_SECONDS.values()) + supervisor.STOP_SECONDS <= endings.WHOLE_SECONDS


def test_stop_while_the_vendor_is_slow_to_answer(site: Installation) -> None:
    """A worker that sends an order waits for the answer, longer than other processes may take, and keeps it."""
    worker = site.start_worker()
    generation_id = site.order("[sim:held] a lake")
    site.until(lambda: len(site.submits()) == 1, "the vendor has it", seconds=240)
    worker.terminate()
    with pytest.raises(subprocess.TimeoutExpired):  # the vendor takes its time: this is not waiting for something
        worker.wait(supervisor.STOP_SECONDS + 2)
    assert site.row(generation_id).stage is Stage.SUBMITTING
    httpx.post(f"{site.vendor_url}/_sim/let-go").raise_for_status()

    assert worker.wait(150) == 0
    row = site.row(generation_id)
    assert (row.status, row.stage) == (Status.PROCESSING, Stage.WAITING)
    assert row.provider_job_id is not None
    assert site.submits() == {generation_id: 1}
    site.check_books()


def test_health_of_each_role(site: Installation, tmp_path: Path) -> None:
    """Each part says over HTTP that it works, that it waits while Redis is away, and ends with 0 when told to."""
    ports = {role: free_port() for role in ("dispatcher", "submit", "collect")}
    workers = {
        role: site.start_worker("--role", role, "--health-port", str(port), log=tmp_path / role)
        for role, port in ports.items()
    }

    def are(state: str, code: int) -> bool:
        try:
            answers = [httpx.get(f"http://127.0.0.1:{port}/ready", timeout=30) for port in ports.values()]
        except httpx.TransportError:  # one has not begun yet
            return False
        return all((answer.json()["state"], answer.status_code) == (state, code) for answer in answers)

    site.until(lambda: are("working", 200), "all work", seconds=240)
    site.kill_redis()
    site.order("a lake")  # so that the dispatcher has something to hand over
    site.until(lambda: are("waiting", 503), "all wait", seconds=240)
    assert [httpx.get(f"http://127.0.0.1:{port}/health").status_code for port in ports.values()] == [200] * 3
    site.start_redis()
    site.until(lambda: are("working", 200), "all work again", seconds=240)
    for worker in workers.values():
        worker.terminate()
    assert {role: worker.wait(150) for role, worker in workers.items()} == dict.fromkeys(ports, 0)


def test_signal_that_came_between_two_starts(site: Installation) -> None:
    """What a process was told while it was being started anew counts: it does not begin."""
    code = (
        "import os, signal, sys; from core.worker import endings; endings.keep_signals(); "
        "os.kill(os.getpid(), signal.SIGTERM); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    command = [sys.executable, "-c", code, str(ROOT / "worker.py"), "--role", "submit"]
    began = time.monotonic()
    ended = subprocess.run(command, env=site.environ, cwd=ROOT, timeout=200, check=False, capture_output=True)
    assert (ended.returncode, ended.stderr) == (0, b""), time.monotonic() - began


def test_start_as_the_first_process(site: Installation) -> None:
    """The first process of a container, whom the system shields from signals, ends while it still waits to begin."""
    environ = site.environ | {"DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/none"}
    command = [
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        sys.executable,
        str(ROOT / "worker.py"),
        "--role",
        "submit",
    ]
    with subprocess.Popen(command, env=environ, cwd=ROOT, stderr=subprocess.PIPE, text=True) as unshare:
        assert unshare.stderr is not None
        said = unshare.stderr.readline()
        if "unshare" in said:
            assert "CI" not in os.environ, said
            pytest.skip(said)
        assert "the database cannot be used" in said
        (child,) = (Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children")).read_text().split()
        os.kill(int(child), signal.SIGTERM)
        assert unshare.wait(150) == 0
