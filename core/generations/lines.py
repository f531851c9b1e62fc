"""Places in the lines of providers, as pages show them and as work is taken; it reads, and changes nothing.

First comes what a provider has and has not begun, then what is on its way to it, then what waits here, by its turn.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Select, case, func, select, tuple_

from core.db import ReadSession
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation, in_line

FRONT = 500
"""So many of those that wait here are read together; of one further back it is counted how many are before it."""
FRONT_SECONDS = 1.0
BACK_SECONDS = 10.0
"""How long a place is kept, in front and further back, where it changes little in its size."""
MOST_KEPT = 5_000


@dataclass(frozen=True, slots=True)
class _Line:
    """Of one provider: the place of each in front, from 0, how many are with it, and how many in the making."""

    read_at: float
    places: Mapping[str, int]
    with_provider: int
    in_making: int


class Lines:
    """Everybody's lines, each read when somebody in it asks and then kept for a moment; for one process."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._back: dict[str, tuple[float, int]] = {}

    def before(self, session: ReadSession, row: Generation) -> tuple[int, int]:
        """How many are in line before this one, which is in line, and how many are in the making."""
        line = self._lines.get(row.provider)
        if line is None or time.monotonic() - line.read_at > FRONT_SECONDS:
            line = self._lines[row.provider] = _read(session, row.provider)
        place = line.places.get(row.id)
        if place is None:
            place = line.with_provider + self._far_back(session, row)
        return place, line.in_making

    def _far_back(self, session: ReadSession, row: Generation) -> int:
        looked_at, place = self._back.get(row.id, (float("-inf"), 0))
        if time.monotonic() - looked_at > BACK_SECONDS:
            place = session.scalar(_ahead(row)) or 0
            while len(self._back) >= MOST_KEPT:
                self._back.pop(next(iter(self._back)), None)
            self._back.pop(row.id, None)
            self._back[row.id] = time.monotonic(), place
        return place


def _read(session: ReadSession, provider: str) -> _Line:
    known = (Flight.provider == provider, Flight.status != Status.UNCERTAIN)
    making = select(func.count()).where(*known, Flight.stage == Stage.WAITING, Flight.progress > 0)
    order = case({Stage.WAITING: 0, Stage.SUBMITTING: 1}, value=Flight.stage, else_=2)
    sent = select(Flight.id).where(
        *known, Flight.stage.in_((Stage.WAITING, Stage.SUBMITTING, Stage.DISPATCHED)), Flight.progress == 0
    )
    front = select(Flight.id).where(Flight.provider == provider, in_line()).order_by(Flight.turn, Flight.id)
    with_provider = session.scalars(sent.order_by(order, Flight.id)).all()
    waiting = session.scalars(front.limit(FRONT)).all()
    places = {id_: place for place, id_ in enumerate((*with_provider, *waiting))}
    return _Line(time.monotonic(), places, len(with_provider), session.scalar(making) or 0)


def _ahead(row: Generation) -> Select[int]:
    of_row = select(Flight.turn).where(Flight.id == row.id).scalar_subquery()
    return (
        select(func.count())
        .select_from(Flight)
        .where(Flight.provider == row.provider, in_line(), tuple_(Flight.turn, Flight.id) < tuple_(of_row, row.id))
    )
