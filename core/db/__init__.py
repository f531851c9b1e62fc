"""The database of an installation: engine, sessions, tables, types and migrations."""

from core.db.engine import Database, default, look, session

__all__ = ["Database", "default", "look", "session"]
