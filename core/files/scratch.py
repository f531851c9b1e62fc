"""A folder of this process's own for its temporary files: gone with it, or with the next process if it was killed."""

import fcntl
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)

_PREFIX = "process-"
_LOCK = "lock"
_YOUNG_SECONDS = 60
"""A folder of this age may not be locked yet by who has just made it."""
_OLD_SECONDS = 86_400
"""After so long without a change a folder is nobody's, also where locks tell nothing."""


@contextmanager
def opened(parent: Path) -> Iterator[Path]:
    """A new folder below `parent`, where all of Python's temporary files go while the block runs.

    What killed processes have left there is removed first. For composition roots only.
    """
    parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    before = tempfile.tempdir
    try:
        with (folder / _LOCK).open("w") as lock:
            with suppress(OSError):  # a file system without locks: age alone decides
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            tempfile.tempdir = str(folder)
            yield folder
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(parent: Path) -> None:
    """Remove the folders below `parent` whose process has ended without doing so."""
    for folder in parent.glob(f"{_PREFIX}*"):
        if _is_abandoned(folder):
            log.info("temporary files of a process that was killed are removed: %s", folder)
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    try:
        age_seconds = time.time() - folder.stat().st_mtime
        if age_seconds < _YOUNG_SECONDS:
            return False
        descriptor = os.open(folder / _LOCK, os.O_WRONLY)
    except FileNotFoundError:
        return folder.is_dir()  # killed before it had a lock
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return age_seconds > _OLD_SECONDS
    finally:
        os.close(descriptor)
    return True
