"""The database of an installation: engine, sessions, tables, types and migrations."""

from core.db.engine import Database, default, read_connection, read_session, using, write_session
from core.db.sessions import Reader, ReadSession, WriteSession, update_where

__all__ = [
    "Database",
    "ReadSession",
    "Reader",
    "WriteSession",
    "default",
    "read_connection",
    "read_session",
    "update_where",
    "using",
    "write_session",
]
