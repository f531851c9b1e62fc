"""Files by key behind one face: a folder, or a bucket of an object store; knows nothing of what the files mean.

Keys are written by this product alone, content addresses for the most part (`images/ab/<sha256>.jpg`,
`videos/<generation id>/<sha16>.mp4`), so one pattern can describe all of them and a traversal cannot be written.
"""

import filecmp
import os
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from core import durable, errors, storage_settings
from core.files.measured import measure
from core.storage_settings import StoreAccess

MEDIA_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "mp3": "audio/mpeg",
    "zip": "application/zip",
}
"""Suffix of a key -> media type; a key with any other suffix is not a key."""

KEY = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,79}/){1,6}[a-z0-9][a-z0-9_-]{0,79}\.(?:" + "|".join(MEDIA_TYPES) + ")")
"""What a key looks like: two to seven lower-case segments, and a known suffix on the last."""

CHUNK_BYTES = 256 * 1024
"""How much `stream` hands over at once: few thread hops a second, little memory for each viewer."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What is known of a stored file; `etag` is strong and in quotes, `modified_at` is aware UTC."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime
    media_type: str


def media_type_of(key: str) -> str:
    """The media type a key's suffix stands for; ValueError if it is not a key."""
    if not KEY.fullmatch(key):
        raise ValueError(f"Not a storage key: {key!r}")
    return MEDIA_TYPES[key.rpartition(".")[2]]


def is_key(name: str) -> bool:
    """Whether a name is one that a file of ours can have."""
    return KEY.fullmatch(name) is not None


def check_type(key: str, media_type: str) -> None:
    """Return when a file of this type can have this key; else ValueError."""
    if media_type != media_type_of(key):
        raise ValueError(f"{key!r} cannot hold {media_type!r}")


class UnusableStorage(Exception):
    """The place cannot be used as it is set; it says in a sentence what to change."""


class Storage(ABC):
    """Where files lie.

    Every method raises ValueError for a bad key, before anything is touched, and errors.StorageUnavailable when the
    place is full, read-only or away. How long it takes is measured, whatever store it is.
    """

    def __init_subclass__(cls) -> None:
        measure(cls)

    @abstractmethod
    def put_file(self, key: str, path: Path, *, media_type: str) -> ObjectInfo:
        """Store a copy of `path`, whole or not at all; the same content again changes nothing.

        `media_type` must be the one of the key's suffix, else ValueError.
        """

    @abstractmethod
    def put_bytes(self, key: str, data: bytes, *, media_type: str) -> ObjectInfo:
        """Store `data`, as `put_file` does."""

    @abstractmethod
    def copy_many(self, copies: Iterable[tuple[str, str]]) -> None:
        """Give stored files further keys, (key, further key) each; raises errors.NotFound for one that is not there.

        Cheap for thousands, where the place can let several keys share what they hold; each is deleted by itself. All
        of them are safe on the disk when this returns, and some may be there when it raises.
        """

    @abstractmethod
    def delete_below(self, prefix: str) -> None:
        """Remove every file whose key begins with `prefix` and a slash, and what killed puts have left there.

        For what nobody writes to any more. Fine if nothing is there.
        """

    @abstractmethod
    def read_bytes(self, key: str) -> bytes:
        """All of a (small) file; raises errors.NotFound."""

    @contextmanager
    def as_file(self, key: str, *, folder: Path | None = None) -> Iterator[Path]:
        """A copy on this machine for as long as the block, in the system's own place for such, or in `folder`."""
        with ExitStack() as copied:
            with _writing():
                copy = copied.enter_context(tempfile.NamedTemporaryFile(dir=folder))
                copy.writelines(self.stream(key))
                copy.flush()
            yield Path(copy.name)

    @abstractmethod
    def stream(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Its bytes from `start`, `length` of them or all, in chunks; errors.NotFound comes with the first chunk."""

    @abstractmethod
    def stat(self, key: str) -> ObjectInfo:
        """Size, ETag, time and type; raises errors.NotFound."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove it; fine if it is not there."""

    def delete_many(self, keys: Sequence[str]) -> None:
        """Remove all of these; some may be gone when it raises."""
        for key in keys:
            self.delete(key)

    @abstractmethod
    def files(self, *, after: str = "") -> Iterator[ObjectInfo]:
        """All files, in an order of the place's own that stays the same; behind `after` in it, if that is given."""

    def direct_link(
        self, key: str, *, now: datetime, lifetime_seconds: int, download_name: str | None = None
    ) -> str | None:
        """A link by which a browser gets a file from the place itself, the same for a quarter of an hour.

        It lasts `lifetime_seconds` at least. None where the place cannot give one.
        """
        media_type_of(key)
        return None

    @property
    def browsers_place(self) -> str | None:
        """Where such links lead, up to the key; None where there are none."""
        return None

    @abstractmethod
    def check(self) -> None:
        """Return when it can be used; raises UnusableStorage for what is set wrongly, StorageUnavailable when away."""

    def answers(self) -> bool | None:
        """Whether a store that is elsewhere answers, a few seconds ago at most; None for a folder."""
        return None

    def refuses_clock(self) -> bool | None:
        """Whether a store elsewhere refuses what is signed by this machine's clock; asked anew, None for unknown."""
        return False

    @property
    def folder(self) -> Path | None:
        """The folder of this machine that all files lie in; None for a store that is elsewhere."""
        return None

    def local_path(self, key: str) -> Path | None:
        """Where the file lies on this machine, to be read and never written; None for a store that is elsewhere."""
        media_type_of(key)
        return None

    def exists(self, key: str) -> bool:
        """Whether there is a file under this key."""
        try:
            self.stat(key)
        except errors.NotFound:
            return False
        return True


class LocalStorage(Storage):
    """Files below one folder of this machine (or of a shared mount)."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def folder(self) -> Path:
        """The folder it was made with."""
        return self._root

    def check(self) -> None:
        """Whether the folder can be written into was looked at when it was set."""

    def put_file(self, key: str, path: Path, *, media_type: str) -> ObjectInfo:
        """Copied beside its place (so another file system is fine), flushed to disk, then renamed onto it."""

        media_type_of(key)
        with path.open("rb") as source:
            return self._put(key, lambda draft: shutil.copyfileobj(source, draft, CHUNK_BYTES), media_type)

    def put_bytes(self, key: str, data: bytes, *, media_type: str) -> ObjectInfo:
        """Written beside its place, flushed to disk, then renamed onto it."""

        def write(draft: BinaryIO) -> None:
            draft.write(data)

        return self._put(key, write, media_type)

    def copy_many(self, copies: Iterable[tuple[str, str]]) -> None:
        """Hard links, since files are replaced and never written into; copies where the file system has none."""
        with _reading():
            for key, further_key in copies:
                source, target = self._path(key), self._path(further_key)
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                try:
                    target.hardlink_to(source)
                except FileNotFoundError:
                    raise
                except OSError:
                    shutil.copyfile(source, target)
        os.sync()  # once for all of them: each folder by itself would take longer than all the rest

    def delete_below(self, prefix: str) -> None:
        """The folder goes with them."""
        folder = self._path(f"{prefix}/any.mp4").parent
        with _writing():
            if folder.is_dir():
                shutil.rmtree(folder)

    def read_bytes(self, key: str) -> bytes:
        """All of a (small) file; raises errors.NotFound."""
        with _reading():
            return self._path(key).read_bytes()

    def stream(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Chunks of `CHUNK_BYTES` at most; past the end there is nothing."""
        path = self._path(key)
        if start < 0 or (length is not None and length < 0):
            raise ValueError("A range has no negative figures.")
        return _chunks(path, start, length)

    def stat(self, key: str) -> ObjectInfo:
        """Size and time from the file system; the ETag is made of both, as web servers do."""
        media_type = media_type_of(key)
        with _reading():
            found = self._path(key).stat()
        return ObjectInfo(
            key=key,
            size_bytes=found.st_size,
            etag=f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
            modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
            media_type=media_type,
        )

    def local_path(self, key: str) -> Path | None:
        """The place of the file, whether it is there or not."""
        return self._path(key)

    def delete(self, key: str) -> None:
        """Remove it; fine if it is not there. Folders stay: removing one could pull it from under a put."""
        path = self._path(key)
        with _writing():
            path.unlink(missing_ok=True)

    def files(self, *, after: str = "") -> Iterator[ObjectInfo]:
        """Folder by folder, by name; what vanishes meanwhile is left out."""
        for path in _walk(self._root, after.split("/") if after else ()):
            key = path.relative_to(self._root).as_posix()
            if is_key(key):
                with suppress(errors.NotFound):
                    yield self.stat(key)

    def _path(self, key: str) -> Path:
        media_type_of(key)
        return self._root / key

    def _put(self, key: str, write: Callable[[BinaryIO], None], media_type: str) -> ObjectInfo:
        check_type(key, media_type)
        target = self._path(key)
        with _writing():
            self._write(target, write)
        return self.stat(key)

    def _write(self, target: Path, write: Callable[[BinaryIO], None]) -> None:
        _make_folder(target.parent)
        # The leading dot keeps a draft that a crash left behind outside of every possible key.
        descriptor, name = tempfile.mkstemp(prefix=".draft-", dir=target.parent)
        draft = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            if target.exists() and filecmp.cmp(draft, target, shallow=False):
                draft.unlink()  # what is there keeps its ETag, so a download in progress can go on
            else:
                draft.replace(target)
                durable.sync(target.parent)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


@lru_cache
def open_storage(url: str, access: StoreAccess = storage_settings.AS_THE_MACHINE_SAYS) -> Storage:
    """The storage that an address names, `file:///srv/media` or `s3://bucket/prefix`, one a process.

    ValueError with a sentence for what cannot be opened; nothing is asked of a store yet.
    """
    url = storage_settings.storage_url(url)
    folder = storage_settings.folder_of(url)
    if folder is not None:
        return LocalStorage(folder)
    try:
        from core.files.object_storage import ObjectStorage  # only who has a bucket waits for its client to be loaded
    except ModuleNotFoundError:  # it has no wheel for Arm under Linux
        raise ValueError("buckets need the package obstore, which cannot be installed on every machine.") from None
    return ObjectStorage(url, access)


@contextmanager
def _writing() -> Iterator[None]:
    """Turns the system's complaints into ours: they are about the place."""
    try:
        yield
    except OSError as failure:
        raise errors.StorageUnavailable(detail=repr(failure)) from failure


@contextmanager
def _reading() -> Iterator[None]:
    """As `_writing`; and a file that is missing is NotFound."""
    with _writing():
        try:
            yield
        except FileNotFoundError:
            raise errors.NotFound from None


def _chunks(path: Path, start: int, length: int | None) -> Iterator[bytes]:
    with ExitStack() as opened:
        with _reading():
            file = opened.enter_context(path.open("rb"))
            file.seek(start)
        left = length
        while left is None or left > 0:
            with _reading():
                chunk = file.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))
            if not chunk:
                return
            if left is not None:
                left -= len(chunk)
            yield chunk


def _walk(folder: Path, after: Sequence[str]) -> Iterator[Path]:
    """The files of a folder and those below it, by name, behind the place `after`."""
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as failure:
        raise errors.StorageUnavailable(detail=repr(failure)) from failure
    for entry in found:
        is_on_the_way = bool(after) and entry.name == after[0]
        if after and entry.name < after[0]:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), after[1:] if is_on_the_way else ())
        elif not is_on_the_way:
            yield Path(entry.path)


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents so that their names, too, survive a power cut."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    durable.sync(folder.parent)
