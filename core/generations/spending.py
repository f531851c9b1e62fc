"""What a clip costs us, from its order to its end: estimated and frozen, then told or measured, then counted by day.

History is never counted anew: whatever is computed here is computed with the vendor's price and the dollar of the
order's own moment.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core import errors
from core.billing import pricing
from core.billing.quote import idr_of_microusd
from core.catalog import costs, in_force, price_list
from core.catalog.costs import Estimate
from core.catalog.records import Cost
from core.db.enums import CostBasis, Stage, Status
from core.db.tables import Generation
from core.providers import storable
from core.providers.contract import JobState, JobStatus, ProviderJob, UseUnit

_TOLD = (CostBasis.REPORTED, CostBasis.USED)


def freeze(row: Generation, estimate: Estimate | None, *, idr_per_usd: int) -> None:
    """Keep with a new order what it will probably cost by the catalogue of its moment, and the dollar of then."""
    row.idr_per_usd = idr_per_usd
    if estimate is not None:
        row.estimated_cost_microusd, row.cost_since = estimate.microusd, estimate.since


def told_with_order(job: ProviderJob) -> dict[str, Any]:
    """What a provider has said that the clip will cost, as columns; nothing where it has not."""
    return {} if job.cost is None else _columns(job.cost.amount, job.cost.currency, CostBasis.REPORTED)


def of_no_clip(row: Generation) -> dict[str, Any]:
    """Columns that take back what was told with the order, of a job that ends before its clip was made."""
    if row.provider_cost is None or row.stage in (Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING):
        return {}
    return {
        "provider_cost": None,
        "provider_cost_currency": None,
        "provider_cost_is_estimate": True,
        "cost_basis": None,
    }


def at_end(row: Generation, status: JobStatus, *, now: datetime) -> dict[str, Any]:
    """What a job that has ended cost, as columns: as the vendor says, else by the use it tells, else by our clock.

    Nothing where none of these can be known: then the estimate counts.
    """
    if status.state not in _ENDED:
        return {}
    if status.cost is not None:
        return _columns(status.cost.amount, status.cost.currency, CostBasis.REPORTED)
    cost = pricing.cost_of(row.model_id, row.created_at)
    was_told = status.state is JobState.SUCCEEDED and row.cost_basis is CostBasis.REPORTED
    if cost is None or was_told:
        return {}
    if status.use is not None and status.use.unit is _UNITS.get(_way(cost)):
        return _of_use(row, cost, Fraction(status.use.amount), CostBasis.USED)
    is_lost = isinstance(status.error, errors.JobLost)  # and may never have run
    if cost.per_gpu_second is not None and row.submitted_at is not None and not is_lost:
        ran_seconds = Fraction(max(0.0, (now - row.submitted_at).total_seconds()))
        return _of_use(row, cost, ran_seconds, CostBasis.MEASURED)
    return {}


def estimated(row: Generation) -> dict[str, Any]:
    """The estimate as columns, for a clip of which nobody has told anything; nothing where there is none."""
    microusd = _estimate(row)
    return {} if microusd is None else _columns(_dollars(microusd), "USD", CostBasis.ESTIMATE)


def counted(row: Generation, values: Mapping[str, Any], *, made: bool, delivered: bool) -> dict[str, int]:
    """What the day's roll-up adds for a generation that ends with these `values`, which win over the row's own.

    `made`: its provider has made a clip, so that it costs something; `delivered`: we have it, so that it was worth it.
    """
    amount = values.get("provider_cost", row.provider_cost)
    currency = values.get("provider_cost_currency", row.provider_cost_currency)
    is_told = amount is not None and not values.get("provider_cost_is_estimate", row.provider_cost_is_estimate)
    in_dollars = amount if currency == "USD" else None
    rate = row.idr_per_usd or price_list.IDR_PER_USD
    estimate = _estimate(row) if made else None
    if in_dollars is not None and not is_told:
        estimate = _microusd(in_dollars)
    estimate_idr = 0 if estimate is None else idr_of_microusd(estimate, rate)
    found = {"estimated_cost_idr": estimate_idr} if made or estimate_idr else {}
    cost_idr = estimate_idr
    if in_dollars is not None and is_told:
        microusd = _microusd(in_dollars)
        cost_idr = idr_of_microusd(microusd, rate)
        found |= {"reported_cost_microusd": microusd, "reported_cost_idr": cost_idr}
        found |= {"estimate_replaced_idr": estimate_idr}
    elif made and estimate is None:
        found["cost_unknown_count"] = 1
    if not delivered and cost_idr:
        found["wasted_cost_idr"] = cost_idr
    return found


def counted_idr(row: Generation) -> int | None:
    """What has been counted as the cost of a generation, or will be if its clip is made; None where nobody knows.

    One that ended without a clip and without a cost that was told has cost nothing.
    """
    rate = row.idr_per_usd or price_list.IDR_PER_USD
    if row.provider_cost is not None and row.provider_cost_currency == "USD":
        return idr_of_microusd(_microusd(row.provider_cost), rate)
    if row.status in (Status.FAILED, Status.CANCELLED):
        return 0
    estimate = _estimate(row)
    return None if estimate is None else idr_of_microusd(estimate, rate)


def drift_percent(row: Generation) -> int | None:
    """A reported cost in percent of its estimate; None where one of them is not there to compare.

    What was computed from a use says how long a job ran, and nothing of the price.
    """
    if row.cost_basis is not CostBasis.REPORTED or row.provider_cost is None or row.provider_cost_currency != "USD":
        return None
    if not row.estimated_cost_microusd:
        return None
    return round(100 * _microusd(row.provider_cost) / row.estimated_cost_microusd)


_ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
_UNITS = {
    "per_second": UseUnit.SECONDS,
    "per_million_tokens": UseUnit.TOKENS,
    "per_gpu_second": UseUnit.GPU_SECONDS,
}
"""Way of a cost -> what it counts."""


def _way(cost: Cost) -> str:
    return next((way for way in _UNITS if getattr(cost, way)), "")


def _of_use(row: Generation, cost: Cost, used: Fraction, basis: CostBasis) -> dict[str, Any]:
    model = in_force.find_model(row.model_id)
    found = costs.estimate(cost, row.spec, model, used=used) if model else None
    amount = None if found is None else storable.cost(_dollars(found.microusd))
    return {} if amount is None else _columns(amount, "USD", basis)


def _estimate(row: Generation) -> int | None:
    """The frozen one; for an order of before there were any, by the price of its moment."""
    if row.idr_per_usd is not None:
        return row.estimated_cost_microusd
    found = pricing.estimated_cost(row.spec, row.created_at)
    return None if found is None else found.microusd


def _columns(amount: Decimal, currency: str, basis: CostBasis) -> dict[str, Any]:
    return {
        "provider_cost": amount,
        "provider_cost_currency": currency,
        "provider_cost_is_estimate": basis not in _TOLD,
        "cost_basis": basis,
    }


def _dollars(microusd: int) -> Decimal:
    return Decimal(microusd) / 1_000_000


def _microusd(dollars: Decimal) -> int:
    return int((dollars * 1_000_000).to_integral_value())
