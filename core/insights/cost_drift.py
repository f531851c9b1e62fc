"""Whether a vendor's price in the catalogue is old: what newest clips were told to cost beside their estimates."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, select

from core.billing import pricing
from core.db import Reader, WriteSession, types
from core.db.tables import CostDrift

WITHIN_PERCENT = range(80, 126)
"""What a told cost may be of its estimate, in percent."""
FAR_OFF_IN_A_ROW = 3
"""So many clips running that are not, and the price is taken to be old."""


def note(session: WriteSession, model_id: str, cost_since: datetime, percent: int, *, now: datetime) -> None:
    """One clip's told cost in percent of its estimate by the price that began then.

    It counts on, or begins anew where the clip was near its estimate or the price is another one.
    """
    off, percent = int(percent not in WITHIN_PERCENT), min(percent, _MOST_PERCENT)
    row = types.insert(session, CostDrift).values(
        model_id=model_id, cost_since=cost_since, off_in_a_row=off, newest_percent=percent, updated_at=now
    )
    goes_on = (CostDrift.off_in_a_row + 1) * off
    session.execute(
        row.on_conflict_do_update(
            index_elements=["model_id"],
            set_={
                "off_in_a_row": case((CostDrift.cost_since == row.excluded.cost_since, goes_on), else_=off),
                "cost_since": row.excluded.cost_since,
                "newest_percent": row.excluded.newest_percent,
                "updated_at": row.excluded.updated_at,
            },
        )
    )


class OldPrice(NamedTuple):
    """A model whose vendor's price seems to be old; the newest clip cost `newest_percent` of its estimate."""

    model_id: str
    cost_since: datetime
    off_in_a_row: int
    newest_percent: int


def old_prices(session: Reader) -> Sequence[OldPrice]:
    """The models whose vendor's price in the catalogue seems to be old; there are few, and it is cheap.

    Where the catalogue has another price by now, nothing is said until clips were made with that.
    """
    return [found for row in session.execute(_FAR_OFF) if _is_of_today(found := OldPrice(*row))]


_FAR_OFF = (
    select(CostDrift.model_id, CostDrift.cost_since, CostDrift.off_in_a_row, CostDrift.newest_percent)
    .where(CostDrift.off_in_a_row >= FAR_OFF_IN_A_ROW)
    .order_by(CostDrift.model_id)
)


def _is_of_today(row: OldPrice) -> bool:
    cost = pricing.cost_of(row.model_id)
    return cost is not None and cost.since == row.cost_since


_MOST_PERCENT = 1_000_000
