"""Whose rows a person may see: the one predicate that every query for a person goes through."""

from sqlalchemy import ColumnElement

from core.models import Generation, Project, Upload, UsageDay, User

Owned = type[Generation] | type[Project] | type[Upload] | type[UsageDay]


def owned(table: Owned, user: User) -> ColumnElement[bool]:
    """Rows of `table` that belong to this person."""
    return table.user_id == user.id
