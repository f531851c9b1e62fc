"""A file that grows beside its place and takes it only when complete; can be gone on with by a later call."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from core import durable, errors
from core.messages import message

_READ_BYTES = 1024 * 1024


class PartialFile:
    """`target` in the making, as `<target>.part`, held by one process at a time.

    `resource` names where the bytes come from and `etag` which version of it they are; together they decide whether a
    later call may go on. That needs a note which is written only after the bytes are safely on disk, so a power cut
    leads to a fresh start and never to a file with a hole. Leaving the `with` by a retryable errors.DownloadFailed
    keeps what is there; every other way out removes it. A full or failing disk raises errors.DownloadFailed.
    """

    def __init__(self, target: Path, *, resource: str) -> None:
        self._target = target
        self._resource = resource
        self._part = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")
        self._published = False
        self.etag: str | None = None
        self.size_bytes = 0

    def __enter__(self) -> Self:
        with _disk():
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._open_locked()
            try:
                self._hash = _Sha256()
                self._take_up()
            except BaseException:
                self._file.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _disk(), self._file, self._hash:
            if self._published:
                return
            if isinstance(failure, errors.DownloadFailed) and failure.retryable and self.etag and self.size_bytes:
                os.fsync(self._file.fileno())
                note = {"resource": self._resource, "etag": self.etag, "size_bytes": self.size_bytes}
                self._note.write_text(json.dumps(note))
            else:
                self._part.unlink(missing_ok=True)

    def restart(self, etag: str | None) -> None:
        """Begin again with nothing; `etag` is the strong ETag of the version that now follows, if it has one."""
        with _disk():
            self._file.seek(0)
            self._file.truncate()
        self._hash.restart()
        self.size_bytes = 0
        self.etag = etag

    def write(self, chunk: bytes) -> None:
        """Append a chunk and add it to the digest."""
        self._hash.update(chunk)
        with _disk():
            left = memoryview(chunk)
            while left:
                left = left[self._file.write(left) :]
        self.size_bytes += len(chunk)

    def publish(self) -> tuple[int, str]:
        """Flush to disk and take the final name; (size in bytes, SHA-256 in hex)."""
        with _disk():
            os.fsync(self._file.fileno())
            self._part.replace(self._target)
            self._published = True
            durable.sync(self._target.parent)
        return self.size_bytes, self._hash.hexdigest()

    def _open_locked(self) -> FileIO:
        """The part file, locked; another process that has it makes this a retryable failure."""
        while True:
            file = FileIO(os.open(self._part, os.O_RDWR | os.O_CREAT, 0o600), "r+")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Between open and lock the other one may have published or removed it: then this is no longer the part.
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(file.fileno()), self._part.stat()):
                        return file
            except BlockingIOError:
                file.close()
                raise errors.DownloadFailed(detail=f"{self._target.name} is already being fetched") from None
            except BaseException:
                file.close()
                raise
            file.close()

    def _take_up(self) -> None:
        """Go on from what an earlier call left, if its note fits; else start with nothing."""
        noted_bytes, self.etag = self._noted()
        self._note.unlink(missing_ok=True)
        self._file.truncate(noted_bytes)
        while self.size_bytes < noted_bytes:
            chunk = self._file.read(_READ_BYTES)
            self._hash.update(chunk)
            self.size_bytes += len(chunk)

    def _noted(self) -> tuple[int, str | None]:
        """How many of the bytes on disk can be trusted, and which version they are; none without a note that fits."""
        there_bytes = os.fstat(self._file.fileno()).st_size
        try:
            note = json.loads(self._note.read_text())
        except (FileNotFoundError, ValueError):
            return 0, None
        match note:
            case {"resource": self._resource, "etag": str(etag), "size_bytes": int(size)} if 0 < size <= there_bytes:
                return size, etag
        return 0, None


class _Sha256:
    """A running SHA-256 that works on one chunk while the next is read: measured to take a fifth off the whole."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sha256")
        self._hash = hashlib.sha256()
        self._at_work: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self._thread.shutdown()

    def restart(self) -> None:
        """Drop what was fetched so far."""
        self._wait()
        self._hash = hashlib.sha256()

    def update(self, chunk: bytes) -> None:
        """Take a chunk on; at most one is waiting, so memory stays flat."""
        self._wait()
        self._at_work = self._thread.submit(self._hash.update, chunk)

    def hexdigest(self) -> str:
        """SHA-256 of everything written, in hexadecimal."""
        self._wait()
        return self._hash.hexdigest()

    def _wait(self) -> None:
        if self._at_work is not None:
            self._at_work.result()


@contextmanager
def _disk() -> Iterator[None]:
    """What the file system refuses becomes a retryable failure for an operator to read about."""
    try:
        yield
    except OSError as failure:
        raise errors.DownloadFailed(
            message("cannot_store"),
            detail=f"writing the file: {failure.strerror or failure}",
        ) from failure
