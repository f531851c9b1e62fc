"""Figures of usage that were read before, kept in this process until what they tell of has changed.

Nothing here can be out of date: whoever adds to a person's usage raises `User.usage_version` in the same transaction,
and a project that is renamed says when it was changed.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any

from sqlalchemy import Engine, Select, bindparam, func, select
from sqlalchemy.orm import Session

from core.db.row_access import everybodys, owned_by_bound
from core.db.tables import Project, User
from core.usage import reports

KEPT = 64
LONGEST_ROWS = 5000
"""Longer answers are read anew each time."""

_known: OrderedDict[tuple[Any, ...], tuple[Any, Sequence[reports.Row]]] = OrderedDict()
_lock = Lock()


def grouped(
    session: Session, user: User, chosen: reports.Selection, groups: Iterable[reports.Group] = ()
) -> Sequence[reports.Row]:
    """As `usage.grouped`, which it raises as; read whole."""
    wanted = tuple(groups)
    if chosen.project_id is not None:
        reports.project_name(session, user, chosen)
    # Before the figures: those may be newer, never older.
    stamp = tuple(session.execute(_stamp(user, chosen), {"user_id": user.id}).one())
    bind = session.get_bind()
    key = (bind.engine.url if isinstance(bind, Engine) else bind, user.id, user.role, chosen, wanted)
    with _lock:
        kept = _known.get(key)
        if kept is not None and kept[0] == stamp:
            _known.move_to_end(key)
            return kept[1]
    rows = list(reports.grouped(session, user, chosen, wanted))
    if len(rows) <= LONGEST_ROWS:
        with _lock:
            _known[key] = (stamp, rows)
            _known.move_to_end(key)
            while len(_known) > KEPT:
                _known.popitem(last=False)
    return rows


def total(session: Session, user: User, chosen: reports.Selection) -> reports.Figures:
    """As `usage.total`."""
    return grouped(session, user, chosen)[0].figures


def _stamp(user: User, chosen: reports.Selection) -> Select[*tuple[Any, ...]]:
    """What changes with the figures and the names beside them."""
    if not chosen.everybody:
        return _OWN_STAMP
    everybodys(user)
    return _EVERYBODYS_STAMP


_CHANGED = select(func.max(Project.updated_at))
_STAMP = select(func.sum(User.usage_version), func.count())
_EVERYBODYS_STAMP = _STAMP.add_columns(_CHANGED.scalar_subquery())
_OWN_STAMP = _STAMP.add_columns(_CHANGED.where(owned_by_bound(Project)).scalar_subquery()).where(
    User.id == bindparam("user_id")
)
