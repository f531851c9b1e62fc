"""Whose turn it is in the line of a provider, as a number each order gets when it takes its place; it moves nothing.

An order stands one step behind the last one of its person there, and never before what was taken already: so each
person's first comes before anybody's second, and who orders a thousand keeps nobody else waiting. Of two with the same
number the older goes first. A workspace of a greater weight has shorter steps, and so more of the same time.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import BindParameter, Row, bindparam, func, select

from core.db import ReadSession, WriteSession, types
from core.db.tables import Flight, Generation, ProviderLine, Workspace, in_line, table_of

STEP = 1_000_000
"""How far a person's next order stands behind their last, in a workspace of weight 1."""

_PROVIDER: BindParameter[str] = bindparam("provider")
_CAME_TO = select(ProviderLine.turn).where(ProviderLine.provider == _PROVIDER).scalar_subquery()
_LAST = (
    select(func.max(Flight.turn))
    .where(Flight.user_id == bindparam("user_id"), Flight.provider == _PROVIDER, in_line())
    .scalar_subquery()
)
_WEIGHT = select(Workspace.turn_weight).where(Workspace.id == bindparam("workspace_id")).scalar_subquery()
_BEFORE = select(func.coalesce(_CAME_TO, 0), func.coalesce(_LAST, 0), func.coalesce(_WEIGHT, 1))


def of(session: ReadSession, rows: Sequence[Generation]) -> Mapping[str, int]:
    """The turns of these orders, by their ids, each person's in the order of the rows; they are not in line yet."""
    before: dict[tuple[str, str, str], Row[int, int, int]] = {}
    last: dict[tuple[str, str], int] = {}
    found = {}
    for row in rows:
        line, where = (row.user_id, row.provider), (row.user_id, row.provider, row.workspace_id)
        if where not in before:
            before[where] = session.execute(_BEFORE, _asked(row)).one()
        came_to, of_person, weight = before[where]
        found[row.id] = last[line] = following(came_to, max(of_person, last.get(line, 0)), weight)
    return found


def following(came_to: int, last: int, weight: int) -> int:
    """The turn after a person's last one, in a line that has come so far."""
    return max(came_to, last) + STEP // weight


def _asked(row: Generation) -> Mapping[str, str]:
    return {"provider": row.provider, "user_id": row.user_id, "workspace_id": row.workspace_id}


def taken(session: WriteSession, provider: str, turns: Iterable[int]) -> None:
    """Note how far a line has come with these; who orders from now on stands behind them."""
    newest = max(turns, default=0)
    insert = types.insert(session, ProviderLine).values(provider=provider, turn=newest)
    line = table_of(ProviderLine)
    session.execute(
        insert.on_conflict_do_update(index_elements=["provider"], set_={"turn": newest}, where=line.c.turn < newest)
    )
