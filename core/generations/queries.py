"""The generations of a workspace to look at: filters, keyset pages, the clips beside one, its timeline and receipt."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, literal, literal_column, select

from core import errors, normal_form
from core.billing import ledger
from core.db import Reader, ReadSession
from core.db.enums import ENDED_STATUSES, Stage, Status
from core.db.tables import Generation, GenerationEvent, GenerationTag, LedgerEntry, is_live
from core.files.findings import FindingKind, mask
from core.generations import prompt_search
from core.messages import Message, message
from core.projects import projects
from core.spec import Reference
from core.workspaces.access import (
    Member,
    Owned,
    bound_workspaces,
    in_bound_workspace,
    visible_to,
    visible_to_bound,
)

CLOCK_SLACK = timedelta(hours=1)
"""How far the time inside an id may be from `created_at`: they are read one after the other, on one machine."""


class ReviewStatus(StrEnum):
    """What a person thinks of a clip; `Generation.kept` as a word."""

    KEPT = "kept"
    REJECTED = "rejected"
    UNDECIDED = "undecided"

    @property
    def kept(self) -> bool | None:
        """The value of the column `Generation.kept`."""
        return _KEPT[self]

    @classmethod
    def of(cls, kept: bool | None) -> "ReviewStatus":
        """The status for a value of the column `Generation.kept`."""
        return next(verdict for verdict, value in _KEPT.items() if value is kept)


_KEPT = {ReviewStatus.KEPT: True, ReviewStatus.REJECTED: False, ReviewStatus.UNDECIDED: None}


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a history shows, and in which order; None or empty means all. Times are aware, `until` is not included.

    `findings` are kinds of which the clip has at least one; all of them find every clip with any. `text` are beginnings
    of words in the prompt, see `prompt_search`. `everywhere` is all workspaces in the person's
    reach, where the others are the present one; a project is looked at wherever it is.
    """

    everywhere: bool = False
    maker_id: str | None = None
    project_id: str | None = None
    statuses: tuple[Status, ...] = ()
    model_id: str | None = None
    provider: str | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    favourite: bool | None = None
    verdict: ReviewStatus | None = None
    tag: str | None = None
    findings: tuple[FindingKind, ...] = ()
    oldest_first: bool = False


class ListRow(NamedTuple):
    """A generation as lists show it, under the names of its columns: the half of them that is shown.

    A tuple, since a page of entities costs several times what the rest of a list does.
    """

    id: str
    workspace_id: str
    user_id: str
    project_id: str
    retry_of_id: str | None
    provider: str
    model_id: str
    model_name: str
    prompt: str
    negative_prompt: str
    start_image_key: str | None
    end_image_key: str | None
    resolution: str
    duration_seconds: int
    aspect_ratio: str
    generate_audio: bool
    enhance_prompt: bool
    seed: int | None
    fps: int | None
    references: tuple[Reference, ...]
    credits: int
    quote: Mapping[str, Any]
    status: Status
    stage: Stage
    progress: float
    progress_is_estimate: bool
    cancel_requested_at: datetime | None
    error_code: str | None
    error_message: str | None
    error: Message | None
    output_key: str | None
    thumbnail_key: str | None
    preview_key: str | None
    stored_bytes: int
    output_facts: Mapping[str, Any] | None
    favourite: bool
    kept: bool | None
    findings: Sequence[Mapping[str, Any]] | None
    loudness_lufs: float | None
    created_at: datetime
    submitted_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """One keyset page; `next_cursor` is None on the last."""

    rows: Sequence[ListRow]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The ids of the clips before and after one in a listing; None at its ends."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Details:
    """All that can be told of one generation: its timeline and its receipt."""

    events: Sequence[GenerationEvent]
    entries: Sequence[LedgerEntry]


def list_page(
    session: Reader, member: Member, chosen: ListFilter, *, cursor: str | None = None, limit: int = 24
) -> Page:
    """The generations of the workspace, or of all in reach, a keyset page at a time: stable while rows are added.

    NotFound for a project that they do not see.
    """
    _check_project(session, member, chosen)
    query = _page(chosen, cursor, limit, _Where.of(session, member, chosen))
    rows = session.execute(query, bound_workspaces(member)).all()
    return Page([ListRow._make(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


def neighbours(session: ReadSession, member: Member, chosen: ListFilter, generation_id: str) -> Neighbours:
    """The clips before and after one, in the order of the listing. NotFound for a project that they do not see."""
    _check_project(session, member, chosen)
    found = _listing(select(Generation.id), chosen, _Where.of(session, member, chosen))

    def nearest(*, older: bool) -> str | None:
        beyond = found.where(_beyond(found, generation_id, older=older))
        nearest_id: str | None = session.scalar(beyond.first(1, newest=older), bound_workspaces(member))
        return nearest_id

    newer, older = nearest(older=False), nearest(older=True)
    return Neighbours(older, newer) if chosen.oldest_first else Neighbours(newer, older)


def get_many(session: ReadSession, member: Member, ids: Collection[str]) -> Sequence[Generation]:
    """The generations among `ids` that they see and that are not deleted, in the order of `ids`."""
    query = select(Generation).where(
        visible_to(Generation, member), Generation.deleted_at.is_(None), Generation.id.in_(ids)
    )
    rows = {row.id: row for row in session.scalars(query)}
    return [rows[found] for found in dict.fromkeys(ids) if found in rows]


def details(session: ReadSession, row: Generation) -> Details:
    """Timeline and receipt of a generation the caller may see."""
    of_row = select(GenerationEvent).where(GenerationEvent.generation_id == row.id).order_by(GenerationEvent.id)
    return Details(session.scalars(of_row).all(), ledger.entries_of_generation(session, row.id))


_LIST_COLUMNS = select(*(getattr(Generation, name) for name in ListRow._fields))


@dataclass(frozen=True, slots=True)
class _Where:
    """Where a listing looks: the kind of database, how many workspaces, and which, where the index of words is asked.

    `count` is that of all workspaces in reach, and 1 for the present one or a project.
    """

    is_postgresql: bool
    count: int
    word_owner_ids: tuple[str, ...]

    @classmethod
    def of(cls, session: Reader, member: Member, chosen: ListFilter) -> "_Where":
        bind = session if isinstance(session, Connection) else session.get_bind()
        ids = member.workspace_ids if chosen.everywhere else (member.workspace_id,)
        if chosen.project_id is not None:
            ids = (chosen.project_id,)
        return cls(bind.dialect.name == "postgresql", len(ids), ids if chosen.text.strip() else ())


def _check_project(session: Reader, member: Member, chosen: ListFilter) -> None:
    if chosen.project_id is not None:
        projects.check_visible(session, member, chosen.project_id)


@lru_cache(maxsize=256)
def _page(chosen: ListFilter, cursor: str | None, limit: int, where: _Where) -> Select[Any]:
    """The statement of a page and one row more; kept, since to put it together takes as long as to run it."""
    found = _listing(_LIST_COLUMNS, chosen, where)
    if cursor is not None:
        found = found.where(_beyond(found, cursor, older=not chosen.oldest_first))
    return found.first(limit + 1, newest=not chosen.oldest_first)


def _listing(columns: Select[Any], chosen: ListFilter, where: _Where) -> prompt_search.Found:
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


def _beyond(found: prompt_search.Found, generation_id: str, *, older: bool) -> ColumnElement[bool]:
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
    if chosen.favourite is not None:
        # As a literal, because SQLite uses a partial index only for the very same words.
        favourite: ColumnElement[bool] = literal_column("generations.favourite")
        found.append(favourite if chosen.favourite else ~favourite)
    if chosen.verdict is not None:
        kept = chosen.verdict.kept
        found.append(Generation.kept.is_(None) if kept is None else Generation.kept == literal(kept))
    if chosen.findings:
        found.append(literal_column("generations.finding_kinds") > literal_column("0"))  # as of its index
        found.append(Generation.finding_kinds.bitwise_and(mask(chosen.findings)) != 0)
    if chosen.since is not None:
        found += [Generation.created_at >= chosen.since, Generation.id >= _first_id(chosen.since, -CLOCK_SLACK)]
    if chosen.until is not None:
        found += [Generation.created_at < chosen.until, Generation.id <= _first_id(chosen.until, CLOCK_SLACK)]
    return found


def _first_id(moment: datetime, slack: timedelta) -> str:
    """The smallest id (UUID version 7) of a moment: ids carry their time, so the index of ids is one of times."""
    stamp = int((moment.timestamp() + slack.total_seconds()) * 1000)
    return str(uuid.UUID(int=min(max(stamp, 0), 2**48 - 1) << 80))


def canonical_tag(tag: str) -> str:
    """A tag as it is kept and compared: small letters, composed, single spaces."""
    return normal_form.canonical(" ".join(tag.casefold().split()))


NOT_FOUND = message("generation_not_found")


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """How far a generation is: what somebody who waits for it needs. `progress` is 0 to 1."""

    id: str
    status: Status
    progress: float
    output_key: str | None
    thumbnail_key: str | None
    error_code: str | None
    error_message: str | None


def last_model(session: ReadSession, member: Member) -> str | None:
    """Id of the model that they have ordered last, in whatever workspace; None before the first order."""
    return session.scalar(
        select(Generation.model_id).where(Generation.user_id == member.id).order_by(Generation.id.desc()).limit(1)
    )


def get(session: ReadSession, member: Member, generation_id: str) -> Generation:
    """A generation in a workspace of theirs; NotFound also when it is in another one or deleted."""
    row = session.scalar(visible(member).where(Generation.id == generation_id))
    if row is None:
        raise errors.NotFound(NOT_FOUND)
    return row


def status_snapshot(session: Reader, member: Member, generation_id: str) -> StatusSnapshot:
    """Where a generation stands that they see, for those who ask again and again; NotFound as in `get`."""
    row = session.execute(
        _STATUS_SNAPSHOT, {"workspace_ids": member.workspace_ids, "generation_id": generation_id}
    ).first()
    if row is None:
        raise errors.NotFound(NOT_FOUND)
    return StatusSnapshot(*row)


def file_bytes(row: Generation | ListRow) -> int:
    """How large the clip's own file is, without its poster and preview; with them for a file that nobody measured."""
    return int((row.output_facts or {}).get("size_bytes") or row.stored_bytes)


def file_name(row: Generation) -> str:
    """A name to save a clip under: the start of its prompt and the end of its id, harmless on every system."""
    words = "".join(char if char.isascii() and char.isalnum() else " " for char in row.prompt.lower()).split()
    stem = "-".join(words)[:48].strip("-") or "clip"
    return f"{stem}-{row.id[-6:]}.mp4"


# Put together once: they are run more often than others, and putting them together takes longer than running them.
_STATUS_SNAPSHOT = select(*(getattr(Generation, field.name) for field in fields(StatusSnapshot))).where(
    visible_to_bound(Generation), Generation.deleted_at.is_(None), Generation.id == bindparam("generation_id")
)


def visible(member: Member) -> Select[Generation]:
    """The generations that a person sees and that are not deleted, as a statement to narrow down."""
    return select(Generation).where(visible_to(Generation, member), Generation.deleted_at.is_(None))
