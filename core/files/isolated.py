"""Runs one piece of work on foreign bytes in a process of its own: few at a time, with an end to memory and time.

A decoder that runs wild, or is made to, takes nobody along, and its memory is given back with its end. None of our
secrets are in its environment. Between two pieces of work there is no process, but for work that is done for each clip:
its host has loaded what that needs, touches no foreign byte, and forks itself for each piece.
"""

import atexit
import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from core import errors
from core.messages import Message, message

Work: TypeAlias = "Callable[[bytes], tuple[Mapping[str, Any], bytes]]"
"""Takes bytes, and answers with facts that can be JSON and bytes; may raise errors.MediaRejected."""

AT_ONCE = 2
WAIT_SECONDS = 60.0
_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "LANG", "LC_ALL")
REST_SECONDS = 30.0
"""A host that nobody has asked for so long ends."""
_turns = threading.BoundedSemaphore(AT_ONCE)
_hosts_lock = threading.Lock()
_resting: "dict[str, list[_Host]]" = {}
"""Hosts that do nothing now, by the module that they have loaded; at most `AT_ONCE` of each."""


def run(
    work: str, data: bytes, *, memory_bytes: int, seconds: int, is_hosted: bool = False
) -> tuple[Mapping[str, Any], bytes]:
    """What the function `work` ("package.module:name", a `Work`) makes of `data`.

    With `is_hosted` a host is started, or asked that is there: loading is then paid once and not each time.
    Raises errors.MediaRejected as the work does, and with the reason `unreadable` when it needs more than
    `memory_bytes` or `seconds` or breaks down; errors.RateLimited when `AT_ONCE` others take too long.
    """
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise errors.RateLimited(retry_after_seconds=WAIT_SECONDS)
    try:
        ask = _ask_host if is_hosted else _ask_alone
        told = ask(work, data, memory_bytes=memory_bytes, seconds=seconds)
    finally:
        _turns.release()
    head, _, body = told.partition(b"\n")
    try:
        facts = json.loads(head)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise _unreadable(f"answered with no facts: {head[:100]!r}")
    if refused := facts.get("refused"):
        raise errors.MediaRejected(
            Message.from_json(refused["message"]), reason=refused["reason"], detail=refused["detail"]
        )
    if broke := facts.get("broke"):
        raise _unreadable(broke)
    return facts, body


def _ask_alone(work: str, data: bytes, *, memory_bytes: int, seconds: int) -> bytes:
    command = [sys.executable, "-m", "core.files.isolated", work, str(memory_bytes), str(seconds)]
    try:
        ended = subprocess.run(  # noqa: S603 -- our own module
            command, input=data, capture_output=True, timeout=seconds, cwd=_ROOT, env=_environment(), check=False
        )
    except subprocess.TimeoutExpired:
        raise _unreadable(f"took more than {seconds} s") from None
    if ended.returncode or not ended.stdout:
        raise _unreadable(f"ended with {ended.returncode}: {ended.stderr[-500:].decode(errors='replace')}")
    return ended.stdout


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}


def _ask_host(work: str, data: bytes, *, memory_bytes: int, seconds: int) -> bytes:
    """By a host that rests, else a new one; what one that has ended meanwhile was asked is asked of another."""
    module = work.partition(":")[0]
    asked = {"work": work, "memory_bytes": memory_bytes, "seconds": seconds, "length": len(data)}
    while True:
        with _hosts_lock:
            resting = _resting.setdefault(module, [])
            is_new = not resting
            host = _Host(module) if is_new else resting.pop()
        try:
            told, code = host.ask(asked, data, seconds=seconds)
        except _HasEnded as ended:
            host.close()
            if is_new:
                raise _unreadable(f"ended with {ended.code}") from None
            continue
        except BaseException:
            host.close()
            raise
        with _hosts_lock:
            resting.append(host)
        if code:
            raise _unreadable(f"ended with {code}")
        return told


@atexit.register
def end_hosts() -> None:
    """End all hosts that rest."""
    with _hosts_lock:
        resting = [host for hosts in _resting.values() for host in hosts]
        _resting.clear()
    for host in resting:
        host.close()


class _HasEnded(Exception):
    """A host is gone before it said anything."""

    def __init__(self, code: int) -> None:
        self.code = code


class _Host:
    """One host, which does one piece of work at a time; a parent that ends takes it along."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- our own module
            [sys.executable, "-m", "core.files.isolated", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env=_environment(),
            start_new_session=True,  # with all that it forks it can be ended together
        )

    def ask(self, asked: Mapping[str, Any], data: bytes, *, seconds: int) -> tuple[bytes, int]:
        """What the work says, and how its process ended. Raises _HasEnded, MediaRejected for too long or no answer."""
        source, sink = self._process.stdout, self._process.stdin
        assert source is not None  # noqa: S101 -- as it was started
        assert sink is not None  # noqa: S101
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            self.kill()

        alarm = threading.Timer(seconds, end)
        alarm.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                sink.write(json.dumps(asked).encode() + b"\n")
                sink.write(data)
                sink.flush()
            said = json.loads(head) if (head := source.readline()) else None
            told, code = (b"", 0) if said is None else (source.read(said["length"]), int(said["code"]))
        except (ValueError, TypeError, KeyError) as garbled:
            raise _unreadable(f"its host gave no answer: {garbled!r}") from None
        finally:
            alarm.cancel()
        if is_late.is_set():
            raise _unreadable(f"took more than {seconds} s")
        if said is None:
            raise _HasEnded(self._process.wait())
        return told, code

    def close(self) -> None:
        """End it while nobody reads from it."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def kill(self) -> None:
        """End it, and what it has forked."""
        if self._process.poll() is None:  # else its number may be another's by now
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _unreadable(detail: str) -> errors.MediaRejected:
    return errors.MediaRejected(message("media_unreadable"), reason="unreadable", detail=detail)


def _answer(work: str, data: bytes) -> tuple[Mapping[str, Any], bytes]:
    module, _, name = work.partition(":")
    function: Work = getattr(importlib.import_module(module), name)
    try:
        return function(data)
    except errors.MediaRejected as refusal:
        told = {"message": refusal.message.to_json(), "reason": refusal.reason, "detail": refusal.detail}
        return {"refused": told}, b""


def _limit(memory_bytes: int, seconds: int) -> None:
    """Set the limits on this process; they hold in it, and in it alone."""
    import resource  # the child's alone, and not on every system

    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):  # macOS has no limit of memory
            resource.setrlimit(kind, (limit, limit))


def _main(work: str, memory_bytes: str, seconds: str) -> None:
    _limit(int(memory_bytes), int(seconds))
    facts, body = _answer(work, sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + body)


def _be_host(module: str) -> None:
    """Load a module and its `HOST_LOADS`, and fork for each piece of work, until nobody has asked for a while."""
    for name in getattr(importlib.import_module(module), "HOST_LOADS", ()):
        importlib.import_module(name)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while select.select([source], [], [], REST_SECONDS)[0] and (line := source.readline()):
        asked = json.loads(line)
        told, code = _forked(asked, source.read(asked["length"]))
        sink.write(json.dumps({"code": code, "length": len(told)}).encode() + b"\n")
        sink.write(told)
        sink.flush()


def _forked(asked: Mapping[str, Any], data: bytes) -> tuple[bytes, int]:
    """What a child says that does the work, and how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _leave_host_alone()
        try:
            _limit(asked["memory_bytes"], asked["seconds"])
            facts, body = _answer(asked["work"], data)
        except BaseException:
            facts, body = {"broke": traceback.format_exc()[-500:]}, b""
        with os.fdopen(writing, "wb") as sink:
            sink.write(json.dumps(facts).encode() + b"\n" + body)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as source:
        told = source.read()
    return told, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _leave_host_alone() -> None:
    """Keep nothing by which the host is asked and answers: what is taken over speaks for itself alone."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for known in (0, 1):
        os.dup2(nothing, known)
    os.close(nothing)


if __name__ == "__main__":
    (_be_host if len(sys.argv) == 2 else _main)(*sys.argv[1:])
