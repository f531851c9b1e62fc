"""The database of an installation: engine, sessions, tables, types and migrations.

What stands here is loaded when it is first asked for, so that whoever needs only the words of `core.db.enums` (the
modules that only compute) brings neither the engine nor SQLAlchemy along.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.db.engine import Database, clock, default, read_connection, read_session, using, write_session
    from core.db.sessions import Reader, ReadSession, WriteSession, about_now, now, update_where

__all__ = [
    "Database",
    "ReadSession",
    "Reader",
    "WriteSession",
    "about_now",
    "clock",
    "default",
    "now",
    "read_connection",
    "read_session",
    "update_where",
    "using",
    "write_session",
]

_SESSIONS = ("ReadSession", "Reader", "WriteSession", "about_now", "now", "update_where")


def __getattr__(name: str) -> Any:  # PEP 562
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module("core.db.sessions" if name in _SESSIONS else "core.db.engine"), name)
    globals()[name] = value  # the next look finds it without coming here
    return value
