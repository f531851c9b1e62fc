"""Copies all files of one storage into another, each looked at again when it is there; knows nothing of what they mean.

What is there already in its full size was written whole, since no storage shows half a file, so a move that was broken
off, or is done again, copies what is missing. Nothing is removed from where it comes from.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile

from core import errors
from core.files.storage import ObjectInfo, Storage

AT_ONCE = 4
PAGE = 200


class Outcome(Enum):
    """What became of one file."""

    COPIED = "copied"
    THERE = "there"
    GONE = "gone"
    """It was removed meanwhile."""
    DAMAGED = "damaged"
    """Copied as it is, and it is not what was once stored: damaged where it comes from."""
    FAILED = "failed"
    """What came back from there is not what was sent."""


@dataclass(slots=True)
class Moved:
    """How far a move is; `keys` are those of what went wrong, by how."""

    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    copied_bytes: int = 0
    keys: dict[Outcome, list[str]] = field(default_factory=lambda: {Outcome.DAMAGED: [], Outcome.FAILED: []})

    @property
    def looked(self) -> int:
        """How many files were looked at."""
        return sum(self.counts.values())

    @property
    def is_whole(self) -> bool:
        """Whether everything is where it should be, and sound."""
        return not any(self.keys.values())


def move(
    source: Storage,
    target: Storage,
    *,
    known: Callable[[Sequence[str]], Mapping[str, str]],
    verify: bool = False,
) -> Iterator[Moved]:
    """Copy all files, a few hundred at a time; how far it is after each. Raises StorageUnavailable.

    `known` tells the SHA-256 of those of these keys of which it is known. With `verify` files that are there already
    are read and compared, too.
    """
    moved = Moved()
    files = source.files()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while page := list(islice(files, PAGE)):
            sums = known([each.key for each in page])
            tasks = [pool.submit(_one, source, target, each, sums.get(each.key), verify) for each in page]
            for each, task in zip(page, tasks, strict=True):
                outcome = task.result()
                moved.counts[outcome] += 1
                moved.copied_bytes += each.size_bytes if outcome in (Outcome.COPIED, Outcome.DAMAGED) else 0
                if outcome in moved.keys:
                    moved.keys[outcome].append(each.key)
            yield moved


def _one(source: Storage, target: Storage, found: ObjectInfo, known: str | None, verify: bool) -> Outcome:
    try:
        if _has(target, found) and not (verify and _sha256(source, found.key) != _sha256(target, found.key)):
            return Outcome.THERE
        with NamedTemporaryFile() as copy:
            digest = hashlib.sha256()
            for piece in source.stream(found.key):
                copy.write(piece)
                digest.update(piece)
            copy.flush()
            sent = digest.hexdigest()
            target.put_file(found.key, Path(copy.name), media_type=found.media_type)
    except errors.NotFound:
        return Outcome.GONE
    try:
        if _sha256(target, found.key) != sent:
            return Outcome.FAILED
    except errors.NotFound:
        return Outcome.FAILED
    return Outcome.DAMAGED if known is not None and known != sent else Outcome.COPIED


def _has(target: Storage, found: ObjectInfo) -> bool:
    try:
        return target.stat(found.key).size_bytes == found.size_bytes
    except errors.NotFound:
        return False


def _sha256(storage: Storage, key: str) -> str:
    digest = hashlib.sha256()
    for piece in storage.stream(key):
        digest.update(piece)
    return digest.hexdigest()
