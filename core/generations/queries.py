"""The generations of a workspace to look at: filters, keyset pages, the clips beside one, its timeline and receipt."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    Select,
    bindparam,
    func,
    select,
    true,
)

from core import errors
from core.billing import ledger
from core.db import Reader, ReadSession
from core.db.enums import RejectReason, Stage, Status
from core.db.tables import (
    Generation,
    GenerationEvent,
    LedgerEntry,
    Project,
)
from core.generations import folding, listing
from core.generations.list_filter import ListFilter
from core.messages import Message, message
from core.spec import Reference
from core.workspaces.access import (
    Member,
    bound_workspaces,
    in_bound_workspace,
    in_workspace,
    visible_to,
    visible_to_bound,
)

WALKED_ROWS = 10_000
WALKED_MATCHES = 2_000
"""So many rows are looked at to count those that fit, so many of those with words that are searched: 10 ms at most."""


class ListRow(NamedTuple):
    """A generation as lists show it, under the names of its columns: the half of them that is shown.

    A tuple, since a page of entities costs several times what the rest of a list does.
    """

    id: str
    workspace_id: str
    user_id: str
    project_id: str
    retry_of_id: str | None
    batch_id: str | None
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
    reject_reason: RejectReason | None
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
class Count:
    """How many clips fit; where it is not `is_exact`, among those that were counted, and there may be more."""

    number: int
    is_exact: bool = True


class Take(NamedTuple):
    """Which of the clips that were ordered with one press this one is: `number` of `of`, from 1."""

    number: int
    of: int


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
    listing.check_project(session, member, chosen)
    query = listing.page(_LIST_COLUMNS, chosen, cursor, limit, listing.Where.of(session, member, chosen))
    rows = session.execute(query, bound_workspaces(member)).all()
    return Page([ListRow._make(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


def neighbours(session: ReadSession, member: Member, chosen: ListFilter, generation_id: str) -> Neighbours:
    """The clips before and after one, in the order of the listing. NotFound for a project that they do not see."""
    listing.check_project(session, member, chosen)
    found = listing.listing(select(Generation.id), chosen, listing.Where.of(session, member, chosen))

    def nearest(*, older: bool) -> str | None:
        beyond = found.where(listing.beyond(found, generation_id, older=older))
        nearest_id: str | None = session.scalar(beyond.first(1, newest=older), bound_workspaces(member))
        return nearest_id

    newer, older = nearest(older=False), nearest(older=True)
    return Neighbours(older, newer) if chosen.oldest_first else Neighbours(newer, older)


def matching_ids(session: Reader, member: Member, chosen: ListFilter, *, limit: int) -> Select[str]:
    """A statement of the ids of everything that fits, newest first, to be run with `bound_workspaces(member)`.

    NotFound for a project that they do not see.
    """
    listing.check_project(session, member, chosen)
    return listing.listing(select(Generation.id), chosen, listing.Where.of(session, member, chosen)).first(
        limit, newest=True
    )


def count(session: Reader, member: Member, chosen: ListFilter, *, walked_rows: int = WALKED_ROWS) -> Count:
    """How many clips a history shows. NotFound for a project that they do not see.

    Without a filter, or of a project, the figure is kept beside the rows and always exact. Else rows are counted, the
    newest `walked_rows` of those with the rarest thing that is asked for: a figure that grows with nothing but that.
    """
    listing.check_project(session, member, chosen)
    if chosen == ListFilter(chosen.everywhere, project_id=chosen.project_id, oldest_first=chosen.oldest_first):
        of_project = Project.id == chosen.project_id if chosen.project_id is not None else true()
        owned = visible_to if chosen.everywhere or chosen.project_id is not None else in_workspace
        kept = select(func.coalesce(func.sum(Project.generation_count), 0)).where(owned(Project, member), of_project)
        return Count(int(session.execute(kept).scalar_one()))
    most = min(walked_rows, WALKED_MATCHES) if chosen.text.strip() else walked_rows
    counting = listing.counting(chosen, most, listing.Where.of(session, member, chosen))
    walked, fitting = session.execute(counting, bound_workspaces(member)).one()
    return Count(int(fitting or 0), walked < most)


def page_before(session: Reader, member: Member, chosen: ListFilter, *, first_id: str, limit: int = 24) -> str | None:
    """The cursor of the page that ends before `first_id`, the first clip of a page; None for the first page."""
    listing.check_project(session, member, chosen)
    found = listing.listing(select(Generation.id), chosen, listing.Where.of(session, member, chosen))
    found = found.where(listing.beyond(found, first_id, older=chosen.oldest_first))
    before = session.execute(found.first(limit + 1, newest=chosen.oldest_first), bound_workspaces(member)).all()
    return str(before[limit][0]) if len(before) > limit else None


def cursor_at(session: Reader, member: Member, chosen: ListFilter, moment: datetime) -> str | None:
    """The cursor of the page that begins at a moment; None for the first page.

    It begins with the newest clip from before, where the oldest are first with the oldest one from then on.
    """
    listing.check_project(session, member, chosen)
    # Of everything there, whatever else is asked for: a cursor is a place in time and need not fit itself.
    anything = ListFilter(everywhere=chosen.everywhere, project_id=chosen.project_id)
    found = listing.listing(select(Generation.id), anything, listing.Where.of(session, member, anything))
    there = listing.first_id(moment, timedelta(0))
    beyond = found.where(found.place < there if chosen.oldest_first else found.place >= there)
    cursor: str | None = session.execute(beyond.first(1, newest=chosen.oldest_first), bound_workspaces(member)).scalar()
    return cursor


def takes(session: Reader, rows: Collection[ListRow | Generation]) -> Mapping[str, Take]:
    """Generation -> which take it is, of these that were ordered together with others; deleted ones count, too.

    The rows must be such that the caller may see.
    """
    batches = {row.batch_id for row in rows if row.batch_id is not None}
    if not batches:
        return {}
    ids = defaultdict(list)
    for row in session.execute(_OF_BATCHES, {"batch_ids": list(batches)}):
        ids[row.batch_id].append(row.id)
    return {id_: Take(place, len(together)) for together in ids.values() for place, id_ in enumerate(together, start=1)}


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
    folded = session.scalar(select(Generation.timeline).where(Generation.id == row.id))
    steps = [*folding.unfolded(folded, row.id), *session.scalars(of_row)]
    return Details(steps, ledger.entries_of_generation(session, row.id))


_LIST_COLUMNS = select(*(getattr(Generation, name) for name in ListRow._fields))


_OF_BATCHES = (
    select(Generation.batch_id, Generation.id)
    .where(Generation.batch_id.in_(bindparam("batch_ids", expanding=True)))
    .order_by(Generation.id)
)


NOT_FOUND = message("generation_not_found")


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """How far a generation is: what somebody who waits for it needs. `progress` is 0 to 1."""

    id: str
    status: Status
    stage: Stage
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


RECENT_ORDERS = 50
"""Among so many newest orders of a person their recent models are looked for."""


def recent_models(session: Reader, member: Member, *, limit: int) -> Sequence[str]:
    """Ids of the models that they have ordered lately in their workspace, the last one first."""
    found = session.execute(
        _RECENT_MODELS, {"workspace_id": member.workspace_id, "user_id": member.id, "limit": RECENT_ORDERS}
    ).scalars()
    return list(dict.fromkeys(found))[:limit]


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


def file_name(row: Generation | ListRow) -> str:
    """A name to save a clip under: the start of its prompt and the end of its id, harmless on every system."""
    words = "".join(char if char.isascii() and char.isalnum() else " " for char in row.prompt.lower()).split()
    stem = "-".join(words)[:48].strip("-") or "clip"
    return f"{stem}-{row.id[-6:]}.mp4"


# Put together once: they are run more often than others, and putting them together takes longer than running them.
_STATUS_SNAPSHOT = select(*(getattr(Generation, field.name) for field in fields(StatusSnapshot))).where(
    visible_to_bound(Generation), Generation.deleted_at.is_(None), Generation.id == bindparam("generation_id")
)

_RECENT_MODELS = (
    select(Generation.model_id)
    .where(in_bound_workspace(Generation), Generation.user_id == bindparam("user_id"))
    .order_by(Generation.id.desc())
    .limit(bindparam("limit"))
)


def visible(member: Member) -> Select[Generation]:
    """The generations that a person sees and that are not deleted, as a statement to narrow down."""
    return select(Generation).where(visible_to(Generation, member), Generation.deleted_at.is_(None))
