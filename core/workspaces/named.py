"""What a person keeps under a name in a workspace, and shares with it if they like: presets, filters, views.

It knows whose they are and what they are called; what they hold is for the modules that keep them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, or_, select

from core import errors, normal_form, validation
from core.db import ReadSession, WriteSession
from core.db.tables import Preset, SavedFilter, UsageView
from core.messages import Message, message
from core.workspaces.access import Member, in_bound_workspace, in_workspace, visible_to

NAME_LIMIT_CHARS = 80
MOST = 100
"""How many of a kind one person can keep in a workspace."""

SHARED_LIMIT = 200
"""How many of other people's a list shows."""

Kept = TypeVar("Kept", Preset, SavedFilter, UsageView)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a kind: that there is none such to use or to change, or that a name is missing or taken."""

    not_found: Message
    not_own: Message
    nameless: Message
    taken: Callable[[str], Message]
    too_many: Callable[[int], Message]


@dataclass(frozen=True, slots=True)
class Shelf(Generic[Kept]):
    """All of one kind."""

    table: type[Kept]
    words: Words

    def list_visible(self, session: ReadSession, member: Member) -> Sequence[Kept]:
        """A person's own in the workspace by name, then those that others share there, by name."""
        who: dict[str, str] = {"workspace_id": member.workspace_id, "user_id": member.id}
        found: list[Kept] = []
        for query in _listed(self.table):
            found += session.scalars(query, who)
        return found

    def get(self, session: ReadSession, member: Member, kept_id: str) -> Kept:
        """One that the person may use: their own or a shared one of a workspace in reach; else NotFound."""
        may_use = or_(self.table.user_id == member.id, _shared(self.table))
        found = session.scalar(self._seen(member, kept_id).where(may_use))
        if found is None:
            raise errors.NotFound(self.words.not_found)
        return found

    def own(self, session: ReadSession, member: Member, kept_id: str) -> Kept:
        """One of the person's own in a workspace in reach; else NotFound."""
        found = session.scalar(self._seen(member, kept_id).where(self.table.user_id == member.id))
        if found is None:
            raise errors.NotFound(self.words.not_own)
        return found

    def new_name(self, session: ReadSession, member: Member, name: str) -> str:
        """A name for one more in the present workspace, as it is kept.

        InvalidRequest for an empty or overlong one, or too many; Conflict for one the person has used.
        """
        free = self._free(session, member, name, own_id="")
        count = session.scalar(select(func.count()).select_from(self.table).where(*self._own_here(member))) or 0
        if count >= MOST:
            raise errors.InvalidRequest(fields={"name": self.words.too_many(MOST)})
        return free

    def rename(self, session: WriteSession, member: Member, row: Kept, name: str) -> None:
        """Call one of the person's own something else; raises as `new_name`, but not for too many."""
        if name.strip() != row.name:
            row.name = self._free(session, member.moved_to(row.workspace_id), name, own_id=row.id)

    def _free(self, session: ReadSession, member: Member, name: str, *, own_id: str) -> str:
        name = name.strip()
        if not name:
            raise errors.InvalidRequest(fields={"name": self.words.nameless})
        if wrong := validation.text_error(name, limit_chars=NAME_LIMIT_CHARS):
            raise errors.InvalidRequest(fields={"name": wrong})
        others = select(self.table.name).where(*self._own_here(member), self.table.id != own_id)
        if normal_form.normal(name) in map(normal_form.normal, session.scalars(others)):
            raise errors.Conflict(self.words.taken(name))
        return name

    def _seen(self, member: Member, kept_id: str) -> Select[Kept]:
        return select(self.table).where(self.table.id == kept_id, visible_to(self.table, member))

    def _own_here(self, member: Member) -> tuple[ColumnElement[bool], ...]:
        return in_workspace(self.table, member), self.table.user_id == member.id


@cache  # to put them together takes as long as to run them
def _listed(table: type[Kept]) -> tuple[Select[Kept], Select[Kept]]:
    here, own = in_bound_workspace(table), table.user_id == bindparam("user_id")
    of_others = select(table).where(_shared(table), here, ~own).order_by(table.name, table.id).limit(SHARED_LIMIT)
    return select(table).where(here, own).order_by(table.name), of_others


def _shared(table: type[Kept]) -> ColumnElement[Any]:
    """Shared with the workspace; a literal, because SQLite uses a partial index only for the very same words."""
    return literal_column(f"{table.__tablename__}.shared")


FILTERS = Shelf(
    SavedFilter,
    Words(
        message("saved_filter_not_found"),
        message("saved_filter_not_found"),
        message("saved_filter_name_missing"),
        lambda name: message("saved_filter_name_taken", name=name),
        lambda limit: message("too_many_saved_filters", limit=limit),
    ),
)
PRESETS = Shelf(
    Preset,
    Words(
        message("preset_not_shared"),
        message("preset_not_found"),
        message("preset_name_missing"),
        lambda name: message("preset_name_taken", name=name),
        lambda limit: message("too_many_presets", limit=limit),
    ),
)
VIEWS = Shelf(
    UsageView,
    Words(
        message("usage_view_not_found"),
        message("usage_view_not_found"),
        message("usage_view_name_missing"),
        lambda name: message("usage_view_name_taken", name=name),
        lambda limit: message("too_many_usage_views", limit=limit),
    ),
)
