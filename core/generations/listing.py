"""Puts together the statements of a history: what fits a filter, a page of it, how many there are.

Nothing here is run; `core.generations.queries` does, and knows who asks.
"""

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, literal_column, select

from core.db import Reader
from core.db.enums import ENDED_STATUSES, Status
from core.db.tables import Generation, GenerationTag, GenerationUpload, is_live
from core.db.tables.generations import BEFORE_OPENINGS
from core.files.findings import mask
from core.generations import prompt_search
from core.generations.list_filter import ListFilter, ReviewStatus, canonical_tag
from core.projects import projects
from core.workspaces.access import Member, Owned, in_bound_workspace, visible_to_bound

CLOCK_SLACK = timedelta(hours=1)
"""How far the time inside an id may be from `created_at`: they are read one after the other, on one machine."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a listing looks: the kind of database, how many workspaces, and which, where the index of words is asked.

    `count` is that of all workspaces in reach, and 1 for the present one or a project.
    """

    is_postgresql: bool
    count: int
    word_owner_ids: tuple[str, ...]

    @classmethod
    def of(cls, session: Reader, member: Member, chosen: ListFilter) -> "Where":
        """Where this filter of theirs is looked for."""
        bind = session if isinstance(session, Connection) else session.get_bind()
        ids = member.workspace_ids if chosen.everywhere else (member.workspace_id,)
        if chosen.project_id is not None:
            ids = (chosen.project_id,)
        return cls(bind.dialect.name == "postgresql", len(ids), ids if chosen.text.strip() else ())


def check_project(session: Reader, member: Member, chosen: ListFilter) -> None:
    """NotFound for a filter by a project that they do not see."""
    if chosen.project_id is not None:
        projects.check_visible(session, member, chosen.project_id)


@lru_cache(maxsize=256)
def counting(chosen: ListFilter, most: int, where: Where) -> Select[*tuple[Any, ...]]:
    """The statement that walks up to `most` rows in the order of pages: how many there were, and how many fit."""
    walked_by, rest = _split(chosen)
    conditions = _conditions(rest)
    fits = (case((and_(*conditions), 1), else_=0) if conditions else literal(1)).label("fits")
    found = listing(select(Generation.id, fits), walked_by, where)
    walked = found.first(most, newest=True).subquery("walked")
    return select(func.count(), func.sum(walked.c.fits)).select_from(walked)


def _split(chosen: ListFilter) -> tuple[ListFilter, ListFilter]:
    """A filter as what an index walks, of which there is probably the least, and the rest that a row is asked for.

    What a row fits by its index is not asked again: some indexes spare the look into the row.
    """
    nothing = ListFilter()
    if chosen.text.strip():
        return chosen, nothing
    rarest_first: Sequence[tuple[str, bool]] = (
        ("statuses", bool(chosen.statuses) and not set(chosen.statuses) & set(ENDED_STATUSES)),
        ("findings", bool(chosen.findings)),
        ("favourite", chosen.favourite is True),
        ("opened", chosen.opened is False),
        ("tag", chosen.tag is not None),
        ("verdict", chosen.verdict in (ReviewStatus.KEPT, ReviewStatus.REJECTED)),
        ("project_id", chosen.project_id is not None),
        ("statuses", bool(chosen.statuses) and Status.COMPLETED not in chosen.statuses),
        ("model_id", chosen.model_id is not None),
        ("provider", chosen.provider is not None),
        ("maker_id", chosen.maker_id is not None),
    )
    names = ["everywhere", "project_id", "tag", "since", "until"]  # where to look, and what every index has
    names += [name for name, is_asked in rarest_first if is_asked][:1]
    walked: dict[str, Any] = {name: getattr(chosen, name) for name in names}
    rest: dict[str, Any] = {name: getattr(nothing, name) for name in names}
    return replace(nothing, **walked), replace(chosen, **rest)


@lru_cache(maxsize=256)
def page(columns: Select[Any], chosen: ListFilter, cursor: str | None, limit: int, where: Where) -> Select[Any]:
    """The statement of a page and one row more; kept, since to put it together takes as long as to run it."""
    found = listing(columns, chosen, where)
    if cursor is not None:
        found = found.where(beyond(found, cursor, older=not chosen.oldest_first))
    return found.first(limit + 1, newest=not chosen.oldest_first)


def listing(columns: Select[Any], chosen: ListFilter, where: Where) -> prompt_search.Found:
    """These columns of everything that fits, in no order yet; a project is in reach.

    No index has the rows of several workspaces in their order, but that of words: the others are walked one workspace
    after the other, so that a page costs as much as there are workspaces, however full they are.
    """
    if where.count == 1:
        found = _within(columns, chosen, in_bound_workspace)
    else:
        found = _within(columns, chosen, visible_to_bound)
        each = (partial(in_bound_workspace, nth=nth) for nth in range(where.count))
        found = replace(found, walks=tuple(_within(select(Generation.id), chosen, owned).query for owned in each))
    if where.word_owner_ids:
        return prompt_search.narrow(
            found,
            chosen.text,
            is_postgresql=where.is_postgresql,
            owner_ids=where.word_owner_ids,
            maker_id=chosen.maker_id,
            marks=_marks(chosen),
        )
    return found


def _within(
    columns: Select[Any], chosen: ListFilter, owned: Callable[[Owned], ColumnElement[bool]]
) -> prompt_search.Found:
    """These columns of what fits in the workspaces of a condition."""
    query = columns.where(Generation.deleted_at.is_(None), *_conditions(chosen))
    if chosen.project_id is not None:
        # The project is in reach, so its rows are: without the workspace in the query its own index is used.
        query = query.where(Generation.project_id == chosen.project_id)
    else:
        query = query.where(owned(Generation))
    place: ColumnElement[str] = Generation.id.expression
    if chosen.tag is not None:
        query = query.join(GenerationTag, GenerationTag.generation_id == Generation.id)
        query = query.where(GenerationTag.tag == canonical_tag(chosen.tag))
        if chosen.project_id is None:
            query = query.where(owned(GenerationTag))
        place = GenerationTag.generation_id.expression  # the same id, in the order of the index of tags
    return prompt_search.Found(query, place)


def _marks(chosen: ListFilter) -> list[Collection[str]]:
    """What of a filter the index of words knows as well."""
    found: list[Collection[str]] = []
    if chosen.statuses and set(chosen.statuses) <= set(ENDED_STATUSES):
        found.append([status.value for status in chosen.statuses])
    if chosen.favourite:
        found.append(["favourite"])
    if chosen.verdict in (ReviewStatus.KEPT, ReviewStatus.REJECTED):
        found.append([chosen.verdict.value])
    found += [[prompt_search.mark("f", kind) for kind in chosen.findings]] if chosen.findings else []
    found += [[prompt_search.mark("m", chosen.model_id)]] if chosen.model_id else []
    found += [[prompt_search.mark("p", chosen.provider)]] if chosen.provider else []
    return found


def beyond(found: prompt_search.Found, generation_id: str, *, older: bool) -> ColumnElement[bool]:
    """What lies on one side of a generation, in the order of this listing."""
    there = found.place_of(generation_id)
    return found.place < there if older else found.place > there


def _conditions(chosen: ListFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.maker_id is not None:
        found.append(Generation.user_id == chosen.maker_id)
    if chosen.statuses:
        found.append(Generation.status.in_(chosen.statuses))
        if not set(chosen.statuses) & set(ENDED_STATUSES):
            found.append(is_live())
    if chosen.model_id is not None:
        found.append(Generation.model_id == chosen.model_id)
    if chosen.provider is not None:
        found.append(Generation.provider == chosen.provider)
    if chosen.made_from is not None:
        found.append(
            Generation.id.in_(
                select(GenerationUpload.generation_id).where(GenerationUpload.storage_key == chosen.made_from)
            )
        )
    if chosen.favourite is not None:
        # As a literal, because SQLite uses a partial index only for the very same words.
        favourite: ColumnElement[bool] = literal_column("generations.favourite")
        found.append(favourite if chosen.favourite else ~favourite)
    if chosen.verdict is not None:
        kept = chosen.verdict.kept
        found.append(Generation.kept.is_(None) if kept is None else Generation.kept == literal(kept))
    if chosen.reject_reason is not None:
        found.append(Generation.reject_reason == chosen.reject_reason)
    if chosen.error_code is not None:
        found.append(Generation.error_code == chosen.error_code)
    if chosen.opened is not None:
        is_there = Generation.status == literal_column("'completed'")  # both as of its index
        known = Generation.first_opened_at > BEFORE_OPENINGS
        found += [is_there, known if chosen.opened else Generation.first_opened_at.is_(None)]
    if chosen.findings:
        found.append(literal_column("generations.finding_kinds") > literal_column("0"))  # as of its index
        found.append(Generation.finding_kinds.bitwise_and(mask(chosen.findings)) != 0)
    if chosen.since is not None:
        found += [Generation.created_at >= chosen.since, Generation.id >= first_id(chosen.since, -CLOCK_SLACK)]
    if chosen.until is not None:
        found += [Generation.created_at < chosen.until, Generation.id <= first_id(chosen.until, CLOCK_SLACK)]
    return found


def first_id(moment: datetime, slack: timedelta) -> str:
    """The smallest id (UUID version 7) of a moment: ids carry their time, so the index of ids is one of times."""
    stamp = int((moment.timestamp() + slack.total_seconds()) * 1000)
    return str(uuid.UUID(int=min(max(stamp, 0), 2**48 - 1) << 80))
