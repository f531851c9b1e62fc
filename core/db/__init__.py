"""The database of an installation: engine, sessions, tables, types and migrations."""

from core.db.engine import Database as Database
from core.db.engine import default as default
from core.db.engine import look as look
from core.db.engine import session as session
