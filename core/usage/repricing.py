"""What a time would have come to with another model, base price or markup: clips are counted in SQL, priced here.

It re-prices charged clips by their own settings with the one price function. It cannot know whether the other model
would have done as well, failed as often, or been asked for the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from core import errors
from core.billing.quote import estimated_cost_idr, idr_of_microusd, quote
from core.catalog import price_list, rules
from core.db import ReadSession
from core.db.enums import Status
from core.db.tables import Generation
from core.messages import Message, message
from core.providers import registry
from core.providers.contract import VideoModel
from core.spec import DEFAULTS, FIELDS, IMAGE_FIELDS, GenerationSpec
from core.usage import reports
from core.workspaces.access import Member, all_rows_for_analyst

MAX_CLIPS_PER_MODEL = 20_000
"""At most so many ended clips of a model are looked at, the newest, however long the history."""


@dataclass(frozen=True, slots=True)
class ClipGroup:
    """Charged clips that were ordered alike; `unreported_credits` is the price of those whose cost is an estimate.

    `spec` says of texts and images only whether there was one.
    """

    spec: GenerationSpec
    clips: int
    charged_credits: int
    unreported_credits: int
    reported_cost_microusd: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is put in place of what was: the model, its base price (credits) and its markup (percent of its cost)."""

    model_id: str
    base_credits: int
    markup_percent: int

    def __post_init__(self) -> None:
        if self.base_credits <= 0:
            raise errors.InvalidRequest(fields={"baseCredits": message("base_price_not_positive")})
        if self.markup_percent < 100:
            raise errors.InvalidRequest(fields={"markupPercent": message("markup_too_low")})


@dataclass(frozen=True, slots=True)
class GroupTotal:
    """Clips with their price in credits and their cost in rupiah; the cost is an estimate but for what was reported."""

    clips: int = 0
    credits: int = 0
    cost_idr: int = 0

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
            func.coalesce(Generation.charged_project_id, Generation.project_id).label("project_id"),
            Generation.provider,
            Generation.user_id,
            Generation.credits,
            case((_reported(), Generation.provider_cost), else_=None).label("reported_usd"),
        )
        .where(whose, Generation.model_id == model_id, Generation.ended_at >= begin, Generation.ended_at < end)
        .order_by(Generation.ended_at.desc())
        .limit(MAX_CLIPS_PER_MODEL)
        .subquery()
    )
    alike = [newest.c[name] for name in _GROUP_COLUMNS]
    unreported = case((newest.c.reported_usd.is_(None), newest.c.credits), else_=0)
    counted: Select[Any] = (
        select(
            *alike,
            func.count(),
            func.sum(newest.c.credits),
            func.sum(unreported),
            func.coalesce(func.sum(newest.c.reported_usd), 0),
        )
        .where(newest.c.status == Status.COMPLETED)
        .group_by(*alike)
    )
    for name in ("project_id", "provider", "user_id"):
        if (value := getattr(chosen, name)) is not None:
            counted = counted.where(newest.c[name] == value)
    return [
        ClipGroup(
            spec=_spec(dict(zip(_GROUP_COLUMNS, settings, strict=True))),
            clips=int(clips),
            charged_credits=int(credits),
            unreported_credits=int(unreported_credits),
            reported_cost_microusd=round(reported_usd * 1_000_000),
        )
        for *settings, clips, credits, unreported_credits, reported_usd in session.execute(counted).all()
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


def _reported() -> ColumnElement[bool]:
    return and_(Generation.provider_cost_is_estimate.is_(False), Generation.provider_cost_currency == "USD")


def reprice(clips: Iterable[ClipGroup], change: Scenario) -> Comparison:
    """Price clips anew. NotFound for a model there is not, InvalidRequest for one without a price.

    The cost of a clip does not follow our base price: it stays what was reported or estimated for this model, and is
    estimated from the list price and the markup for another one.
    """
    was, would_be = _Adding(), _Adding()
    impossible: defaultdict[Message, _Adding] = defaultdict(_Adding)
    model = registry.model(change.model_id)
    for kind in clips:
        spec = replace(kind.spec, model_id=model.id)
        same = kind.spec.model_id == model.id
        if not same and (problems := rules.check(model, spec, prompt_required=False)):
            reason = next(iter(problems.values()))
            impossible[reason].add(kind.clips, kind.charged_credits, _cost_idr(kind, None))
            continue
        was.add(kind.clips, kind.charged_credits, _cost_idr(kind, None))
        price = quote(spec, base_credits=change.base_credits).total_credits
        if same:
            cost_idr = _cost_idr(kind, change.markup_percent)
        else:
            listed = quote(spec).total_credits
            markup = change.markup_percent
            cost_idr = kind.clips * estimated_cost_idr(model.id, listed, markup_percent=markup)
        would_be.add(kind.clips, kind.clips * price, cost_idr)
    return Comparison(was.sum, would_be.sum, {reason: adding.sum for reason, adding in impossible.items()})


def coverage(clips: Iterable[ClipGroup], model: VideoModel) -> int:
    """How many of these clips a model could have made as they are."""
    return sum(
        kind.clips
        for kind in clips
        if kind.spec.model_id == model.id
        or not rules.check(model, replace(kind.spec, model_id=model.id), prompt_required=False)
    )


class _Adding:
    """Accumulates one group's totals."""

    def __init__(self) -> None:
        self.sum = GroupTotal()

    def add(self, clips: int, credits: int, cost_idr: int) -> None:
        done = self.sum
        self.sum = GroupTotal(done.clips + clips, done.credits + credits, done.cost_idr + cost_idr)


def _cost_idr(kind: ClipGroup, markup_percent: int | None) -> int:
    """What these clips cost their provider: as reported, and from their price where nothing was."""
    estimate = estimated_cost_idr(kind.spec.model_id, kind.unreported_credits, markup_percent=markup_percent)
    return idr_of_microusd(kind.reported_cost_microusd) + estimate
