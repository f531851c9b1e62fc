"""How a clip came to be and what came of it: what it was made from, its takes, and what was made from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Select,
    String,
    bindparam,
    case,
    cast,
    literal,
    literal_column,
    select,
    union_all,
)

from core import errors
from core.db import Reader
from core.db.enums import Status
from core.db.tables import Generation
from core.generations.queries import NOT_FOUND
from core.workspaces.access import Member, visible_to_bound

MAX_STEPS = 12
"""So far back the ancestors of a clip are followed."""
MAX_ANCESTORS = 24
MAX_TAKES = 40
MAX_SUCCESSORS = 60


class Relation(StrEnum):
    """How a clip is related to another one, seen from the one that was made later."""

    RETRY = "retry"
    """The same order again, after the other had failed."""
    EXTENSION = "extension"
    """It goes on from the other's last picture."""
    FRAME = "frame"
    """It begins with a picture of the other."""
    DRAFT = "draft"
    """It is the final of the other."""
    TAKE = "take"
    """Both were ordered with one press."""


@dataclass(frozen=True, slots=True)
class Relative:
    """A clip of a lineage. `steps` is how far it lies from the one that was asked about, 0 for a take.

    `thumbnail_key` is the poster's storage key, None while there is none.
    """

    id: str
    relation: Relation
    steps: int
    status: Status
    thumbnail_key: str | None
    preview_key: str | None
    model_name: str
    favourite: bool
    kept: bool | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Lineage:
    """Ancestors nearest first, takes and successors oldest first; only what the person sees and is not deleted.

    `takes` has the clip itself, and is empty for one that was ordered alone. `is_cut` says that there are more
    successors than are told.
    """

    ancestors: Sequence[Relative]
    takes: Sequence[Relative]
    successors: Sequence[Relative]
    is_cut: bool = False


def of(reader: Reader, member: Member, generation_id: str) -> Lineage:
    """The lineage of a clip that they see, in two statements; NotFound as for the clip itself.

    `steps` of successors is 1: what was made from those is told with them.
    """
    asked = {"generation_id": generation_id, "workspace_ids": member.workspace_ids}
    found = [_relative(row) for row in reader.execute(_ANCESTORS, asked)]
    if not any(one.steps == 0 for one in found):
        raise errors.NotFound(NOT_FOUND)
    after = [_relative(row) for row in reader.execute(_AFTER, asked)]
    takes = [one for one in after if one.relation is Relation.TAKE]
    successors = _once(one for one in after if one.relation is not Relation.TAKE)
    return Lineage(
        ancestors=_once(one for one in found if one.steps)[:MAX_ANCESTORS],
        takes=takes if len(takes) > 1 else [],
        successors=successors[:MAX_SUCCESSORS],
        is_cut=len(successors) > MAX_SUCCESSORS,
    )


def _relative(row: Any) -> Relative:
    values = row._asdict()
    return Relative(**(values | {"relation": Relation(values["relation"])}))


def _once(found: Any) -> list[Relative]:
    """Each clip by its first relation: one that was begun with another's last picture goes on from it, too."""
    kept: dict[str, Relative] = {}
    for one in found:
        kept.setdefault(one.id, one)
    return list(kept.values())


_SHOWN = (
    Generation.status,
    Generation.thumbnail_key,
    Generation.preview_key,
    Generation.model_name,
    Generation.favourite,
    Generation.kept,
    Generation.created_at,
)
_SEEN = (visible_to_bound(Generation), Generation.deleted_at.is_(None))


def _back() -> CTE:
    """The clip itself and its ancestors, deleted ones too, since what they were made from may be there."""
    asked: BindParameter[str] = bindparam("generation_id")
    line = (
        select(Generation.id.label("id"), literal("take").label("relation"), literal(0).label("steps"))
        .where(Generation.id == asked)
        .cte("line", recursive=True)
    )
    columns = union_all(*(select(literal_column(str(nth)).label("nth")) for nth in range(3))).subquery("columns")
    other = case(
        (columns.c.nth == 0, Generation.retry_of_id),
        (columns.c.nth == 1, Generation.extends_id),
        else_=Generation.source_id,
    )
    relation = case(
        (columns.c.nth == 0, literal(Relation.RETRY.value)),
        (columns.c.nth == 1, literal(Relation.EXTENSION.value)),
        else_=_source_kind(),
    )
    step = (
        select(other, relation, line.c.steps + 1)
        .select_from(line)
        .join(Generation, Generation.id == line.c.id)
        .join(columns, literal(True))
        .where(other.is_not(None), line.c.steps < MAX_STEPS)
    )
    return line.union(step)


def _source_kind() -> ColumnElement[str]:
    """The stored word, which is that of the relation."""
    return cast(Generation.source_kind, String(12))


def _ancestors() -> Select[Any]:
    line = _back()
    return (
        select(Generation.id, line.c.relation, line.c.steps, *_SHOWN)
        .select_from(line)
        .join(Generation, Generation.id == line.c.id)
        .where(*_SEEN)
        .order_by(line.c.steps, Generation.id.desc())
        .limit(MAX_ANCESTORS * 3 + 1)
    )


def _after() -> Select[Any]:
    """Takes and successors, each found by its own index."""
    asked: BindParameter[str] = bindparam("generation_id")
    batch = select(Generation.batch_id).where(Generation.id == asked).scalar_subquery()

    def found(column: Any, value: Any, relation: Any, steps: int, most: int) -> Select[Any]:
        query = select(Generation.id, relation.label("relation"), literal(steps).label("steps"))
        each = query.where(column == value, column.is_not(None), *_SEEN).order_by(Generation.id).limit(most)
        return select(each.subquery())

    parts = [
        found(Generation.batch_id, batch, literal(Relation.TAKE.value), 0, MAX_TAKES),
        found(Generation.retry_of_id, asked, literal(Relation.RETRY.value), 1, MAX_SUCCESSORS + 1),
        found(Generation.extends_id, asked, literal(Relation.EXTENSION.value), 1, MAX_SUCCESSORS + 1),
        found(Generation.source_id, asked, _source_kind(), 1, MAX_SUCCESSORS + 1),
    ]
    all_of_them = union_all(*parts).subquery("related")
    return (
        select(Generation.id, all_of_them.c.relation, all_of_them.c.steps, *_SHOWN)
        .select_from(all_of_them)
        .join(Generation, Generation.id == all_of_them.c.id)
        .order_by(Generation.id, all_of_them.c.relation)
    )


_ANCESTORS = _ancestors()
_AFTER = _after()
