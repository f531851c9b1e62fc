"""The page of the roles: who may do what, from the table that pages and API ask."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from core.db.enums import Role, WorkspaceRole
from core.workspaces.permissions import IN_INSTALLATION, IN_WORKSPACE, Action
from tools.reference_docs import markdown, meanings

YES = "yes"


def page() -> str:
    """The page as it must stand in docs/reference."""
    return markdown.page(
        "Roles",
        "A person has one role in the installation, and one in each workspace that they are in. Pages and API ask the "
        "same table. [What it means](../explanation/workspaces.md).",
        "## In a workspace",
        markdown.table(("role", "meaning"), meanings.of(WorkspaceRole).items()),
        _table(IN_WORKSPACE, WorkspaceRole),
        "Whoever is not in a workspace finds nothing of it; administrators manage its people from outside.",
        "## In the installation",
        markdown.table(("role", "meaning"), meanings.of(Role).items()),
        _table(IN_INSTALLATION, Role),
    )


def _table(allowed: Mapping[Action, Collection[StrEnum]], roles: type[StrEnum]) -> str:
    told = meanings.of(Action)
    rows = [
        (f"`{action.value}`", told[f"`{action.value}`"], *(YES if role in allowed[action] else "" for role in roles))
        for action in allowed
    ]
    return markdown.table(("action", "what", *(role.value for role in roles)), rows)
