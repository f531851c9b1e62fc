"""Keeps what lies on this machine from its other accounts: prompts, addresses of people, hashes of tokens, clips."""

import logging
import stat
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite puts beside a database, with the database's own mode (https://www.sqlite.org/tempfiles.html)."""

_OURS = ("studio.db", "secret.key", "app.lock", "media", "incoming", "demo-studio")


def narrow(data_dir: Path, database: Path | None, media: Path | None) -> None:
    """Take from other accounts what they could read of ours, and say so in the log.

    The data folder itself keeps its mode where we did not make it, since it may hold what is not ours, and a folder of
    media elsewhere stays open to its group, which may be that of a web server.
    """
    files = [data_dir / name for name in _OURS]
    files += [database] if database is not None else []
    files += [file.with_name(file.name + end) for file in files for end in SIDE_FILES]
    changed = [path for path in dict.fromkeys(files) if _narrowed(path, 0o077)]
    if media is not None and media not in files and _narrowed(media, 0o007):
        changed.append(media)
    if changed:
        log.warning("Other accounts of this machine could read %s; they cannot any more.", _listed(changed))


def _narrowed(path: Path, taken: int) -> bool:
    """Whether these bits of a mode were set and are not any more."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & taken:
            return False
        path.chmod(mode & ~taken)
    except FileNotFoundError:
        return False
    except OSError as failure:
        log.warning(
            "Other accounts of this machine may read %s, and that cannot be changed: %s", path, failure.strerror
        )
        return False
    return True


def _listed(paths: Iterable[Path]) -> str:
    return ", ".join(str(path) for path in paths)
