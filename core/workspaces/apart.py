"""Keeps the sample company apart from the rest of an installation, so that it can go without changing its books."""

from core import errors
from core.db.tables import User, Workspace
from core.messages import message


def check(*concerned: User | Workspace) -> None:
    """Conflict when something would lead out of the sample company or into it."""
    if len({each.is_sample for each in concerned}) > 1:
        raise errors.Conflict(message("sample_stays_apart"))


def check_member(person: User, workspace: Workspace) -> None:
    """Conflict when somebody of the sample company would be in a workspace of others; anybody may look at theirs."""
    if person.is_sample:
        check(person, workspace)
