"""Spans and weeks of moments in a row, in each database's words."""

from typing import Any

from sqlalchemy import ColumnElement, Float, String, cast, extract, func
from sqlalchemy.orm import Session


def seconds_between(session: Session, begin: Any, end: Any) -> ColumnElement[float]:
    """From one column of moments to another; nothing where one of them is nothing."""
    if _is_postgresql(session):
        return cast(extract("epoch", end - begin), Float)
    return (func.julianday(end) - func.julianday(begin)) * 86_400.0


def week_of(session: Session, moment: Any) -> ColumnElement[str]:
    """The Monday (ISO 8601, UTC) of the week that a moment is in, as `2026-11-16`."""
    if _is_postgresql(session):
        in_utc = func.timezone("UTC", moment)
        return func.to_char(func.date_trunc("week", in_utc), "YYYY-MM-DD", type_=String)
    return func.date(moment, "weekday 0", "-6 days", type_=String)


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
