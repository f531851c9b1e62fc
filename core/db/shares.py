"""How processes that do the same work share rows without meeting: each prefers those whose id falls to it.

It is a preference and no lock: who may take a row is said by the claim alone.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import InstrumentedAttribute

_POSITIVE = 0x7FFF_FFFF


@dataclass(frozen=True, slots=True)
class Share:
    """The rows of one of so many processes: it is at this place among them, from 0."""

    place: int = 0
    of: int = 1

    @property
    def is_all(self) -> bool:
        """Whether nobody else is there."""
        return self.of <= 1

    def holds(self, row_id: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Whether a row falls to it; on PostgreSQL only, which knows how to hash."""
        return func.hashtext(row_id).op("&")(_POSITIVE) % self.of == self.place


ALL = Share()
