"""Figures of usage that were read before, kept in this process until what they tell of has changed.

Nothing here can be out of date: whoever adds to a workspace's usage, or is the first to open a clip of it, raises its
`usage_version` in the same transaction, a project that is renamed says when it was changed, and what a vendor took for
no clip is a row that is never changed.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence, Sized
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, func, select

from core.db import ReadSession
from core.db.tables import CostAdjustment, Project, Workspace
from core.usage import reports, waste
from core.usage import spenders as month_spenders
from core.workspaces.access import (
    Member,
    all_rows_for_analyst,
    bound_workspaces,
    in_bound_workspace,
    visible_to_bound,
)

Kept = TypeVar("Kept", bound=Sized)

MAX_ENTRIES = 64
MAX_ROWS = 5000
"""Longer answers are read anew each time."""


class UsageCache:
    """Answers of `reports.aggregate`, `waste.rows` and `spenders`, the latest `MAX_ENTRIES`; for one database."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], tuple[Any, Any]] = OrderedDict()
        self._lock = Lock()

    def aggregate(
        self, session: ReadSession, member: Member, chosen: reports.UsageQuery, groups: Iterable[reports.Group] = ()
    ) -> Sequence[reports.Row]:
        """The rows of `reports.aggregate`, from this cache while they are current; raises as that does."""
        wanted = tuple(groups)
        return self.figures(
            session, member, chosen, wanted, lambda: list(reports.aggregate(session, member, chosen, wanted))
        )

    def waste(
        self, session: ReadSession, member: Member, chosen: reports.UsageQuery, groups: Iterable[waste.WasteGroup] = ()
    ) -> Sequence[waste.WasteRow]:
        """The rows of `waste.rows`, from this cache while they are current; raises as that does."""
        wanted = tuple(groups)
        key = (waste.unopened_before(session), wanted)
        return self.figures(session, member, chosen, key, lambda: waste.rows(session, member, chosen, wanted))

    def figures(
        self,
        session: ReadSession,
        member: Member,
        chosen: reports.UsageQuery,
        what: Hashable,
        read: Callable[[], Kept],
        *,
        everywhere: bool = False,
    ) -> Kept:
        """What `read` gives for `what` of a selection, from this cache while it is current; nobody may change it.

        `everywhere` is all workspaces in reach; a project is looked at in whichever of them it is.
        """
        if chosen.project_id is not None:
            reports.project_name(session, member, chosen)
        version = _version_key(member, chosen, is_wide=everywhere or chosen.project_id is not None)
        key = (member.id, member.workspace_id, member.workspace_ids, member.role, chosen, everywhere, what)
        return self._current(session, member, version, key, read)

    def spenders(self, session: ReadSession, member: Member, project_ids: Collection[str]) -> month_spenders.Spenders:
        """Who was charged most this month in each of these projects of the present workspace."""
        since_day = month_spenders.first_day()
        key = (member.workspace_id, since_day, frozenset(project_ids))
        return self._current(
            session,
            member,
            _VERSION_KEY_OF_WORKSPACE,
            key,
            lambda: month_spenders.spenders(session, member, project_ids, since_day=since_day),
        )

    def total(self, session: ReadSession, member: Member, chosen: reports.UsageQuery) -> reports.UsageTotals:
        """The totals of `reports.total`, from this cache while they are current."""
        return self.aggregate(session, member, chosen)[0].figures

    def _current(
        self,
        session: ReadSession,
        member: Member,
        version: Select[*tuple[Any, ...]],
        key: tuple[Any, ...],
        read: Callable[[], Kept],
    ) -> Kept:
        """What was read under a key, or read now if its version is another one."""
        # Before the figures: those may be newer, never older.
        stamp = tuple(session.execute(version, bound_workspaces(member)).one())
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == stamp:
                self._kept.move_to_end(key)
                known: Kept = kept[1]
                return known
        found = read()
        if len(found) <= MAX_ROWS:
            with self._lock:
                self._kept[key] = (stamp, found)
                self._kept.move_to_end(key)
                while len(self._kept) > MAX_ENTRIES:
                    self._kept.popitem(last=False)
        return found


def _version_key(member: Member, chosen: reports.UsageQuery, *, is_wide: bool) -> Select[*tuple[Any, ...]]:
    """What changes with the figures and the names beside them."""
    if not chosen.everybody:
        return _VERSION_KEY_OF_REACH if is_wide else _VERSION_KEY_OF_WORKSPACE
    all_rows_for_analyst(member)
    return _VERSION_KEY_OF_ALL


_CHANGED = select(func.max(Project.updated_at))
_VERSION_KEY = select(func.sum(Workspace.usage_version), func.count())
_ADJUSTED = select(func.max(CostAdjustment.id))
_VERSION_KEY_OF_ALL = _VERSION_KEY.add_columns(_CHANGED.scalar_subquery(), _ADJUSTED.scalar_subquery())
_VERSION_KEY_OF_WORKSPACE = _VERSION_KEY.add_columns(
    _CHANGED.where(in_bound_workspace(Project)).scalar_subquery()
).where(Workspace.id == bindparam("workspace_id"))
_VERSION_KEY_OF_REACH = _VERSION_KEY.add_columns(_CHANGED.where(visible_to_bound(Project)).scalar_subquery()).where(
    Workspace.id.in_(bindparam("workspace_ids", expanding=True))
)
