"""Which model: what each asks for one order, how long it takes, how often it succeeds, and how much of it is kept.

What was made and judged comes from the daily roll-ups, so that it agrees with all other figures; times and success come
from each model's newest ended clips, since only these say how they failed. It judges nothing and changes nothing.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true, union_all

from core import db, errors
from core.billing import pricing
from core.billing.quote import idr_of_microusd
from core.catalog import price_list, rules
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.records import LifeState
from core.catalog.rules import Adjustment
from core.catalog_changes import current
from core.db import ReadSession
from core.db.elapsed import seconds_between
from core.db.enums import Status
from core.db.tables import Generation
from core.insights.model_stats import FASTEST_SECONDS, NOT_OF_THE_MODEL, TimeRange
from core.spec import GenerationSpec
from core.usage import exchange_rates, reports
from core.usage.reports import Group, UsageTotals
from core.workspaces.access import Member, all_rows_for_analyst
from core.workspaces.permissions import Action

NEWEST = 2_000
"""At most so many newest ended clips of a model tell its times and its success, however long the period."""

LEAST_JUDGED = 10
"""What is kept of a model is told from so many judged clips on: fewer say little of it."""

Z = 1.959963984540054
"""Of the standard normal distribution, for an interval that holds in 95 of 100 cases."""


@dataclass(frozen=True, slots=True)
class KeptShare:
    """How many of the judged clips were kept; the shares are None below `LEAST_JUDGED`.

    `low` and `high` are Wilson's interval (E. B. Wilson, 1927), which also holds near none and all.
    """

    kept: int
    judged: int

    @property
    def is_told(self) -> bool:
        """Whether enough were judged to say anything."""
        return self.judged >= LEAST_JUDGED

    @property
    def share(self) -> float | None:
        """Kept of judged."""
        return self.kept / self.judged if self.is_told else None

    @property
    def low(self) -> float | None:
        """Where the interval begins."""
        return self._bounds()[0] if self.is_told else None

    @property
    def high(self) -> float | None:
        """Where it ends."""
        return self._bounds()[1] if self.is_told else None

    def _bounds(self) -> tuple[float, float]:
        number, share = self.judged, self.kept / self.judged
        middle = share + Z * Z / (2 * number)
        beside = Z * math.sqrt(share * (1 - share) / number + Z * Z / (4 * number * number))
        whole = 1 + Z * Z / number
        # The middle and its distance are the same number at none and at all, and floats would miss 0 and 1 by a hair.
        low = 0.0 if self.kept == 0 else (middle - beside) / whole
        return low, 1.0 if self.kept == number else (middle + beside) / whole

    def keeps_as_many_as(self, other: "KeptShare") -> bool:
        """Whether as much is kept, and is known as surely: neither share nor the begin of its interval is lower."""
        if not (self.is_told and other.is_told):
            return False
        return self.kept * other.judged >= other.kept * self.judged and self._bounds()[0] >= other._bounds()[0]


@dataclass(frozen=True, slots=True)
class OrderPrice:
    """The chosen order as a model makes it, or the nearest to it; the cost is None where nobody knows it."""

    spec: GenerationSpec
    changes: tuple[Adjustment, ...]
    credits: int
    cost_idr: int | None

    @property
    def idr(self) -> int:
        """Its price in rupiah."""
        return self.credits * price_list.IDR_PER_CREDIT

    @property
    def margin_idr(self) -> int | None:
        """Price less cost."""
        return None if self.cost_idr is None else self.idr - self.cost_idr


@dataclass(frozen=True, slots=True)
class Record:
    """What the newest ended clips say: completed, and `ended` with those that the model or its provider failed.

    What was cancelled, refused to a person, or spoiled by our key, account or installation is no fault of a model.
    """

    completed: int = 0
    ended: int = 0
    times: TimeRange | None = None

    @property
    def success_rate(self) -> float | None:
        """Completed of those that could have been; None before there are any."""
        return self.completed / self.ended if self.ended else None


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """One model; `order` is None where it makes nothing like the chosen order, or has no price.

    `cheaper` are models that ask less for the very same order and keep as much here, the cheapest first.
    """

    model_id: str
    name: str
    provider: str
    state: LifeState
    order: OrderPrice | None
    figures: UsageTotals
    record: Record
    cheaper: tuple[str, ...] = ()

    @property
    def is_orderable(self) -> bool:
        """Whether it can be ordered now."""
        return self.state is LifeState.AVAILABLE and self.order is not None

    @property
    def kept(self) -> KeptShare:
        """How much of it is kept."""
        return KeptShare(self.figures.kept_count, self.figures.kept_count + self.figures.rejected_count)

    @property
    def idr_per_kept_second(self) -> float | None:
        """All that was charged over the seconds that were kept, in rupiah; None below `LEAST_JUDGED`."""
        if not self.kept.is_told or not self.figures.kept_seconds:
            return None
        return self.figures.settled_idr / self.figures.kept_seconds


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """All models that can be ordered, and those that were used; `sees_costs`: whether costs are for this person."""

    order: GenerationSpec
    models: Sequence[ComparedModel]
    sees_costs: bool


def compare(session: ReadSession, member: Member, chosen: reports.UsageQuery, order: GenerationSpec) -> ModelComparison:
    """Models for an order, by what the chosen clips say of each; `order` may name any model.

    A chosen model or provider leaves the others out, which still are what it is compared with. Raises as
    `reports.aggregate`.
    """
    now, known = db.now(session), current.of(session)
    every = replace(chosen, model_id=None, provider=None)
    used: dict[str, tuple[str, UsageTotals]] = {}
    for row in reports.aggregate(session, member, every, [Group.MODEL]):
        if not row.keys["model_id"]:
            continue  # what a vendor took for no model that we know
        before = used.get(row.keys["model_id"])
        used[row.keys["model_id"]] = (row.keys["provider"], row.figures + before[1] if before else row.figures)
    ended = _records(session, member, every, list(used))
    rate = exchange_rates.at(session, now) if member.may(Action.SEE_ALL_USAGE) else None
    ids = dict.fromkeys([*(entry.model.id for entry in known.orderable(now)), *used])
    models = []
    for model_id in ids:
        entry = known.find(model_id)
        provider, figures = used.get(model_id, ("", UsageTotals()))
        models.append(
            ComparedModel(
                model_id,
                name=entry.model.name if entry else model_id,
                provider=entry.model.provider if entry else provider,
                state=entry.state(now) if entry else LifeState.WITHDRAWN,
                order=_order(entry, order, known, now, rate) if entry else None,
                figures=figures,
                record=ended.get(model_id, Record()),
            )
        )
    wanted = [
        model
        for model in _with_cheaper(models)
        if chosen.model_id in (None, model.model_id) and chosen.provider in (None, model.provider)
    ]
    return ModelComparison(order, wanted, sees_costs=rate is not None)


def _order(
    entry: Entry, wish: GenerationSpec, known: Catalogue, now: datetime, idr_per_usd: int | None
) -> OrderPrice | None:
    """The nearest to an order that a model makes, with its price; without a rate nobody is told what it costs."""
    model = entry.model_at(now)
    adapted = rules.adapt(wish, model)
    if rules.check(model, adapted.spec, prompt_required=False):
        return None
    try:
        credits = pricing.priced(adapted.spec, now, known).total_credits
    except errors.InvalidRequest:
        return None
    estimate = pricing.estimated_cost(adapted.spec, now, known) if idr_per_usd else None
    cost_idr = idr_of_microusd(estimate.microusd, idr_per_usd) if estimate and idr_per_usd else None
    return OrderPrice(adapted.spec, adapted.changes, credits, cost_idr)


def _with_cheaper(models: Sequence[ComparedModel]) -> Iterator[ComparedModel]:
    """The same, each with those that ask less for the order as it was wished for and keep as much."""
    can = [one for one in models if one.is_orderable and one.order and not one.order.changes]
    can.sort(key=lambda one: (one.order.credits if one.order else 0, one.model_id))
    for model in models:
        order, kept = model.order, model.kept
        found = (
            other.model_id
            for other in can
            if order and other.order and other.order.credits < order.credits and other.kept.keeps_as_many_as(kept)
        )
        yield replace(model, cheaper=tuple(found))


def _records(
    session: ReadSession, member: Member, chosen: reports.UsageQuery, model_ids: Sequence[str]
) -> Mapping[str, Record]:
    """Model id -> its record; counted in SQL, over a bounded walk along the index of each model's ends."""
    if not model_ids:
        return {}
    begin, end = reports.moments(chosen)
    whose = all_rows_for_analyst(member) if chosen.everybody else reports.in_reach(Generation, member, chosen)
    parts = []
    for model_id in model_ids:
        newest = (
            select(
                Generation.model_id,
                Generation.status,
                Generation.error_code,
                Generation.user_id,
                Generation.charged_in_id.label("project_id"),
                seconds_between(session, Generation.submitted_at, Generation.ended_at).label("took"),
            )
            .where(whose, Generation.model_id == model_id, Generation.ended_at >= begin, Generation.ended_at < end)
            .order_by(Generation.ended_at.desc())
            .limit(NEWEST)
            .subquery()
        )
        parts.append(select(newest))
    row = union_all(*parts).subquery().c
    narrowed = ((row.user_id, chosen.user_id), (row.project_id, chosen.project_id))
    wanted = and_(true(), *(column == value for column, value in narrowed if value is not None))
    counted = _counts(row.model_id, row.status, row.error_code, wanted)
    records = {one.model_id: Record(int(one.completed), int(one.ended)) for one in session.execute(counted)}
    is_timed = and_(wanted, row.status == Status.COMPLETED, row.took.is_not(None))
    ranked = (
        select(
            row.model_id,
            row.took,
            func.row_number().over(partition_by=row.model_id, order_by=row.took).label("place"),
            func.count().over(partition_by=row.model_id).label("number"),
        )
        .where(is_timed)
        .subquery()
        .c
    )
    half, nine_in_ten = (ranked.number - 1) // 2 + 1, ((ranked.number - 1) * 9 + 9) // 10 + 1
    times = select(
        ranked.model_id,
        func.max(case((ranked.place == half, ranked.took))).label("p50"),
        func.max(case((ranked.place == nine_in_ten, ranked.took))).label("p90"),
        func.max(ranked.number).label("number"),
    ).group_by(ranked.model_id)
    for one in session.execute(times):
        p50, p90 = (max(FASTEST_SECONDS, round(float(seconds), 3)) for seconds in (one.p50, one.p90))
        records[one.model_id] = replace(records[one.model_id], times=TimeRange(p50, p90, int(one.number)))
    return records


def _counts(
    model_id: ColumnElement[str],
    status: ColumnElement[Status],
    error_code: ColumnElement[str | None],
    wanted: ColumnElement[bool],
) -> Select[*tuple[Any, ...]]:
    """Of each model, the completed ones, and the ended ones that say something of it."""
    of_the_model = or_(error_code.is_(None), error_code.not_in(NOT_OF_THE_MODEL))
    could_have_been = or_(status == Status.COMPLETED, and_(status == Status.FAILED, of_the_model))
    return (
        select(
            model_id.label("model_id"),
            func.sum(case((status == Status.COMPLETED, 1), else_=0)).label("completed"),
            func.sum(case((could_have_been, 1), else_=0)).label("ended"),
        )
        .where(wanted)
        .group_by(model_id)
    )
