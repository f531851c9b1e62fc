"""Keeps child processes running: restarts what dies, ends all of them with their parent, however that ends."""

import contextlib
import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 10.0
SETTLED_SECONDS = 20.0
STOP_SECONDS = 15.0
"""How long a child may take to end, unless it is said of it."""
QUIET_SECONDS = 3.0
"""After so long it is said for whom the end waits."""
_SHUT_DOWN_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1
"""Of linux/prctl.h."""


def python_path(root: Path) -> str:
    """The PYTHONPATH of children: the folder of the code first, then ours, where packages with providers may lie."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(dict.fromkeys([str(root), *filter(None, given)]))


@dataclass(slots=True)
class ManagedProcess:
    """A command to keep running; it must watch its standard input (`end_with_parent`) to die with us.

    It is killed if it has not ended `stop_seconds` after it was told to. One that `serves` the others ends after them.
    """

    name: str
    argv: Sequence[str]
    stop_seconds: float = STOP_SECONDS
    serves: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    start_at: float = field(default=0.0, init=False)
    pause_seconds: float = field(default=FIRST_PAUSE_SECONDS, init=False)


class Supervisor:
    """Starts children, looks after them from a thread, and ends them when the block ends."""

    def __init__(self, children: Sequence[ManagedProcess], *, environ: Mapping[str, str]) -> None:
        self._children = children
        self._environ = dict(environ)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> "Supervisor":
        for child in self._children:
            self._start(child)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        for serves in (False, True):
            _end([child for child in reversed(self._children) if child.serves is serves])

    def _watch(self) -> None:
        while not self._stopping.wait(0.2):
            for child in self._children:
                self._look_after(child)

    def _look_after(self, child: ManagedProcess) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                self._start(child)
        elif (code := child.process.poll()) is not None:
            if child.process.stdin is not None:
                child.process.stdin.close()
            child.process = None
            if now - child.started_at > SETTLED_SECONDS:
                child.pause_seconds = FIRST_PAUSE_SECONDS
            log.warning("%s ended with %s; started again in %.1f s", child.name, code, child.pause_seconds)
            child.start_at = now + child.pause_seconds
            child.pause_seconds = min(MAX_PAUSE_SECONDS, child.pause_seconds * 2)

    def _start(self, child: ManagedProcess) -> None:
        child.process = subprocess.Popen(child.argv, env=self._environ, stdin=subprocess.PIPE)  # noqa: S603 -- our own commands
        child.started_at = time.monotonic()


def _end(children: Iterable[ManagedProcess]) -> None:
    """End these at the same time, each as politely as long as it may take; the log says for whom one waits."""
    running = [(child, child.process) for child in children if child.process is not None]
    for _, process in running:
        process.terminate()
    began = time.monotonic()
    for child, process in running:
        waits = (QUIET_SECONDS, child.stop_seconds)
        for wait_seconds in waits:
            try:
                process.wait(max(0.1, began + wait_seconds - time.monotonic()))
                break
            except subprocess.TimeoutExpired:
                if wait_seconds == QUIET_SECONDS:
                    log.info("%s brings what is under way to its end, for %.0f s at most", child.name, waits[1])
        else:
            log.warning("%s did not end in time and is killed", child.name)
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def exit_with_parent(stop_seconds: float = STOP_SECONDS) -> None:
    """End this process when its parent is gone: standard input is a pipe the parent holds and never writes to.

    First politely (SIGTERM), after `stop_seconds` for good.
    """

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(stop_seconds)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def run_guarded(argv: Sequence[str]) -> int:
    """Run a command that cannot watch for its parent itself, and end it with ours; its exit code.

    Where the system can (Linux), it ends even when this guard is killed and can do nothing more about it.
    """
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, preexec_fn=_death_with_parent()) as process:  # noqa: S603, PLW1509 -- our own commands, and no thread runs yet

        def pass_on(_number: int, _frame: object) -> None:
            process.terminate()

        signal.signal(signal.SIGTERM, pass_on)
        signal.signal(signal.SIGINT, pass_on)
        exit_with_parent()
        return process.wait()


def _death_with_parent() -> Callable[[], None] | None:
    """What a new process does to be killed when its parent ends: prctl(2); None where there is no such thing."""
    if sys.platform != "linux":
        return None
    libc, guard = ctypes.CDLL(None, use_errno=True), os.getpid()

    def die_with_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # not politely: it would remove what its successor has made
        if os.getppid() != guard:  # killed in the moment before
            os._exit(1)

    return die_with_parent


def shut_down_left_over(socket_path: Path) -> bool:
    """End a Redis whose guard was killed and that outlived it, if one answers at this socket; whether one did."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SHUT_DOWN_SECONDS)
        try:
            connection.connect(str(socket_path))
            connection.sendall(b"SHUTDOWN NOSAVE\r\n")
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            return True
        except OSError:  # nobody is there, or it does not listen to us
            return False
    return True


def _main(arguments: Sequence[str]) -> int:
    """`[--instead-of SOCKET] COMMAND...`: guard a command; first end the server that an earlier guard has left."""
    if arguments[:1] == ["--instead-of"]:
        shut_down_left_over(Path(arguments[1]))
        arguments = arguments[2:]
    return run_guarded(arguments)


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
