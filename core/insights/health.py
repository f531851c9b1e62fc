"""How this installation fares, for probes and operators: what is under way, what was delivered, room on the disk."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import func, select

from core import storage_settings
from core.clock import utc_now
from core.config import Settings
from core.db import ReadSession
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation

NEARLY_FULL_BYTES = 512 * 1024**2
"""With less room than this on a disk, clips may soon find no place: a clip takes tens of megabytes on its way in."""

_NEWEST = 500


@dataclass(frozen=True, slots=True)
class Health:
    """`free_bytes` is the least room on the disks of the data folder and of the storage, None where it cannot be seen.

    `last_delivery_at` is when the last clip was delivered, None when none of the newest orders was.
    """

    in_flight: int
    oldest_pending_seconds: float
    free_bytes: int | None
    last_delivery_at: datetime | None

    @property
    def is_disk_nearly_full(self) -> bool:
        """Whether clips may soon find no place."""
        return self.free_bytes is not None and self.free_bytes < NEARLY_FULL_BYTES


Seen = TypeVar("Seen")


class Recently(Generic[Seen]):
    """What was seen a moment ago, so that many who ask cost one look; who asks meanwhile waits for that look."""

    def __init__(self, seconds: float = 2.0, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: list[tuple[float, Seen]] = []

    def get(self, look: Callable[[], Seen]) -> Seen:
        """What was seen, or is seen now; what `look` raises is remembered by nobody."""
        with self._lock:
            if self._seen and self._monotonic() - self._seen[0][0] < self._seconds:
                return self._seen[0][1]
            found = look()
            self._seen = [(self._monotonic(), found)]
            return found

    def forget(self) -> None:
        """Look anew at the next question."""
        with self._lock:
            self._seen = []


def health(session: ReadSession, settings: Settings) -> Health:
    """How the installation fares now; it looks at what is under way and at the newest rows only."""
    oldest = session.scalar(
        select(func.min(Flight.created_at)).where(Flight.stage.in_((Stage.QUEUED, Stage.DISPATCHED)))
    )
    newest = select(Generation.status, Generation.ended_at).order_by(Generation.id.desc()).limit(_NEWEST).subquery()
    delivered = select(func.max(newest.c.ended_at)).where(newest.c.status == Status.COMPLETED)
    return Health(
        in_flight=session.scalar(select(func.count(Flight.id))) or 0,
        oldest_pending_seconds=max(0.0, (utc_now() - oldest).total_seconds()) if oldest else 0.0,
        free_bytes=free_bytes(settings),
        last_delivery_at=session.scalar(delivered),
    )


def free_bytes(settings: Settings) -> int | None:
    """The least room on the disks that clips are written to; None when they cannot be asked."""
    room = []
    for folder in filter(None, (settings.data_dir, storage_settings.folder_of(settings.storage_url))):
        there = next((place for place in (folder, *folder.parents) if place.exists()), None)
        try:
            room += [shutil.disk_usage(there).free] if there else []
        except OSError:
            continue
    return min(room, default=None)
