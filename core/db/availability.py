"""Whether the database can be used now, read from the errors of its driver, and said in the log once each way."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

log = logging.getLogger(__name__)

_SQLITE_CANNOT_WRITE = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL}
)
_SQLITE_AWAY = _SQLITE_CANNOT_WRITE | {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
"""Result codes of https://www.sqlite.org/rescode.html that time or an operator can change, not another statement."""

_PRIMARY_CODE = 0xFF
_READ_ONLY = "25006"
_DISK_FULL = "53100"
_LOCK_NOT_AVAILABLE = "55P03"
_DEADLOCK = "40P01"
"""SQLSTATE of PostgreSQL, https://www.postgresql.org/docs/current/errcodes-appendix.html. What means that a server
cannot serve now (classes 08, 40, 53, 55, 57, 58) psycopg raises as OperationalError; read-only, after a failover, as
InternalError."""


def is_away(failure: BaseException) -> bool:
    """Whether this says that the database is busy, full, read-only or not there, so that the same may work later."""
    if isinstance(failure, (PoolTimeout, DisconnectionError)):
        return True
    cause = _cause(failure)
    if isinstance(cause, sqlite3.Error):
        return _sqlite_code(cause) in _SQLITE_AWAY
    if isinstance(failure, DBAPIError) and failure.connection_invalidated:
        return True
    return isinstance(failure, OperationalError) or getattr(cause, "sqlstate", None) == _READ_ONLY


def can_be_read(failure: BaseException) -> bool:
    """Whether this hinders only who writes."""
    cause = _cause(failure)
    if isinstance(cause, sqlite3.Error):
        return _sqlite_code(cause) in _SQLITE_CANNOT_WRITE
    return getattr(cause, "sqlstate", None) in (_READ_ONLY, _DISK_FULL, _LOCK_NOT_AVAILABLE)


def gave_way(failure: BaseException) -> bool:
    """Whether PostgreSQL gave others the way: a lock was not to be had in time, or a deadlock was ended here."""
    return getattr(_cause(failure), "sqlstate", None) in (_LOCK_NOT_AVAILABLE, _DEADLOCK)


def _cause(failure: BaseException) -> BaseException | None:
    return failure.orig if isinstance(failure, DBAPIError) else failure


def _sqlite_code(failure: sqlite3.Error) -> int | None:
    code = getattr(failure, "sqlite_errorcode", None)  # missing on what the module itself raises
    return None if code is None else code & _PRIMARY_CODE


class Outage:
    """What a process knows of an outage of its database: a line in the log when one begins, and one when it is over.

    While the database cannot be written, only a write that works is its end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hinders_readers: bool | None = None  # None: there is no outage

    @contextmanager
    def noticed(self) -> Iterator[None]:
        """Learn of an outage from what the block raises, which goes on."""
        try:
            yield
        except Exception as failure:
            if is_away(failure):
                self._begin(failure)
            raise

    def answered(self, *, wrote: bool) -> None:
        """The database has just done what it was asked."""
        if self._hinders_readers is not None:
            self._end(wrote=wrote)

    def _begin(self, failure: Exception) -> None:
        with self._lock:
            is_new = self._hinders_readers is None
            self._hinders_readers = bool(self._hinders_readers) or not can_be_read(failure)
        if is_new:
            first_line, *_ = str(_cause(failure) or failure).splitlines() or [repr(failure)]
            log.warning("the database cannot be used (%s); everything is tried again until it can", first_line)

    def _end(self, *, wrote: bool) -> None:
        with self._lock:
            if self._hinders_readers is None or not (wrote or self._hinders_readers):
                return
            self._hinders_readers = None
        log.warning("the database can be used again")
