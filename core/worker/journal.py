"""The journal of sends: what this machine sent to providers, and what they answered, in a file beside the database.

The database may be away, full, damaged or put back from an older copy just when something is learned; this file then
says what must not be sent again, and with what it was answered. It knows neither database nor provider.

One record a line, each with a checksum, appended and synced under a lock. What was cut off by a power failure is no
record; whatever stands before it counts. A send is synced before anything leaves the machine, so that a file that ends
anywhere never makes a sent order look as if it had not been sent.
"""

import errno
import fcntl
import logging
import mmap
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from core import durable
from core.clock import utc_now
from core.worker.background import repeating
from core.worker.sends import (
    Reading,
    Send,
    State,
    answered_record,
    line_of,
    named_in,
    record_of,
    sending_record,
    settled_record,
)

log = logging.getLogger(__name__)

KEPT = timedelta(days=30)
"""How long a send that has come to its end is remembered. A database that is put back may be as old; for an older one
`Reading.floor` says that the journal cannot know everything that was sent since."""
SIZE_LIMIT_BYTES = 32 * 1024**2
"""Beyond this the oldest that have ended are forgotten sooner."""

SAID_EVERY_SECONDS = 2.0
HEARD_WITHIN_SECONDS = 20
"""How long nothing may be heard of a process that is not taken for asleep."""

_UNDER_WAY = ".sending"


class Journal:
    """The file in a folder of its own; any number of processes of one machine may use it at once.

    Raises OSError where the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._path = folder / "sends.jsonl"
        self._lock = folder / "lock"
        self._lock.touch(mode=0o600)  # made now, since later there may be no room for it
        self._tail = _Tail()

    @contextmanager
    def sending(self, send: Send) -> Iterator[None]:
        """Write down that an order is about to be sent; while the block runs, `is_under_way` says so to all processes.

        Raises OSError, before the block, when it cannot be written: then nothing may be sent.
        """
        mark = self._folder / f"{send.generation_id}{_UNDER_WAY}"
        with self._locked(), mark.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: another process is sending it
            held = os.dup(file.fileno())
        try:
            with _heard_of(mark):
                self._append(sending_record(send))
                yield
        finally:
            with self._locked():
                mark.unlink(missing_ok=True)
                os.close(held)

    def is_under_way(self, generation_id: str) -> bool:
        """Whether a living process of this machine is sending it, or keeps its answer until it can be written.

        One that sleeps (stopped, or swapped out for long) does not count, and still has what it knows when it wakes.
        """
        mark = self._folder / f"{generation_id}{_UNDER_WAY}"
        with self._locked():
            try:
                with mark.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except FileNotFoundError:
                return False
            except BlockingIOError:
                return time.monotonic_ns() - mark.stat().st_mtime_ns < HEARD_WITHIN_SECONDS * 10**9
            mark.unlink(missing_ok=True)  # its process has died
            return False

    def answered(self, send: Send, outcome: Mapping[str, Any], *, taken: bool | None) -> None:
        """Keep what the provider answered. Raises OSError when it cannot be written."""
        self._append(answered_record(replace(send, outcome=outcome, taken=taken)))

    def settled(self, send: Send) -> None:
        """The outcome stands in the database. Raises OSError when it cannot be written."""
        self._append(settled_record(send))

    def find(self, generation_id: str) -> Send | None:
        """The last send of an order, None when it was not sent from here (or was forgotten, see `KEPT`)."""
        wanted = generation_id.encode()
        state = State()
        for line in self._lines() if self._may_hold(wanted) else ():
            if wanted in line:
                state.take(line)
        return state.sends.get(generation_id)

    def read(self, installation_id: str) -> Reading:
        """All that is known of one installation's sends."""
        state = State()
        for line in self._lines():
            state.take(line)
        return state.reading(installation_id)

    def unsettled(self, installation_id: str) -> Sequence[Send]:
        """Sends whose outcome the database was not told, as far as the journal knows; only what is new is read."""
        self._tail.follow(self._path)
        return [send for send in self._tail.unsettled.values() if send.installation_id == installation_id]

    def prune(
        self,
        installation_id: str,
        ended: Callable[[Sequence[str]], Collection[str]],
        *,
        kept: timedelta = KEPT,
        limit_bytes: int = SIZE_LIMIT_BYTES,
    ) -> int:
        """Forget old sends of orders that have `ended` (asked for with ids); returns how many.

        The file is written anew and put in the old one's place, so that a process that dies meanwhile changes nothing.
        Another installation's sends are forgotten by age alone.
        """
        too_old = utc_now() - kept
        size_bytes = self._path.stat().st_size if self._path.exists() else 0
        oldest = next((found for found in map(record_of, self._lines()) if found and "attempt" in found), None)
        if oldest is None or (size_bytes <= limit_bytes and named_in(oldest).at >= too_old):
            return 0
        candidates = [send for send in self._state().sends.values() if size_bytes > limit_bytes or send.at < too_old]
        ours = [send.generation_id for send in candidates if send.settled and send.installation_id == installation_id]
        gone = {*ended(ours)} if ours else set()
        gone |= {send.generation_id for send in candidates if send.installation_id != installation_id}
        if not gone:
            return 0
        with self._locked():
            state = self._state()
            forgotten = state.forget(gone, too_old, keep_bytes=limit_bytes // 2)
            if forgotten:
                self._replace(state.records())
        return forgotten

    def _state(self) -> "State":
        state = State()
        for line in self._lines():
            state.take(line)
        return state

    def _may_hold(self, wanted: bytes) -> bool:
        """Whether these bytes are anywhere; that they are nowhere, as of most orders, is seen far sooner than by lines.

        The file is only ever appended to or replaced, so what is mapped stays.
        """
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size == 0:
                    return False
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                    return view.find(wanted) >= 0
        except FileNotFoundError:
            return False
        except OSError:  # a file system that maps nothing
            return True

    def _lines(self) -> Iterator[bytes]:
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return
        with file:
            yield from file

    def _append(self, record: Mapping[str, Any]) -> None:
        with self._locked():
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                size_bytes = os.fstat(descriptor).st_size
                is_torn = size_bytes > 0 and os.pread(descriptor, 1, size_bytes - 1) != b"\n"
                _write_all(descriptor, b"\n" * is_torn + line_of(record), size_bytes)
            finally:
                os.close(descriptor)
            if size_bytes == 0:
                durable.sync(self._folder)

    def _replace(self, records: Iterable[Mapping[str, Any]]) -> None:
        draft = self._path.with_suffix(".draft")
        with durable.private_file(draft) as file:
            file.writelines(map(line_of, records))
        draft.replace(self._path)
        durable.sync(self._folder)

    @contextmanager
    def recovering(self) -> Iterator[None]:
        """Be the only process of this machine that makes up for what the database has lost."""
        with (self._folder / "recovery.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the only one at the files; the lock goes with the process, however that ends."""
        with self._lock.open("r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class _Tail:
    """Follows the file as it grows, and begins anew when another one has taken its place."""

    def __init__(self) -> None:
        self.unsettled: dict[str, Send] = {}
        self._file: int | None = None
        self._offset = 0
        self._state = State()

    def follow(self, path: Path) -> None:
        """Read what was added since the last time, up to its last whole line."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return
        with file:
            found = os.fstat(file.fileno())
            if self._file != found.st_ino or found.st_size < self._offset:
                self._file, self._offset, self._state = found.st_ino, 0, State()
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._state.take(line)
        self._state.sends = {key: send for key, send in self._state.sends.items() if not send.settled}
        self.unsettled = self._state.sends


@contextmanager
def _heard_of(mark: Path) -> Iterator[None]:
    """Let a file say, by a clock that nobody sets, that this process is awake while the block runs."""

    def say() -> None:
        now = time.monotonic_ns()
        os.utime(mark, ns=(now, now))

    say()
    with repeating(say, every_seconds=SAID_EVERY_SECONDS, name=f"sending-{mark.stem}"):
        yield


def _write_all(descriptor: int, data: bytes, size_before: int) -> None:
    """Append and sync, or leave the file as it was and raise OSError."""
    failure: OSError | None = None
    try:
        if os.write(descriptor, data) < len(data):
            failure = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    except OSError as refused:
        failure = refused
    if failure is not None:
        with suppress(OSError):
            os.ftruncate(descriptor, size_before)
        raise failure
