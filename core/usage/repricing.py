"""What a time would have come to with another model, price, vendor's price or dollar: counted in SQL, priced here.

It re-prices charged clips by their own settings with the one price function. It cannot know whether the other model
would have done as well, failed as often, or been asked for the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from core import errors
from core.billing import pricing
from core.catalog import in_force, price_list, rules
from core.catalog.records import PublishedPrice
from core.db import ReadSession
from core.db.enums import Status
from core.db.tables import Generation
from core.messages import Message, message
from core.providers.models import VideoModel
from core.spec import DEFAULTS, FIELDS, IMAGE_FIELDS, GenerationSpec
from core.usage import reports
from core.workspaces.access import Member, all_rows_for_analyst

MAX_CLIPS_PER_MODEL = 20_000
"""At most so many ended clips of a model are looked at, the newest, however long the history."""


@dataclass(frozen=True, slots=True)
class ClipGroup:
    """Charged clips that were ordered alike; `spec` says of texts and images only whether there was one.

    `unreported_credits` is the price of those whose cost is an estimate. Costs stand in dollars and in the rupiah of
    each clip's own moment; `idr_per_usd` is the mean of these moments.
    """

    spec: GenerationSpec
    clips: int
    charged_credits: int
    unreported_credits: int
    reported_cost_microusd: int = 0
    reported_cost_idr: int = 0
    estimated_cost_microusd: int = 0
    estimated_cost_idr: int = 0
    cost_unknown_clips: int = 0
    idr_per_usd: int = price_list.IDR_PER_USD


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is put in place of what was: the model, and what is given of the rest.

    `base_credits` is its base price, `vendor_percent` what its vendor would take of what it takes, `idr_per_usd`
    another dollar. With `markup_percent` what is no report is that share of the list price, whatever the vendor takes.
    """

    model_id: str
    base_credits: int | None = None
    markup_percent: int | None = None
    vendor_percent: int = 100
    idr_per_usd: int | None = None

    def __post_init__(self) -> None:
        if self.base_credits is not None and self.base_credits <= 0:
            raise errors.InvalidRequest(fields={"baseCredits": message("base_price_not_positive")})
        if self.markup_percent is not None and self.markup_percent < 100:
            raise errors.InvalidRequest(fields={"markupPercent": message("markup_too_low")})
        if self.vendor_percent <= 0:
            raise errors.InvalidRequest(fields={"vendorPercent": message("vendor_percent_not_positive")})


@dataclass(frozen=True, slots=True)
class GroupTotal:
    """Clips with their price in credits and their cost in rupiah; the cost is an estimate but for what was reported.

    Of `cost_unknown_clips` nobody knows what they cost, so that they are in no cost.
    """

    clips: int = 0
    credits: int = 0
    cost_idr: int = 0
    cost_unknown_clips: int = 0

    def __add__(self, other: "GroupTotal") -> "GroupTotal":
        return GroupTotal(*map(add, astuple(self), astuple(other)))

    @property
    def margin_idr(self) -> int:
        """Price less cost."""
        return self.credits * price_list.IDR_PER_CREDIT - self.cost_idr


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same clips as they were charged and as they would have been; and those that could not have been made so.

    `impossible` maps the reason to clips and the credits they were charged; a clip with several reasons
    stands under the first.
    """

    was: GroupTotal
    would_be: GroupTotal
    impossible: Mapping[Message, GroupTotal]


def clip_groups(session: ReadSession, member: Member, chosen: reports.UsageQuery) -> Sequence[ClipGroup]:
    """The chosen charged clips, alike ones counted together: of each model its newest CLIPS_A_MODEL that ended.

    Compare the sum of `clips` with `usage.Figures.completed` to see whether these are all. Raises as `usage.grouped`.
    """
    models = [
        row.keys["model_id"]
        for row in reports.aggregate(session, member, chosen, [reports.Group.MODEL])
        if row.figures.completed
    ]
    return [kind for model_id in models for kind in _groups_of_model(session, member, chosen, model_id)]


def _groups_of_model(
    session: ReadSession, member: Member, chosen: reports.UsageQuery, model_id: str
) -> Sequence[ClipGroup]:
    begin, end = reports.moments(chosen)
    whose = all_rows_for_analyst(member) if chosen.everybody else reports.in_reach(Generation, member, chosen)
    newest = (
        select(
            *(_settings_column(name) for name in _GROUP_COLUMNS),
            Generation.status,
            Generation.charged_in_id.label("project_id"),
            Generation.provider,
            Generation.user_id,
            Generation.credits,
            *(cost.label(name) for name, cost in _COSTS.items()),
        )
        .where(whose, Generation.model_id == model_id, Generation.ended_at >= begin, Generation.ended_at < end)
        .order_by(Generation.ended_at.desc())
        .limit(MAX_CLIPS_PER_MODEL)
        .subquery()
    )
    alike = [newest.c[name] for name in _GROUP_COLUMNS]
    unreported = case((newest.c.reported_usd.is_(None), newest.c.credits), else_=0)
    unknown = and_(newest.c.reported_usd.is_(None), newest.c.estimated_usd.is_(None))
    counted: Select[Any] = (
        select(
            *alike,
            func.count().label("clips"),
            func.sum(newest.c.credits).label("credits"),
            func.sum(unreported).label("unreported"),
            func.sum(case((unknown, 1), else_=0)).label("unknown"),
            func.avg(newest.c.rate).label("rate"),
            *(func.coalesce(func.sum(newest.c[name]), 0).label(name) for name in _SUMMED),
        )
        .where(newest.c.status == Status.COMPLETED)
        .group_by(*alike)
    )
    for name in ("project_id", "provider", "user_id"):
        if (value := getattr(chosen, name)) is not None:
            counted = counted.where(newest.c[name] == value)
    return [
        ClipGroup(
            spec=_spec({name: row[name] for name in _GROUP_COLUMNS}),
            clips=int(row["clips"]),
            charged_credits=int(row["credits"]),
            unreported_credits=int(row["unreported"]),
            reported_cost_microusd=round(row["reported_usd"] * 1_000_000),
            reported_cost_idr=round(row["reported_idr"]),
            estimated_cost_microusd=round(row["estimated_usd"] * 1_000_000),
            estimated_cost_idr=round(row["estimated_idr"]),
            cost_unknown_clips=int(row["unknown"]),
            idr_per_usd=round(row["rate"]),
        )
        for row in session.execute(counted).mappings()
    ]


_ONLY_WHETHER = ("negative_prompt", *IMAGE_FIELDS)
"""Settings that tell clips apart by being given or not: no price or model looks at what is in them."""

_GROUP_COLUMNS = tuple(name for name in FIELDS if name != "prompt")


def _settings_column(name: str) -> ColumnElement[Any]:
    column = getattr(Generation, name)
    if name not in _ONLY_WHETHER:
        return column.label(name)  # type: ignore[no-any-return]  # a column found by its name
    given = column.is_not(None) if DEFAULTS[name] is None else column != DEFAULTS[name]
    return given.label(name)  # type: ignore[no-any-return]  # same


def _spec(alike: dict[str, Any]) -> GenerationSpec:
    """A spec of what a group was selected by."""
    given = {name: "given" if alike[name] else DEFAULTS[name] for name in _ONLY_WHETHER}
    return GenerationSpec(**alike | given)


def _when(told: bool, currency: str, cost: ColumnElement[Any]) -> ColumnElement[Any]:
    """A cost where it is one of this kind, else nothing."""
    is_one = and_(Generation.provider_cost_is_estimate.is_(not told), Generation.provider_cost_currency == currency)
    return case((is_one, cost), else_=None)


_RATE = func.coalesce(Generation.idr_per_usd, price_list.IDR_PER_USD)
_COST: ColumnElement[Any] = Generation.provider_cost.expression
_COSTS: Mapping[str, ColumnElement[Any]] = {
    "reported_usd": _when(True, "USD", _COST),
    "reported_idr": _when(True, "USD", _COST * _RATE),
    # In rupiah are those of before there were vendors' prices.
    "estimated_usd": func.coalesce(_when(False, "USD", _COST), _when(False, "IDR", _COST / price_list.IDR_PER_USD)),
    "estimated_idr": func.coalesce(_when(False, "USD", _COST * _RATE), _when(False, "IDR", _COST)),
    "rate": _RATE,
}
_SUMMED = ("reported_usd", "reported_idr", "estimated_usd", "estimated_idr")


def reprice(clips: Iterable[ClipGroup], change: Scenario) -> Comparison:
    """Price clips anew. InvalidRequest for a model there is not, and for one without a price.

    The cost of a clip does not follow our price: it stays what was reported or estimated for this model, and is
    estimated from the vendor's price for another one; both times with the change of that price and of the dollar.
    """
    was, would_be = GroupTotal(), GroupTotal()
    impossible: defaultdict[Message, GroupTotal] = defaultdict(GroupTotal)
    pricing.price_of(change.model_id)
    model = in_force.model(change.model_id)
    for kind in clips:
        spec = replace(kind.spec, model_id=model.id)
        same = kind.spec.model_id == model.id
        cost_idr = kind.reported_cost_idr + kind.estimated_cost_idr
        as_it_was = GroupTotal(kind.clips, kind.charged_credits, cost_idr, kind.cost_unknown_clips)
        problems = {} if same else rules.check(model, spec, prompt_required=False)
        try:
            credits = kind.clips * _credits(spec, model, change)
        except errors.InvalidRequest as unpriced:
            problems = problems or unpriced.fields
        if problems:
            impossible[next(iter(problems.values()))] += as_it_was
            continue
        was += as_it_was
        cost_idr, unknown = _cost_of_same(kind, change) if same else _cost_of_other(kind, spec, change)
        would_be += GroupTotal(kind.clips, credits, cost_idr, unknown)
    return Comparison(was, would_be, dict(impossible))


def _credits(spec: GenerationSpec, model: VideoModel, change: Scenario) -> int:
    """The price of one clip; another base price changes all rates of a price by the second in its proportion."""
    price, base_credits = pricing.price_of(model.id), change.base_credits
    if base_credits is not None and isinstance(price, PublishedPrice):
        return pricing.priced_by(replace(price, base_credits=base_credits), spec, model).total_credits
    credits = pricing.priced_by(price, spec, model).total_credits
    if base_credits is None:
        return credits
    listed = pricing.base_credits(model)
    return _half_up(credits * base_credits, listed) if listed else base_credits


def _cost_of_same(kind: ClipGroup, change: Scenario) -> tuple[int, int]:
    """(Rupiah, clips whose cost is unknown) for the clips as they are."""
    if change.idr_per_usd is None:
        reported, estimated = kind.reported_cost_idr, kind.estimated_cost_idr
    else:
        in_dollars = (kind.reported_cost_microusd, kind.estimated_cost_microusd)
        reported, estimated = (_half_up(microusd * change.idr_per_usd, 1_000_000) for microusd in in_dollars)
    unknown = kind.cost_unknown_clips
    if change.markup_percent is not None:
        estimated, unknown = _over_markup(kind.unreported_credits, change.markup_percent), 0
    return _half_up((reported + estimated) * change.vendor_percent, 100), unknown


def _cost_of_other(kind: ClipGroup, spec: GenerationSpec, change: Scenario) -> tuple[int, int]:
    """The same for the clips as another model would make them."""
    if change.markup_percent is not None:
        each_idr = _over_markup(pricing.priced(spec).total_credits, change.markup_percent)
        return _half_up(kind.clips * each_idr * change.vendor_percent, 100), 0
    each = pricing.estimated_cost(spec)
    if each is None:
        return 0, kind.clips
    rate = change.idr_per_usd or kind.idr_per_usd
    return _half_up(kind.clips * each.microusd * rate * change.vendor_percent, 100_000_000), 0


def _over_markup(credits: int, markup_percent: int) -> int:
    """The rupiah that a price was made from with a markup."""
    return _half_up(credits * price_list.IDR_PER_CREDIT * 100, markup_percent)


def _half_up(amount: int, divisor: int) -> int:
    return (2 * amount + divisor) // (2 * divisor)


def coverage(clips: Iterable[ClipGroup], model: VideoModel) -> int:
    """How many of these clips a model could have made as they are."""
    return sum(
        kind.clips
        for kind in clips
        if kind.spec.model_id == model.id
        or not rules.check(model, replace(kind.spec, model_id=model.id), prompt_required=False)
    )
