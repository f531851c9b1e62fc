"""Whether a vendor's price in the catalogue is old: what newest clips were told to cost beside their estimates."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, select

from core.billing import pricing
from core.db import Reader, ReadSession, WriteSession, types
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


def old_prices(session: ReadSession) -> Sequence[CostDrift]:
    """The models whose vendor's price in the catalogue seems to be old; there are few, and it is cheap.

    Where the catalogue has another price by now, nothing is said until clips were made with that.
    """
    found = session.scalars(select(CostDrift).where(_FAR_OFF).order_by(CostDrift.model_id))
    return [row for row in found if _is_of_today(row.model_id, row.cost_since)]


def models_with_old_prices(session: Reader) -> tuple[str, ...]:
    """The ids of these models alone."""
    found = session.execute(_OLD)
    return tuple(model_id for model_id, cost_since in found if _is_of_today(model_id, cost_since))


def _is_of_today(model_id: str, cost_since: datetime) -> bool:
    cost = pricing.cost_of(model_id)
    return cost is not None and cost.since == cost_since


_FAR_OFF = CostDrift.off_in_a_row >= FAR_OFF_IN_A_ROW
_OLD = select(CostDrift.model_id, CostDrift.cost_since).where(_FAR_OFF).order_by(CostDrift.model_id)


_MOST_PERCENT = 1_000_000
