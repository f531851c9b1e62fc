"""Runs one piece of work on foreign bytes in a process of its own: few at a time, with an end to memory and time.

A decoder that runs wild, or is made to, takes nobody along, and its memory is given back with its end. Between two
pieces of work there is no process, and none of our secrets are in its environment.
"""

import contextlib
import importlib
import json
import os
import subprocess
import sys
import threading
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
_turns = threading.BoundedSemaphore(AT_ONCE)


def run(work: str, data: bytes, *, memory_bytes: int, seconds: int) -> tuple[Mapping[str, Any], bytes]:
    """What the function `work` ("package.module:name", a `Work`) makes of `data`.

    Raises errors.MediaRejected as the work does, and with the reason `unreadable` when it needs more than
    `memory_bytes` or `seconds` or breaks down; errors.RateLimited when `AT_ONCE` others take too long.
    """
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise errors.RateLimited(retry_after_seconds=WAIT_SECONDS)
    try:
        ended = subprocess.run(  # noqa: S603 -- our own module
            [sys.executable, "-m", "core.files.isolated", work, str(memory_bytes), str(seconds)],
            input=data,
            capture_output=True,
            timeout=seconds,
            cwd=_ROOT,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _unreadable(f"took more than {seconds} s") from None
    finally:
        _turns.release()
    head, _, body = ended.stdout.partition(b"\n")
    if ended.returncode or not head:
        raise _unreadable(f"ended with {ended.returncode}: {ended.stderr[-500:].decode(errors='replace')}")
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
    return facts, body


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


if __name__ == "__main__":
    _main(*sys.argv[1:])
