"""The rule that what is under way has its flight, and nothing else has one, and the two agree; two queries, as all.

It changes nothing: `core.generations.flights.heal` does, for what a process of the version before has moved.
"""

from typing import Any

from sqlalchemy import Select, func, or_, select

from core.db.tables import Flight, Generation, is_live
from core.generations import flights


def queries(_since: Any) -> tuple[Select[Any], Select[Any]]:
    """Live ones are few, so all of them are looked at every time; an ended one differs from any flight."""
    either = Generation.id.in_(select(Flight.id))
    wrong = or_(Flight.id.is_(None), flights.differs())
    both = select(Generation.id).outerjoin(Flight, Flight.id == Generation.id)
    return select(func.count(Flight.id)), both.where(or_(is_live(), either), wrong)
