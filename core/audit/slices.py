"""A look at everything a slice at a time, each in a snapshot of its own, which finds what one look at all would find.

A snapshot that is held for long slows every table that changes much: what was changed since cannot be cleaned up. So a
slice goes through one rule over a range of its keys, and ranges grow or shrink by how long the one before has taken.
What is compared for some accounts is compared in one snapshot, which one workspace with millions of clips makes longer.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from core.audit import closed_books, runs
from core.audit.invariants import INVARIANTS
from core.audit.runs import AuditPass, Result
from core.audit.scope import Range, within
from core.clock import utc_now
from core.db import Database, ReadSession
from core.db.tables import Account, Project

SECONDS = 2.5
"""A slice that took longer is followed by one of half its size, so that none takes 5 s where that can be helped."""
SHORT_SECONDS, QUICK_SECONDS = 1.2, 0.3
MOST = 1_000_000
FIRST_SIZE = 10_000
WORKSPACES = 1_000
"""So many are in a slice at most, whatever is in them."""

PARTS: Sequence[str] = (*(rule.code for rule in INVARIANTS), closed_books.CODE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a slice begins: in which part, after which of its keys (as text; empty: at the beginning)."""

    part: int = 0
    after: str = ""

    @property
    def is_end(self) -> bool:
        """All is looked at."""
        return self.part >= len(PARTS)


@dataclass(slots=True)
class Found:
    """What slices have come to, by rule."""

    checked: dict[str, int] = field(default_factory=dict)
    offenders: dict[str, set[str]] = field(default_factory=dict)

    def add(self, code: str, checked: int, offenders: Sequence[str]) -> None:
        """Put a slice to those before."""
        self.checked[code] = self.checked.get(code, 0) + checked
        self.offenders.setdefault(code, set()).update(offenders)

    @property
    def results(self) -> Sequence[Result]:
        """The rules in their order, each with the first of those that break it."""
        return [
            Result(code, self.checked.get(code, 0), tuple(sorted(self.offenders.get(code, ()))[:_SHOWN]))
            for code in PARTS
        ]

    def to_json(self) -> dict[str, Any]:
        """To be kept between two slices; of many offenders no more than are shown."""
        return {code: [count, sorted(self.offenders.get(code, ()))[:_SHOWN]] for code, count in self.checked.items()}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Found":
        """What was kept."""
        return cls({code: pair[0] for code, pair in kept.items()}, {code: set(pair[1]) for code, pair in kept.items()})


_SHOWN = runs.MAX_VIOLATIONS_SHOWN


class Slices:
    """Takes slice after slice from a place on; `first_size` is about how many clips or rows one has."""

    def __init__(self, place: Place, found: Found, *, first_size: int | None = None) -> None:
        self.place = place
        self.found = found
        self.longest_seconds = 0.0
        self._first_size = first_size
        self._size: int | None = None

    def take(self, database: Database) -> None:
        """Look at the next slice, in a snapshot of its own."""
        part = self.place.part
        size = self._size or self._first_size or FIRST_SIZE
        begin = time.monotonic()
        with database.snapshot() as session:
            next_after = self._look(session, size)
        seconds = time.monotonic() - begin
        self.longest_seconds = max(self.longest_seconds, seconds)
        self.place = Place(part + 1) if next_after is None else Place(part, next_after)
        self._size = None if next_after is None else _next_size(size, seconds)

    def _look(self, session: ReadSession, size: int) -> str | None:
        code, after = PARTS[self.place.part], self.place.after
        if code == closed_books.CODE:
            part = closed_books.look(session, after, size)
            self.found.add(code, part.checked, part.offenders)
            return part.next_after
        rule = INVARIANTS[self.place.part]
        scope = None
        if rule.by is not None:
            begin = rule.by.type.python_type(after) if after else None
            last = _last_workspace if rule.by is Account.workspace_id else _last_key
            scope = Range(begin, last(session, rule.by, begin, size))
        result = runs.checked(session, rule, scope)
        self.found.add(code, result.checked, result.offenders)
        return None if scope is None or scope.until is None else str(scope.until)


def _last_key(session: ReadSession, key: InstrumentedAttribute[Any], begin: Any, size: int) -> Any:
    """The last of so many keys after the beginning; None when there are no more than that."""
    return session.scalar(select(key).where(within(Range(begin), key)).order_by(key).offset(size - 1).limit(1))


def _last_workspace(session: ReadSession, key: InstrumentedAttribute[str], begin: str | None, size: int) -> str | None:
    """The last of as many workspaces as have about so many clips together, at least one; None when those are the last.

    One workspace is never parted, since what is added up is all of its own.
    """
    clips = func.coalesce(func.sum(Project.generation_count), 0)
    ahead = select(key, clips).outerjoin(Project, Project.workspace_id == key).where(within(Range(begin), key))
    weight, last = 0, None
    for number, (workspace_id, count) in enumerate(
        session.execute(ahead.group_by(key).order_by(key).limit(WORKSPACES + 1))
    ):
        weight += 1 + count
        if last is not None and (weight > size or number == WORKSPACES):
            return last
        last = workspace_id
    return None


def _next_size(size: int, seconds: float) -> int:
    if seconds > SECONDS:
        return max(1, size // 2)
    if seconds > SHORT_SECONDS:
        return size
    return min(MOST, size * (2 if seconds > QUICK_SECONDS else 8))


def everything(database: Database) -> AuditPass:
    """Look at all there is, slice after slice."""
    now = utc_now()
    with database.read_session() as session:
        seen = runs.newest(session)
    slices = Slices(Place(), Found())
    while not slices.place.is_end:
        slices.take(database)
    return AuditPass(slices.found.results, seen, now, now)


def missing_files(database: Database, exists: Callable[[str], bool]) -> Result:
    """Whether each completed clip's file is there; slow, one look a clip, and no session stays open meanwhile."""
    checked, missing = 0, list[str]()
    for rows in _files(database):
        checked += len(rows)
        missing += [generation_id for generation_id, key in rows if not exists(key)]
    return Result("files_present", checked, tuple(missing[:_SHOWN]))


def _files(database: Database, most: int = 1000) -> Iterator[Sequence[tuple[str, str]]]:
    after = ""
    while True:
        with database.read_session() as session:
            rows = runs.files(session, after, most)
        if not rows:
            return
        yield rows
        after = rows[-1][0]
