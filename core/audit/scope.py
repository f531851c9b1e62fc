"""What a look at a rule goes over: everything (None), what is new since a place, or the range of some keys."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, select, true, union_all

from core.db.tables import Generation, Project


@dataclass(frozen=True, slots=True)
class Since:
    """A place in the two append-only tables: everything with a higher id is new."""

    entry_id: int
    event_id: int


@dataclass(frozen=True, slots=True)
class Range:
    """All with a key after the one and up to the other; None is an open end."""

    after: Any = None
    until: Any = None


Scope = Since | Range | None


def within(scope: object, key: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """Of a range: that this key lies in it. Else true."""
    if not isinstance(scope, Range):
        return true()
    ends = []
    if scope.after is not None:
        ends.append(key > scope.after)
    if scope.until is not None:
        ends.append(key <= scope.until)
    return and_(true(), *ends)


def charged_within(scope: object) -> ColumnElement[bool]:
    """Of a range of workspaces: that a generation was charged in a project of theirs, found by index. Else true."""
    if not isinstance(scope, Range) or scope == Range():
        return true()
    projects = select(Project.id).where(within(scope, Project.workspace_id))
    moved = select(Generation.id).where(
        Generation.charged_project_id.is_not(None), Generation.charged_project_id.in_(projects)
    )
    unmoved = select(Generation.id).where(Generation.charged_project_id.is_(None), Generation.project_id.in_(projects))
    return Generation.id.in_(union_all(moved, unmoved))
