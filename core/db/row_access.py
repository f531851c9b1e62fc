"""Whose rows a person may see: the one predicate that every query for a person goes through."""

from sqlalchemy import ColumnElement, bindparam, true

from core import errors
from core.db.enums import Role
from core.db.tables import (
    ApiToken,
    Draft,
    Generation,
    GenerationTag,
    IdempotencyRecord,
    Preset,
    Project,
    Upload,
    UsageDay,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from core.messages import message

Owned = (
    type[ApiToken]
    | type[Draft]
    | type[Generation]
    | type[GenerationTag]
    | type[IdempotencyRecord]
    | type[Preset]
    | type[Project]
    | type[Upload]
    | type[UsageDay]
    | type[WebhookDelivery]
    | type[WebhookEndpoint]
)


def visible_to(table: Owned, user: User) -> ColumnElement[bool]:
    """Rows of `table` that belong to this person."""
    return table.user_id == user.id


def visible_to_bound_user(table: Owned) -> ColumnElement[bool]:
    """The condition of `visible_to` for a statement built once and run with a `user_id` parameter."""
    return table.user_id == bindparam("user_id")


def all_rows_for_admin(user: User) -> ColumnElement[bool]:
    """All rows, whoever they belong to; Forbidden for others than administrators."""
    if user.role is not Role.ADMIN:
        raise errors.Forbidden(message("administrators_see_everybody"))
    return true()
