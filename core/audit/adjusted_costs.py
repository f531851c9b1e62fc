"""The rule that what statements have added to costs stands in the daily usage: as much a day, provider and model."""

from typing import Any

from sqlalchemy import Select, func, select, union_all

from core.audit.scope import Since
from core.db.tables import CostAdjustment, UsageDay


def queries(since: object) -> tuple[Select[Any], Select[Any]]:
    """Count the rows of cost and find days on which usage has another sum; if not in full, of the days of such rows."""
    booked = select(
        CostAdjustment.day, CostAdjustment.provider, CostAdjustment.model_id, CostAdjustment.amount_idr.label("idr")
    ).where(CostAdjustment.generation_id.is_not(None))
    counted = select(UsageDay.day, UsageDay.provider, UsageDay.model_id, (-UsageDay.adjusted_cost_idr).label("idr"))
    if not isinstance(since, Since):
        counted = counted.where(UsageDay.adjusted_cost_idr != 0)
    else:
        counted = counted.where(UsageDay.day.in_(select(CostAdjustment.day)))
    both = union_all(booked, counted).subquery()
    keys = (both.c.day, both.c.provider, both.c.model_id)
    return (
        select(func.count(CostAdjustment.id)),
        select(both.c.day).group_by(*keys).having(func.sum(both.c.idr) != 0),
    )
