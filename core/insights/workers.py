"""Whether somebody works here, and since when nobody does: asked by pages, the order form and `/health` alike.

Who works says so in Redis, at every breath (`core.redis.presence`); the dispatcher writes down in SQL, now and then,
whom it saw, so that "since when" is known also while Redis is away. No clock decides: what is there is there.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from threading import Lock

from sqlalchemy import exists, select

from core.clock import utc_now
from core.db import Reader, WriteSession, types
from core.db.enums import Stage
from core.db.tables import Flight, Heartbeat
from core.redis import presence
from core.redis.connection import Connection, Unreachable

LOOK_SECONDS = 1.0
"""How old an answer may be; everybody who looks shares it."""
AWAY_SECONDS = 5.0
"""The same while Redis does not answer, since asking may then take its time."""
START_SECONDS = 12.0
"""How long workers that start together with this process may take to come, on a machine that is busy."""


class Part(StrEnum):
    """What work needs."""

    REDIS = "redis"
    DISPATCHER = "dispatcher"
    SUBMIT = "submit"
    COLLECT = "collect"


@dataclass(frozen=True, slots=True)
class Workers:
    """Who is missing; `known` is False where nothing can be said yet, or there is no Redis to ask.

    `since` has the missing parts and when each was last seen; None for one that never was. Where clips are only not
    fetched and none is to be, nobody is missing.
    """

    known: bool = False
    since: Mapping[Part, datetime | None] = field(default_factory=dict)

    @property
    def queue_is_away(self) -> bool:
        """Redis does not answer, so that nothing is said of the workers."""
        return Part.REDIS in self.since

    @property
    def orders_wait(self) -> bool:
        """Nothing is sent to a provider."""
        return bool({Part.REDIS, Part.DISPATCHER, Part.SUBMIT} & self.since.keys())


def note(session: WriteSession, seen: Collection[Part]) -> None:
    """Write down that these parts work now."""
    at = utc_now()
    insert = types.insert(session, Heartbeat).values([{"part": str(part), "seen_at": at} for part in sorted(seen)])
    session.execute(insert.on_conflict_do_update(index_elements=["part"], set_={"seen_at": insert.excluded.seen_at}))


def last_seen(reader: Reader) -> Mapping[str, datetime]:
    """Part -> when it was last known to work; only parts that ever were."""
    return {row.part: row.seen_at for row in reader.execute(_SEEN)}


_SEEN = select(Heartbeat.part, Heartbeat.seen_at)


_TO_FETCH = select(exists().where(Flight.stage.in_((Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING))))


def _waits_to_be_fetched(reader: Reader) -> bool:
    """Whether a clip is finished at its provider: who fetches clips is missed only then."""
    return bool(reader.execute(_TO_FETCH).scalar_one())


class Watch:
    """Looks who works, for one process; `redis` gives its connection, None where there is no Redis."""

    def __init__(self, redis: Callable[[], Connection] | None) -> None:
        self._redis = redis
        self._began = time.monotonic()
        self._lock = Lock()
        self._looked_at = float("-inf")
        self._missing: Collection[Part] | None = None
        self._seen: dict[Part, datetime] = {}

    def workers(self, reader: Callable[[], Reader]) -> Workers:
        """Who is missing; `reader` is asked for only when somebody is, and to be closed by the caller."""
        missing = self._look()
        if missing is None:
            return Workers()
        if not missing or (set(missing) == {Part.COLLECT} and not _waits_to_be_fetched(reader())):
            return Workers(known=True)
        written = last_seen(reader())  # what was seen here stands in: a part may go before it is written down
        since = {part: written.get(part, self._seen.get(part)) for part in Part if part in missing}
        return Workers(known=True, since=since)

    def _look(self) -> Collection[Part] | None:
        """The missing parts; None while nothing can be said. One thread asks, the others take what was known."""
        if self._redis is None:
            return None
        good_for = AWAY_SECONDS if self._missing and Part.REDIS in self._missing else LOOK_SECONDS
        if time.monotonic() - self._looked_at > good_for and self._lock.acquire(blocking=False):
            try:
                self._missing = self._ask(self._redis())
                self._looked_at = time.monotonic()
            finally:
                self._lock.release()
        return self._missing

    def _ask(self, redis: Connection) -> Collection[Part] | None:
        try:
            there = presence.present(redis)
        except Unreachable:
            return {Part.REDIS}
        self._seen |= dict.fromkeys(map(Part, there), utc_now())
        missing = {Part(role) for role in presence.Role if role not in there}
        if missing and time.monotonic() - self._began < START_SECONDS:
            return None
        return missing
