"""Whose rows a person may see: the one predicate that every query for a person goes through."""

from sqlalchemy import ColumnElement

from core.models import (
    ApiToken,
    Generation,
    GenerationTag,
    Preset,
    Project,
    Upload,
    UsageDay,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)

Owned = (
    type[ApiToken]
    | type[Generation]
    | type[GenerationTag]
    | type[Preset]
    | type[Project]
    | type[Upload]
    | type[UsageDay]
    | type[WebhookDelivery]
    | type[WebhookEndpoint]
)


def owned(table: Owned, user: User) -> ColumnElement[bool]:
    """Rows of `table` that belong to this person."""
    return table.user_id == user.id
