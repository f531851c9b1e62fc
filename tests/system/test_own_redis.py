"""The Redis that the demo brings along ends with the app, whatever of it is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from core.redis import connection as redis_connection
from core.worker import local_stack
from core.worker.supervisor import shut_down_left_over
from tests import redis as redis_server
from tests.system.app import App, audit, running

pytestmark = pytest.mark.process


def guards(app: App) -> list[psutil.Process]:
    """The guard of its Redis: one at a time."""
    return [process for process in app.family() if "core.worker.supervisor" in process.cmdline()]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a server outlives its guard until the next start")
def test_guard_killed(tmp_path: Path) -> None:
    """A guard killed with -9 takes its server along; another one brings a new server, and orders go on."""
    with running(tmp_path) as app:
        (guard,) = guards(app)
        (server,) = guard.children()
        guard.kill()
        assert not psutil.wait_procs([guard, server], timeout=10)[1]
        assert app.until_ended(app.order())["status"] == "completed"
        (other,) = guards(app)
        (its_server,) = other.children()
        assert its_server.is_running()
        checked = audit(app)
    assert checked.returncode == 0, checked.stdout
    assert not psutil.wait_procs([its_server], timeout=20)[1]


def test_app_killed_with_its_guard(tmp_path: Path) -> None:
    """A server that outlived app and guard, as it can where nothing binds them, is ended by the next app."""
    with redis_server.server() as url:
        left_over = url.removeprefix("unix://")
        (tmp_path / "redis.socket").write_text(left_over)
        with running(tmp_path) as app, redis_connection.connect(url) as connection:
            assert not redis_connection.ping(connection)
            assert app.until_ended(app.order())["status"] == "completed"


def test_shut_down_when_nobody_is_there(tmp_path: Path) -> None:
    """No socket, and one where nobody listens, are nothing to end."""
    assert not shut_down_left_over(tmp_path / "none.sock")
    with redis_server.server() as url:
        path = Path(url.removeprefix("unix://"))
        assert shut_down_left_over(path)
        assert not shut_down_left_over(path)


def test_guard_instead_of_a_left_over(tmp_path: Path) -> None:
    """A guard that is started again ends the server that its forerunner left before it begins another."""
    with redis_server.server() as url, redis_connection.connect(url) as connection:
        connection.set("left", "over")
        command = local_stack._guarded_redis(Path(url.removeprefix("unix://")))

        def is_new() -> bool:
            try:
                return not connection.exists("left")
            except redis_connection.Unreachable:
                return False

        with subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ) as guard:
            end = time.monotonic() + 20
            while not is_new():
                assert time.monotonic() < end, "the new server does not answer"
                time.sleep(0.05)
            guard.send_signal(signal.SIGTERM)
            assert guard.wait(10) is not None
