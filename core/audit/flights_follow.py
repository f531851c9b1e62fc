"""The rule that what is under way has its flight, and nothing else has one, and the two agree; two queries, as all.

It changes nothing: `core.generations.flights.heal` does, for what a process of the version before has moved.
"""

from typing import Any

from sqlalchemy import Select, exists, func, select, union_all

from core.audit.scope import Scope
from core.db.tables import Flight, Generation, is_live
from core.generations import flights


def queries(_scope: Scope) -> tuple[Select[Any], Select[Any]]:
    """Live ones are few, so all of them are looked at every time; an ended one differs from any flight."""
    lost = select(Generation.id).where(is_live(), ~exists().where(Flight.id == Generation.id))
    other = select(Flight.id).join(Generation, Generation.id == Flight.id).where(flights.differs())
    wrong = union_all(lost, other).subquery()
    return select(func.count(Flight.id)), select(wrong.c.id)
