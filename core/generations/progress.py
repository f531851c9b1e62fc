"""What is under way in a workspace right now, cheap enough to be asked every two seconds by everybody who looks.

A look is authorised by a short-lived signed token of its own, because a page has no API token to send.
"""

import hashlib
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, and_, bindparam, func, select
from sqlalchemy.orm import load_only

from core import errors
from core.catalog import in_force
from core.clock import utc_now
from core.db import Reader, ReadSession
from core.db.enums import ENDED_STATUSES, Stage, Status
from core.db.tables import Flight, Generation, User, WorkspaceMember
from core.generations.lines import Lines
from core.identity import page_tokens
from core.insights import model_stats
from core.insights.model_stats import RenderTimeEstimator, TimeRange
from core.workspaces.access import Member, in_bound_workspace, visible_to

MAX_WATCHED = 500
"""So many generations of a workspace are watched for their end, the oldest first: they end first."""

MAX_ITEMS = 50
"""So many are told of in one look."""

PACE_CACHE_SECONDS = 5.0
USUAL_CACHE_SECONDS = 60.0

MAX_BEGUN = 2_000
"""So many are remembered by when they were last seen in line."""

PURPOSE = "live"
Watcher = page_tokens.Holder

# Put together once, as they are asked on every run of every page and by everybody who looks.
_MINE = select(Flight.id).where(in_bound_workspace(Flight))
_IDS = _MINE.order_by(Flight.id).limit(MAX_WATCHED)
_OF_MEMBER = (
    select(Flight.id)
    .select_from(WorkspaceMember)
    .join(User, and_(User.id == WorkspaceMember.user_id, User.deactivated_at.is_(None)))
    .outerjoin(Flight, in_bound_workspace(Flight))
    .where(WorkspaceMember.workspace_id == bindparam("workspace_id"), WorkspaceMember.user_id == bindparam("user_id"))
    .order_by(Flight.id)
    .limit(MAX_WATCHED)
)
"""The same with a row of nothing where there is none, and no row at all for who is not in the workspace any more."""
_NEWEST_ID = select(func.max(Generation.id)).where(in_bound_workspace(Generation))
_IDS_AFTER = (
    select(Generation.id)
    .where(in_bound_workspace(Generation), Generation.id > bindparam("after"))
    .order_by(Generation.id)
    .limit(MAX_WATCHED)
)

_COLUMNS = (
    Generation.id,
    Generation.workspace_id,
    Generation.user_id,
    Generation.provider,
    Generation.model_id,
    Generation.model_name,
    Generation.prompt,
    Generation.resolution,
    Generation.duration_seconds,
    Generation.credits,
    Generation.status,
    Generation.stage,
    Generation.progress,
    Generation.progress_is_estimate,
    Generation.cancel_requested_at,
    Generation.submitted_at,
    Generation.deadline_at,
)


def _in_flight(mine: Select[str]) -> Select[Generation]:
    """Rows of `_COLUMNS` of the newest TOLD of these ids, newest first but unclear ones last."""
    newest = mine.order_by(Flight.id.desc()).limit(MAX_ITEMS)
    order = (Generation.status == Status.UNCERTAIN, Generation.id.desc())
    query = select(Generation).where(Generation.id.in_(newest)).order_by(*order).limit(bindparam("limit"))
    return query.options(load_only(*_COLUMNS, raiseload=True))


_NEWEST = _in_flight(_MINE)
_NEWEST_AMONG = _in_flight(_MINE.where(Flight.id.in_(bindparam("among", expanding=True))))


def is_in_line(row: Generation) -> bool:
    """Whether nobody makes it yet: it waits here to be sent, or at its provider, which has begun nothing of it."""
    if row.status is Status.PENDING:
        return row.stage is not Stage.AWAITING_APPROVAL
    return row.status is Status.PROCESSING and row.stage is Stage.WAITING and row.progress == 0


@dataclass(frozen=True, slots=True)
class InFlightItem:
    """Where a generation stands: `ahead` are in line before it, `usual` is how long such a one takes.

    `pace_seconds` is how long the provider takes here for each of a line, one with the other; `in_making` are those
    that it works on while this one is in line. `begun_at` is when its provider began, as far as anybody has looked.
    """

    row: Generation
    usual: TimeRange
    ahead: int
    pace_seconds: float = 0.0
    in_making: int = 0
    begun_at: datetime | None = None

    @property
    def until_done(self) -> TimeRange:
        """How long one that is in line takes from now, those before it included.

        Half the pace is the soonest: a line also shows how many a provider takes at once, which few clips do not. What
        is in the making may be done the next moment, or have only begun.
        """
        line_seconds, before_it = self.ahead * self.pace_seconds, self.in_making * self.pace_seconds
        slowest = self.usual.p90_seconds / self.usual.p50_seconds
        return TimeRange(
            self.usual.p50_seconds + line_seconds / 2,
            self.usual.p90_seconds + (line_seconds + before_it) * slowest,
            self.usual.based_on,
        )


def sign_token(
    user_id: str, workspace_id: str, language: str, *, secret: bytes, now: datetime, session_id: str = ""
) -> str:
    """A token that lets its bearer look at what is under way in this workspace, told in this language, for an hour.

    `session_id` is the session of their browser, with which the token ends; empty where nobody signs in.
    """
    holder = Watcher(user_id, workspace_id, language, session_id)
    return page_tokens.sign(PURPOSE, holder, secret=secret, now=now)


def check_token(token: str, *, secrets: Sequence[bytes], now: datetime) -> Watcher:
    """Who has a token that `sign_token` made; Unauthorized for others and when it is over."""
    return page_tokens.check(PURPOSE, token, secrets=secrets, now=now)


def live_ids_of(session: Reader, member: Member) -> Sequence[str]:
    """Ids of the workspace's generations that have not ended, oldest first, from the index alone."""
    return session.scalars(_IDS, {"workspace_id": member.workspace_id}).all()


def live_ids(connection: Connection, user_id: str, workspace_id: str) -> Sequence[str]:
    """Ids of the unfinished generations of a workspace, oldest first; Unauthorized for who is not in it."""
    found = connection.execute(_OF_MEMBER, {"workspace_id": workspace_id, "user_id": user_id}).scalars().all()
    if not found:
        raise errors.Unauthorized
    return [one for one in found if one is not None]


def newest_id(asked: Reader, workspace_id: str) -> str:
    """The id of the newest generation of a workspace, ended or not, from an index alone; empty if there is none.

    Asked before the ids that are under way: what begins between the two questions is then still newer the next time.
    """
    return asked.execute(_NEWEST_ID, {"workspace_id": workspace_id}).scalar() or ""


def ids_after(session: Reader, member: Member, generation_id: str) -> Sequence[str]:
    """Ids of the workspace's generations that began after this one, oldest first; never more than are watched."""
    return session.scalars(_IDS_AFTER, {"workspace_id": member.workspace_id, "after": generation_id}).all()


def fingerprint(of_ids: Sequence[str]) -> str:
    """Changes when one of these ends or another begins, and only then."""
    return hashlib.sha256("".join(of_ids).encode()).hexdigest()[:16]


def ended(session: ReadSession, member: Member, among: Collection[str]) -> Sequence[Generation]:
    """Those of these that have ended and are not deleted, oldest first; never more than are watched."""
    if not among:
        return ()
    query = select(Generation).where(
        visible_to(Generation, member),
        Generation.id.in_(among),
        Generation.status.in_(ENDED_STATUSES),
        Generation.deleted_at.is_(None),
    )
    return session.scalars(query.order_by(Generation.id).limit(MAX_WATCHED)).all()


class ProgressBoard:
    """Tells where generations stand. A board that is kept asks only now and then for what is the same for everybody."""

    def __init__(self) -> None:
        self._usual: dict[tuple[str, str, int], tuple[float, TimeRange]] = {}
        self._pace: dict[str, tuple[float, float | None]] = {}
        self._lines = Lines()
        self._begun: dict[str, datetime] = {}

    def snapshots(
        self, session: ReadSession, workspace_id: str, *, limit: int = MAX_ITEMS, among: Collection[str] | None = None
    ) -> Sequence[InFlightItem]:
        """The `limit` most recent unfinished generations of a workspace, uncertain ones last.

        `among` narrows it to these ids. The rows hold `_COLUMNS` only.
        """
        among = None if among is None else list(among)
        asked = _NEWEST if among is None else _NEWEST_AMONG
        rows = session.scalars(asked, {"workspace_id": workspace_id, "among": among, "limit": limit}).all()
        return self.of(session, rows)

    def of(self, session: ReadSession, rows: Sequence[Generation]) -> Sequence[InFlightItem]:
        """Progress of these unfinished generations, in their order."""
        typical = RenderTimeEstimator(session)
        found = []
        for row in rows:
            usual, (ahead, in_making) = self._usual_of(typical, row), self._before(session, row)
            pace = self._pace_of(session, row.provider) if ahead or in_making else None
            pace_seconds = usual.p50_seconds if pace is None else pace
            found.append(InFlightItem(row, usual, ahead, pace_seconds, in_making, self._begun_at(row)))
        return found

    def _begun_at(self, row: Generation) -> datetime | None:
        """When its provider began, told from when it was last seen in line there; else when it was sent."""
        if is_in_line(row):
            while len(self._begun) >= MAX_BEGUN:
                self._begun.pop(next(iter(self._begun)), None)
            self._begun.pop(row.id, None)
            self._begun[row.id] = utc_now()
            return None
        return self._begun.get(row.id, row.submitted_at)

    def _pace_of(self, session: ReadSession, provider: str) -> float | None:
        looked_at, known = self._pace.get(provider, (float("-inf"), None))
        if time.monotonic() - looked_at > PACE_CACHE_SECONDS:
            known = model_stats.pace_seconds(session, [model.id for model in in_force.current().of_provider(provider)])
            self._pace[provider] = (time.monotonic(), known)
        return known

    def _usual_of(self, typical: RenderTimeEstimator, row: Generation) -> TimeRange:
        key = (row.model_id, row.resolution, row.duration_seconds)
        looked_at, known = self._usual.get(key, (float("-inf"), None))
        if known is None or time.monotonic() - looked_at > USUAL_CACHE_SECONDS:
            known = typical.range(row)
            self._usual[key] = (time.monotonic(), known)
        return known

    def _before(self, session: ReadSession, row: Generation) -> tuple[int, int]:
        """How many are in line before it and how many in the making; asked only of those that are in line."""
        if not is_in_line(row):
            return 0, 0
        return self._lines.before(session, row)
