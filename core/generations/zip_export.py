"""Packs stored clips into one ZIP while it is sent: nothing on disk, one chunk at a time in memory.

Clips are stored, not deflated: video does not get smaller. What is not there is named in a text file inside, so that
one lost clip does not cost all the others.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from core import errors
from core.db.enums import Status
from core.db.tables import Generation
from core.files.storage import Storage
from core.generations import queries

MISSING_NAME = "not-included.txt"
_FIRST_YEAR = 1980
"""A ZIP knows no earlier one."""


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One clip of an archive; `key` is None for one that has no file, and `reason` says why."""

    name: str
    key: str | None
    at: datetime
    reason: str = ""


def entries(rows: Iterable[Generation]) -> list[ZipEntry]:
    """What generations become in an archive; their names are unique in it."""
    found: dict[str, ZipEntry] = {}
    for row in rows:
        stem, number = queries.file_name(row).removesuffix(".mp4"), 1
        name = f"{stem}.mp4"
        while name in found:
            number += 1
            name = f"{stem}-{number}.mp4"
        done = row.status is Status.COMPLETED
        found[name] = ZipEntry(
            name, row.output_key if done else None, row.ended_at or row.created_at, f"it is {row.status}"
        )
    return list(found.values())


def stream(storage: Storage, clips: Iterable[ZipEntry]) -> Iterator[bytes]:
    """The archive in pieces, as they come from storage.

    A file that breaks off while it is read ends it with its error: who receives it sees an unfinished download, not a
    whole one that lacks something.
    """
    outlet = _Sink()
    missing: list[str] = []
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as packed:
        for clip in clips:
            entry = _header(storage, clip)
            if isinstance(entry, str):
                missing.append(f"{clip.name}: {entry}")
                continue
            assert clip.key is not None, "an entry has a file"  # noqa: S101 -- for the type checker
            with packed.open(entry, "w") as written:
                for chunk in storage.stream(clip.key):
                    written.write(chunk)
                    yield outlet.take()
        if missing:
            packed.writestr(MISSING_NAME, "These clips are not in this archive.\n\n" + "\n".join(missing) + "\n")
    yield outlet.take()


def _header(storage: Storage, clip: ZipEntry) -> zipfile.ZipInfo | str:
    """What an archive says of a clip before its bytes; or why it is not there."""
    if clip.key is None:
        return clip.reason
    try:
        info = storage.stat(clip.key)
    except errors.NotFound:
        return "its file is not in storage"
    at = clip.at.astimezone(UTC)
    entry = zipfile.ZipInfo(clip.name, (max(at.year, _FIRST_YEAR), at.month, at.day, at.hour, at.minute, at.second))
    entry.file_size = info.size_bytes  # tells zipfile when an entry has to be ZIP64
    entry.external_attr = 0o644 << 16
    return entry


class _Sink(io.RawIOBase):
    """Where zipfile writes to; it cannot seek, so sizes and checksums follow each file."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes alone
        """Buffer the bytes until they are taken."""
        self._written += data
        return len(data)

    def take(self) -> bytes:
        """Remove and return the bytes written since the last call."""
        data = bytes(self._written)
        self._written.clear()
        return data
