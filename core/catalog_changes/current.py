"""The catalogue that counts in this installation; read by everybody, and it changes nothing.

Who shows something reads it as it was a second ago at most (`core.catalog.in_force`), which costs one statement a
second and process. An order reads it in its own transaction, so that it gets the price of its moment: on PostgreSQL
under a lock that it shares with other orders and not with a change, on SQLite because only one writes at a time.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import event, func, select, text

from core import db
from core.catalog import catalogue, in_force, overlay
from core.catalog.catalogue import Catalogue
from core.catalog.overlay import Change
from core.db import Database, Reader, ReadSession, WriteSession
from core.db.tables import CatalogueChange, table_of

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

CACHE_SECONDS = 1.0
"""How old what is shown may be."""

CACHE = "catalogue"
"""Where the sessions of an installation's database carry its `CatalogueCache`."""

CHANGED = "catalogue_changed"
"""Where a session says that it holds changes that are not committed yet."""

ORDERING = "catalogue_ordering"
"""Where a session says that what it does is for an order."""

_LOCK = 7_304_221_120  # any constant: PostgreSQL's advisory lock of orders (shared) and changes (alone)

_CHANGES = table_of(CatalogueChange)
_NEWEST = select(func.coalesce(func.max(_CHANGES.c.id), 0))
_ALL = select(_CHANGES.c.id, _CHANGES.c.model_id, _CHANGES.c.kind, _CHANGES.c.since, _CHANGES.c.value).order_by(
    _CHANGES.c.id
)


class _Known(NamedTuple):
    newest: int
    base: Catalogue
    catalogue: Catalogue


class CatalogueCache:
    """The catalogue that one process has read last, and when; for one database."""

    def __init__(self) -> None:
        self._known: _Known | None = None
        self._looked_at: float | None = None  # monotonic seconds
        self._looking = threading.Lock()

    def known(self) -> Catalogue | None:
        """What was read within the last `CACHE_SECONDS`; None when it has to be asked for."""
        known, looked_at = self._known, self._looked_at
        is_fresh = looked_at is not None and time.monotonic() - looked_at <= CACHE_SECONDS
        return known.catalogue if known and is_fresh and known.base is catalogue.shipped() else None

    def read(self, database: Database) -> Catalogue:
        """As it was a second ago at most; raises as the database does, and then nothing older is taken for it."""
        if (known := self.known()) is not None:
            return known
        with self._looking:  # the others that come meanwhile are given what the first one finds
            if (known := self.known()) is not None:
                return known
            with database.read_connection() as reader:
                return self.look(reader)

    def look(self, reader: Reader, *, keeps: bool = True) -> Catalogue:
        """As it is for this reader; one statement when nothing has changed since it was last read.

        Without `keeps` it is for nobody else.
        """
        began = time.monotonic()
        newest, base, known = reader.scalar(_NEWEST) or 0, catalogue.shipped(), self._known
        if known is None or known.newest != newest or known.base is not base:
            known = _Known(newest, base, _overlaid(base, changes(reader)))
        if keeps:
            self._known, self._looked_at = known, began
        return known.catalogue

    def forget(self) -> None:
        """Let the next one look again."""
        self._looked_at = None


def of(session: ReadSession) -> Catalogue:
    """The catalogue as this session sees it, with what it has changed itself; one statement."""
    sees_the_newest = isinstance(session, WriteSession) and not session.info.get(CHANGED)
    return _cache(session).look(session, keeps=sees_the_newest)


def for_order(session: WriteSession) -> Catalogue:
    """The catalogue at the moment of an order, which `db.now` tells; no change begins before the order is committed.

    To be asked for before any row is locked: a change waits for all orders that have begun, and those after it for it.
    """
    _lock(session, "pg_advisory_xact_lock_shared")
    return of(session)


def ordering(work: Callable[Concatenate[WriteSession, P], T]) -> Callable[Concatenate[WriteSession, P], T]:
    """Let what a function does for an order see the catalogue of its transaction; a decorator.

    The transaction is its first argument. Everything that it calls sees the same, whatever is changed meanwhile.
    """

    @functools.wraps(work)
    def ordered(session: WriteSession, /, *given: P.args, **named: P.kwargs) -> T:
        if session.info.get(ORDERING):
            return work(session, *given, **named)
        known = for_order(session)
        session.info[ORDERING] = True
        try:
            with in_force.seen(known):
                return work(session, *given, **named)
        finally:
            del session.info[ORDERING]

    return ordered


def for_change(session: WriteSession) -> tuple[Catalogue, datetime]:
    """The catalogue and the moment for who changes it: nobody orders or changes until this transaction has ended.

    So every order before it is of an earlier moment, and every one after it sees what was changed.
    """
    _lock(session, "pg_advisory_xact_lock")
    session.info.pop("now", None)  # one that was asked for before the lock may be earlier than orders
    return of(session), db.now(session)


def changes(reader: Reader) -> Sequence[Change]:
    """All changes, in the order in which they were made."""
    return [Change(*row) for row in reader.execute(_ALL)]


def note_change(session: WriteSession) -> None:
    """Let this session see what it has changed, and this process once it is committed."""
    if not session.info.get(CHANGED):
        session.info[CHANGED] = True
        cache = _cache(session)
        event.listen(session, "after_commit", lambda _session: cache.forget(), once=True)


def _cache(session: ReadSession) -> CatalogueCache:
    found = session.info.get(CACHE)
    return found if isinstance(found, CatalogueCache) else CatalogueCache()


def _lock(session: WriteSession, how: str) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT {how}(:key)"), {"key": _LOCK})


def _overlaid(base: Catalogue, made: Sequence[Change]) -> Catalogue:
    if not made:
        return base
    found = overlay.apply(base, made)
    for change, why in found.left_out:
        log.warning("change %d of the catalogue, of the model '%s', has no effect: %s", change.id, change.model_id, why)
    return found.catalogue
