"""Packs stored clips into one ZIP while it is sent: nothing on disk, one chunk at a time in memory.

Clips are stored, not deflated: video does not get smaller. What is not there is named in a text file inside, so that
one lost clip does not cost all the others; of the rest a sheet says what they are.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

from core import errors
from core.db.enums import Status
from core.files.storage import Storage
from core.generations import clip_names, clip_sheet
from core.generations.clip_names import NameTemplate
from core.generations.clip_sheet import DescribedClip

MISSING_NAME = "not-included.txt"
_FIRST_YEAR = 1980
"""A ZIP knows no earlier one."""


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One clip of an archive; `key` is None for one that has no file, and `reason` says why."""

    name: str
    key: str | None
    clip: DescribedClip
    reason: str = ""


def entries(clips: Sequence[DescribedClip], template: NameTemplate, *, folder: str = "") -> list[ZipEntry]:
    """What clips become in an archive, named by a template; their names are unique in it.

    `folder` is where in the archive all of them lie, so that several archives can be unpacked into one place.
    """
    stems = [template.stem(clip.name_values(number)) for number, clip in enumerate(clips, start=1)]
    found = []
    for name, clip in zip(clip_names.unique(stems), clips, strict=True):
        done = clip.row.status is Status.COMPLETED
        found.append(ZipEntry(folder + name, clip.row.output_key if done else None, clip, f"it is {clip.row.status}"))
    return found


def stream(
    storage: Storage, clips: Sequence[ZipEntry], *, folder: str = "", missing: list[str] | None = None
) -> Iterator[bytes]:
    """The archive in pieces, as they come from storage; behind the clips a sheet with what is known of each.

    A file that breaks off while it is read ends it with its error: who receives it sees an unfinished download, not a
    whole one that lacks something. `folder` is that of the entries; names of what is not there are added to `missing`.
    """
    outlet = _Sink()
    missing = [] if missing is None else missing
    packed_clips: list[tuple[str, DescribedClip]] = []
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as packed:
        for each in clips:
            entry = _header(storage, each)
            if isinstance(entry, str):
                missing.append(f"{each.name}: {entry}")
                continue
            assert each.key is not None, "an entry has a file"  # noqa: S101 -- for the type checker
            with packed.open(entry, "w") as written:
                for chunk in storage.stream(each.key):
                    written.write(chunk)
                    yield outlet.take()
            packed_clips.append((each.name.removeprefix(folder), each.clip))
        if packed_clips:
            with packed.open(folder + clip_sheet.FILE_NAME, "w") as written:
                for chunk in clip_sheet.chunks(packed_clips):
                    written.write(chunk)
                    yield outlet.take()
        if missing:
            told = "These clips are not in this archive.\n\n" + "\n".join(missing) + "\n"
            packed.writestr(folder + MISSING_NAME, told)
    yield outlet.take()


def _header(storage: Storage, each: ZipEntry) -> zipfile.ZipInfo | str:
    """What an archive says of a clip before its bytes; or why it is not there."""
    if each.key is None:
        return each.reason
    try:
        info = storage.stat(each.key)
    except errors.NotFound:
        return "its file is not in storage"
    at = each.clip.made_at.astimezone(UTC)
    entry = zipfile.ZipInfo(each.name, (max(at.year, _FIRST_YEAR), at.month, at.day, at.hour, at.minute, at.second))
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
