"""What a time would have come to with another model, base price or markup: clips are counted in SQL, priced here.

It re-prices charged clips by their own settings with the one price function. It cannot know whether the other model
would have done as well, failed as often, or been asked for the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from core import errors
from core.billing.quote import Quote, estimated_cost_idr, idr_of_microusd, quote
from core.catalog import capabilities, price_list
from core.db import ReadSession
from core.db.enums import Status
from core.db.row_access import all_rows_for_admin, visible_to
from core.db.tables import Generation, User
from core.providers import registry
from core.usage import reports

MAX_CLIPS_PER_MODEL = 20_000
"""At most so many ended clips of a model are looked at, the newest, however long the history."""


@dataclass(frozen=True, slots=True)
class ClipGroup:
    """Charged clips that were ordered alike; `unreported_credits` is the price of those whose cost is an estimate."""

    model_id: str
    resolution: str
    duration_seconds: int
    aspect_ratio: str
    start_image: bool
    end_image: bool
    generate_audio: bool
    enhance_prompt: bool
    negative_prompt: bool
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
            raise errors.InvalidRequest(fields={"baseCredits": "A base price is a whole number above 0."})
        if self.markup_percent < 100:
            raise errors.InvalidRequest(fields={"markupPercent": "A markup is at least 100 percent of the cost."})


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

    `impossible` maps the reason, a sentence, to clips and the credits they were charged; a clip with several reasons
    stands under the first.
    """

    was: GroupTotal
    would_be: GroupTotal
    impossible: Mapping[str, GroupTotal]


def clip_groups(session: ReadSession, user: User, chosen: reports.UsageQuery) -> Sequence[ClipGroup]:
    """The chosen charged clips, alike ones counted together: of each model its newest CLIPS_A_MODEL that ended.

    Compare the sum of `clips` with `usage.Figures.completed` to see whether these are all. Raises as `usage.grouped`.
    """
    models = [
        row.keys["model_id"]
        for row in reports.aggregate(session, user, chosen, [reports.Group.MODEL])
        if row.figures.completed
    ]
    return [kind for model_id in models for kind in _groups_of_model(session, user, chosen, model_id)]


def _groups_of_model(
    session: ReadSession, user: User, chosen: reports.UsageQuery, model_id: str
) -> Sequence[ClipGroup]:
    begin, end = reports.moments(chosen)
    whose = all_rows_for_admin(user) if chosen.everybody else visible_to(Generation, user)
    newest = (
        select(
            Generation.model_id,
            Generation.resolution,
            Generation.duration_seconds,
            Generation.aspect_ratio,
            Generation.start_image_key.is_not(None).label("start_image"),
            Generation.end_image_key.is_not(None).label("end_image"),
            Generation.generate_audio,
            Generation.enhance_prompt,
            (Generation.negative_prompt != "").label("negative_prompt"),
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
            **dict(zip(_GROUP_COLUMNS, settings, strict=True)),
            clips=int(clips),
            charged_credits=int(credits),
            unreported_credits=int(unreported_credits),
            reported_cost_microusd=round(reported_usd * 1_000_000),
        )
        for *settings, clips, credits, unreported_credits, reported_usd in session.execute(counted).all()
    ]


_GROUP_COLUMNS = (
    "model_id",
    "resolution",
    "duration_seconds",
    "aspect_ratio",
    "start_image",
    "end_image",
    "generate_audio",
    "enhance_prompt",
    "negative_prompt",
)


def _reported() -> ColumnElement[bool]:
    return and_(Generation.provider_cost_is_estimate.is_(False), Generation.provider_cost_currency == "USD")


def reprice(clips: Iterable[ClipGroup], change: Scenario) -> Comparison:
    """Price clips anew. NotFound for a model there is not, InvalidRequest for one without a price.

    The cost of a clip does not follow our base price: it stays what was reported or estimated for this model, and is
    estimated from the list price and the markup for another one.
    """
    was, would_be = _Adding(), _Adding()
    impossible: defaultdict[str, _Adding] = defaultdict(_Adding)
    model = registry.model(change.model_id)
    for kind in clips:
        same = kind.model_id == model.id
        if not same and (reason := _reason(kind, change.model_id)):
            impossible[reason].add(kind.clips, kind.charged_credits, _cost_idr(kind, None))
            continue
        was.add(kind.clips, kind.charged_credits, _cost_idr(kind, None))
        price = _quote(kind, change.model_id, change.base_credits).total_credits
        if same:
            cost_idr = _cost_idr(kind, change.markup_percent)
        else:
            listed = _quote(kind, change.model_id, None).total_credits
            markup = change.markup_percent
            cost_idr = kind.clips * estimated_cost_idr(model.id, listed, markup_percent=markup)
        would_be.add(kind.clips, kind.clips * price, cost_idr)
    return Comparison(was.sum, would_be.sum, {reason: adding.sum for reason, adding in impossible.items()})


class _Adding:
    """A sum that grows."""

    def __init__(self) -> None:
        self.sum = GroupTotal()

    def add(self, clips: int, credits: int, cost_idr: int) -> None:
        done = self.sum
        self.sum = GroupTotal(done.clips + clips, done.credits + credits, done.cost_idr + cost_idr)


def _quote(kind: ClipGroup, model_id: str, base_credits: int | None) -> Quote:
    return quote(
        model_id,
        resolution=kind.resolution,
        duration_seconds=kind.duration_seconds,
        start_image=kind.start_image,
        end_image=kind.end_image,
        generate_audio=kind.generate_audio,
        enhance_prompt=kind.enhance_prompt,
        base_credits=base_credits,
    )


def _cost_idr(kind: ClipGroup, markup_percent: int | None) -> int:
    """What these clips cost their provider: as reported, and from their price where nothing was."""
    if markup_percent is None:  # a model that is no longer offered has no price any more
        known = price_list.PRICES.get(kind.model_id)
        markup_percent = known.markup_percent if known else price_list.DEFAULT_MARKUP_PERCENT
    estimate = estimated_cost_idr(kind.model_id, kind.unreported_credits, markup_percent=markup_percent)
    return idr_of_microusd(kind.reported_cost_microusd) + estimate


def _reason(kind: ClipGroup, model_id: str) -> str | None:
    """Why a model could not have made such a clip; None when it could."""
    problems = capabilities.check(
        registry.model(model_id),
        resolution=kind.resolution,
        duration_seconds=kind.duration_seconds,
        aspect_ratio=kind.aspect_ratio,
        negative_prompt="with one" if kind.negative_prompt else "",
        start_image=kind.start_image,
        end_image=kind.end_image,
        generate_audio=kind.generate_audio,
        enhance_prompt=kind.enhance_prompt,
    )
    return next(iter(problems.values()), None)
