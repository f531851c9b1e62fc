"""Looks through the tables that tell of people by their address or name, and replaces those of one person.

Tables are walked by their keys, some thousand rows at a time, so that a place in them says how far it is. Rows of
closed months are left to `core.personal_data.books`.
"""

from typing import Any

from sqlalchemy import ColumnElement, Table, Text, cast, func, or_, select, update

from core import errors, normal_form
from core.audit import log_names
from core.db import ReadSession, WriteSession
from core.db.tables import ClosedPeriod, LedgerEntry
from core.db.types import Base
from core.messages import message
from core.personal_data.columns import SCANNED
from core.personal_data.names import Names
from core.usage import closing

WALKED_ROWS = 5_000
CHANGED_ROWS = 500

_TABLES = sorted(SCANNED)


def check_may(session: ReadSession) -> None:
    """Return where this database role may change names in the audit log; else Forbidden: its owner has to do it."""
    if not log_names.may_change(session):
        raise errors.Forbidden(message("role_may_not_erase"))


def replace_some(session: WriteSession, names: Names, user_id: str, *, after: str) -> tuple[str | None, dict[str, int]]:
    """Replace them in the next rows behind a place; the place then, None when all tables are through, and counts."""
    name, _colon, last = after.partition(":")
    name = name or _TABLES[0]
    table = Base.metadata.tables[name]
    if table.name == LedgerEntry.__tablename__:
        closing.one_at_a_time(session)  # no month is closed while its rows are changed
    [key] = table.primary_key.columns
    begin = [] if not last else [key > _key(table, last)]
    walked = select(key).where(*begin).order_by(key).limit(WALKED_ROWS).subquery()
    end = session.scalar(select(func.max(walked.c[key.name])))
    if end is None:
        place = _TABLES.index(name) + 1
        return (f"{_TABLES[place]}:" if place < len(_TABLES) else None), {}
    rows = session.execute(
        select(table)
        .where(*begin, key <= end, *_open(table), mentions(table, names, user_id))
        .order_by(key)
        .limit(CHANGED_ROWS)
    ).all()
    for row in rows:
        change_row(session, table, row, names, user_id=user_id)
    reached = row_key(table, rows[-1]) if len(rows) == CHANGED_ROWS else end
    return f"{name}:{reached}", ({name: len(rows)} if rows else {})


def mentions(table: Table, names: Names, user_id: str = "") -> ColumnElement[bool]:
    """Rows in which a column holds what is looked for; entries of what they did themselves have theirs."""
    found = [
        func.lower(cast(table.c[column], Text)).contains(needle, autoescape=True)
        for column in SCANNED[table.name]
        for needle in sorted(names.needles)
    ]
    if table.name == log_names.TABLE:
        found.append((table.c.actor_id == user_id) & (table.c.address != ""))
        found.append(_is_theirs(table, user_id) & table.c.target.not_in(("", names.instead)))
    return or_(*found)


def change_row(session: WriteSession, table: Table, row: Any, names: Names, *, user_id: str = "") -> None:
    """Write a row without them."""
    values = {column: names.replaced(row._mapping[column]) for column in SCANNED[table.name]}
    if table.name == log_names.TABLE:
        if row.workspace_id == user_id or (row.actor_id == user_id and row.noun in _THEIRS):
            values["target"] = names.instead if values["target"] else ""
        values["search_key"] = normal_form.normal(f"{values['actor']} {values['target']}")
        if row.actor_id == user_id:
            values["address"] = ""
    if table.name == "workspaces":
        values["name_key"] = normal_form.normal(values["name"])
    changed = {column: value for column, value in values.items() if value != row._mapping[column]}
    if changed:
        [key] = table.primary_key.columns
        session.execute(update(table).where(key == row_key(table, row)).values(changed))


def _is_theirs(table: Table, user_id: str) -> ColumnElement[bool]:
    """Entries of the audit log about something that only they have named."""
    return (table.c.workspace_id == user_id) | ((table.c.actor_id == user_id) & table.c.noun.in_(_THEIRS))


_THEIRS = ("token", "webhook", "preset", "share_link")


def row_key(table: Table, row: Any) -> Any:
    """The key of a row."""
    [key] = table.primary_key.columns
    return row._mapping[key.name]


def _open(table: Table) -> list[ColumnElement[bool]]:
    """Of the ledger, rows of open months."""
    if table.name != LedgerEntry.__tablename__:
        return []
    closed_until = select(func.max(ClosedPeriod.ends_at)).scalar_subquery()
    return [table.c.created_at >= func.coalesce(closed_until, table.c.created_at)]


def _key(table: Table, text: str) -> Any:
    [key] = table.primary_key.columns
    return int(text) if key.type.python_type is int else text
