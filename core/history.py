"""A person's generations to look at: filters, keyset pages, the clips beside one, its timeline and receipt."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, literal, literal_column, select
from sqlalchemy.orm import Session

from core import ledger, projects, prompt_search
from core.models import Generation, GenerationEvent, GenerationTag, LedgerEntry, User, is_live
from core.ownership import owned
from core.states import ENDED_STATUSES, Status

CLOCK_SLACK = timedelta(hours=1)
"""How far the time inside an id may be from `created_at`: they are read one after the other, on one machine."""


class Verdict(StrEnum):
    """What a person thinks of a clip; `Generation.kept` as a word."""

    KEPT = "kept"
    REJECTED = "rejected"
    UNDECIDED = "undecided"

    @property
    def kept(self) -> bool | None:
        """As the column has it."""
        return _KEPT[self]

    @classmethod
    def of(cls, kept: bool | None) -> "Verdict":
        """Of what the column has."""
        return next(verdict for verdict, value in _KEPT.items() if value is kept)


_KEPT = {Verdict.KEPT: True, Verdict.REJECTED: False, Verdict.UNDECIDED: None}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a history shows, and in which order; None or empty means all. Times are aware, `until` is not included.

    `text` are beginnings of words in the prompt, see `prompt_search`.
    """

    project_id: str | None = None
    statuses: Collection[Status] = ()
    model_id: str | None = None
    provider: str | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    favourite: bool | None = None
    verdict: Verdict | None = None
    tag: str | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One keyset page; `next_cursor` is None on the last."""

    rows: Sequence[Generation]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The ids of the clips before and after one in a listing; None at its ends."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """All that can be told of one generation: its timeline and its receipt."""

    events: Sequence[GenerationEvent]
    entries: Sequence[LedgerEntry]


def browse(session: Session, user: User, chosen: Filter, *, cursor: str | None = None, limit: int = 24) -> Page:
    """A person's generations, a keyset page at a time: stable while rows are added.

    NotFound for a project that is not theirs.
    """
    found = _listing(session, user, chosen)
    query = found.query
    if cursor is not None:
        query = query.where(_beyond(found, cursor, older=not chosen.oldest_first))
    order = found.place.asc() if chosen.oldest_first else found.place.desc()
    rows = session.scalars(query.order_by(order).limit(limit + 1)).all()
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def neighbours(session: Session, user: User, chosen: Filter, generation_id: str) -> Neighbours:
    """The clips before and after one, in the order of the listing. NotFound for a project that is not theirs."""
    found = _listing(session, user, chosen)

    def nearest(*, older: bool) -> str | None:
        order = found.place.desc() if older else found.place.asc()
        query = found.query.where(_beyond(found, generation_id, older=older)).order_by(order).limit(1)
        row = session.scalar(query)
        return row.id if row else None

    newer, older = nearest(older=False), nearest(older=True)
    return Neighbours(older, newer) if chosen.oldest_first else Neighbours(newer, older)


def several(session: Session, user: User, ids: Collection[str]) -> Sequence[Generation]:
    """Those of these generations that are a person's own and not deleted, in the order of the ids."""
    query = select(Generation).where(owned(Generation, user), Generation.deleted_at.is_(None), Generation.id.in_(ids))
    rows = {row.id: row for row in session.scalars(query)}
    return [rows[found] for found in dict.fromkeys(ids) if found in rows]


def story(session: Session, row: Generation) -> Story:
    """Timeline and receipt of a generation the caller may see."""
    of_row = select(GenerationEvent).where(GenerationEvent.generation_id == row.id).order_by(GenerationEvent.id)
    return Story(session.scalars(of_row).all(), ledger.entries_of_generation(session, row.id))


def _listing(session: Session, user: User, chosen: Filter) -> prompt_search.Found:
    """Everything that fits, in no order yet."""
    query = select(Generation).where(Generation.deleted_at.is_(None), *_conditions(chosen))
    if chosen.project_id is not None:
        projects.get(session, user, chosen.project_id)
        # The project is theirs, so its rows are: without the person in the query its own index is used.
        query = query.where(Generation.project_id == chosen.project_id)
    else:
        query = query.where(owned(Generation, user))
    place: ColumnElement[str] = Generation.id.expression
    if chosen.tag is not None:
        query = query.join(GenerationTag, GenerationTag.generation_id == Generation.id)
        query = query.where(owned(GenerationTag, user), GenerationTag.tag == chosen.tag)
        place = GenerationTag.generation_id.expression  # the same id, in the order of the index of tags
    if chosen.text.strip():
        return prompt_search.narrow(
            session, query, chosen.text, user_id=user.id, project_id=chosen.project_id, marks=_marks(chosen)
        )
    return prompt_search.Found(query, place)


def _marks(chosen: Filter) -> list[Collection[str]]:
    """What of a filter the index of words knows as well."""
    found: list[Collection[str]] = []
    if chosen.statuses and set(chosen.statuses) <= set(ENDED_STATUSES):
        found.append([status.value for status in chosen.statuses])
    if chosen.favourite:
        found.append(["favourite"])
    if chosen.verdict in (Verdict.KEPT, Verdict.REJECTED):
        found.append([chosen.verdict.value])
    found += [[prompt_search.mark("m", chosen.model_id)]] if chosen.model_id else []
    found += [[prompt_search.mark("p", chosen.provider)]] if chosen.provider else []
    return found


def _beyond(found: prompt_search.Found, generation_id: str, *, older: bool) -> ColumnElement[bool]:
    there = found.place_of(generation_id)
    return found.place < there if older else found.place > there


def _conditions(chosen: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
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
    if chosen.since is not None:
        found += [Generation.created_at >= chosen.since, Generation.id >= _first_id(chosen.since, -CLOCK_SLACK)]
    if chosen.until is not None:
        found += [Generation.created_at < chosen.until, Generation.id <= _first_id(chosen.until, CLOCK_SLACK)]
    return found


def _first_id(moment: datetime, slack: timedelta) -> str:
    """The smallest id (UUID version 7) of a moment: ids carry their time, so the index of ids is one of times."""
    stamp = int((moment.timestamp() + slack.total_seconds()) * 1000)
    return str(uuid.UUID(int=min(max(stamp, 0), 2**48 - 1) << 80))
