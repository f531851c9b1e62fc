"""Keeps child processes running: restarts what dies, ends all of them with their parent, however that ends."""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 10.0
SETTLED_SECONDS = 20.0
STOP_SECONDS = 15.0


@dataclass(slots=True)
class ManagedProcess:
    """A command to keep running; it must watch its standard input (`end_with_parent`) to die with us."""

    name: str
    argv: Sequence[str]
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
        running = [child.process for child in reversed(self._children) if child.process is not None]
        for process in running:
            process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process %s did not end in time and is killed", process.pid)
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()

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


def exit_with_parent() -> None:
    """End this process when its parent is gone: standard input is a pipe the parent holds and never writes to.

    First politely (SIGTERM), after a while for good.
    """

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def run_guarded(argv: Sequence[str]) -> int:
    """Run a command that cannot watch for its parent itself, and end it with us, and us with our parent; its exit code.

    On Linux the system ends it however we end; elsewhere it stays when we are killed with SIGKILL.
    """
    with subprocess.Popen(  # noqa: S603 -- our own commands
        argv,
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_parent_process if sys.platform == "linux" else None,  # noqa: PLW1509 -- no threads yet
    ) as process:

        def pass_on(_number: int, _frame: object) -> None:
            process.terminate()

        signal.signal(signal.SIGTERM, pass_on)
        signal.signal(signal.SIGINT, pass_on)
        exit_with_parent()
        return process.wait()


def _end_with_parent_process() -> None:
    """Have Linux send SIGTERM to this process when its parent has ended, however (prctl(2)); exec keeps that."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


_PR_SET_PDEATHSIG = 1


if __name__ == "__main__":
    sys.exit(run_guarded(sys.argv[1:]))
