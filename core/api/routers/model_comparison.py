"""Which model, over REST: what each asks, how it does and how much is kept of it; and one put in another's place."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import routing
from core.api.http.attachments import attachment
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import refuses, sends_sheet
from core.api.routers.usage import SelectionQuery, UsageFormat, note_export, reaches_far_enough, selection
from core.api.schemas import fields, requests, responses
from core.catalog.rules import Adjustment
from core.insights import comparison_file, model_comparison
from core.insights.model_comparison import ComparedModel
from core.spec import GenerationSpec
from core.usage import substitution
from core.usage.repricing import GroupTotal
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.workspaces.permissions import Action

router = routing.router("usage", dependencies=[Depends(reaches_far_enough)])

_NAMES = {
    "duration_seconds": "duration",
    "aspect_ratio": "aspectRatio",
    "generate_audio": "generateAudio",
    "start_image_key": "startImagePath",
    "end_image_key": "endImagePath",
    "negative_prompt": "negativePrompt",
    "enhance_prompt": "enhancePrompt",
}
"""Setting of a spec -> its field name in the API, where that is another one."""


SETTING_LIMIT_CHARS = 16
"""No model has a longer word for a size or a shape: the answer repeats what was asked for and is not made."""


class ComparisonQuery(SelectionQuery):
    """Which clips tell of the models, and the order that they are compared for.

    `separator` is what stands between the cells of a CSV; with `semicolon` decimals have a comma.
    """

    resolution: Annotated[requests.Word, Field(max_length=SETTING_LIMIT_CHARS)] = "720p"
    duration: Annotated[int, Field(ge=1, le=600)] = 5
    aspect_ratio: Annotated[requests.Word, Field(max_length=SETTING_LIMIT_CHARS)] = "16:9"
    generate_audio: bool = False
    format: UsageFormat = UsageFormat.JSON
    separator: Separator = Separator.COMMA


class SubstitutionQuery(SelectionQuery):
    """Which charged clips, of which model, and the model that is put in its place."""

    model_id: requests.Word
    with_model_id: requests.Word


class ChangedSetting(responses.ApiModel):
    """A setting that a model makes otherwise; `given` is null where it is left out."""

    field: str
    wanted: str | int | bool | None
    given: str | int | bool | None

    @classmethod
    def of(cls, change: Adjustment) -> "ChangedSetting":
        """The shape of an adjustment; of files only how many there are."""
        return cls(
            field=_NAMES.get(change.field, change.field), wanted=_plain(change.wanted), given=_plain(change.given)
        )


class OrderShape(responses.ApiModel):
    """The order that models are compared for."""

    resolution: fields.Resolution
    duration: fields.ClipSeconds
    aspect_ratio: fields.AspectRatio
    generate_audio: bool


class ModelShape(responses.ApiModel):
    """One model. `orderCredits` is null where it makes nothing like the order; `orderChanges` is what differs from it.

    `successRate` is completed of `endedOfModel`: without what was cancelled, refused, or spoiled by this installation.
    The shares and what a kept second came to are null below ten judged clips; low and high are the 95 % interval.
    `cheaperModelIds` ask less for the very same order and keep as much. Costs are for analysts and administrators.
    """

    model_id: fields.ModelId
    name: fields.ModelName
    provider: fields.ProviderName
    is_orderable: bool
    order_credits: int | None
    order_idr: int | None
    order_changes: list[ChangedSetting]
    half_seconds: float | None
    nine_in_ten_seconds: float | None
    timed_clips: int
    completed: int
    failed: int
    success_rate: float | None
    ended_of_model: int
    kept_clips: int
    judged_clips: int
    kept_share: float | None
    kept_share_low: float | None
    kept_share_high: float | None
    settled_credits: int
    settled_idr: int
    kept_seconds: int
    idr_per_kept_second: float | None
    cheaper_model_ids: list[str]
    order_cost_idr: int | None = None
    order_margin_idr: int | None = None
    cost_idr: int | None = None
    margin_idr: int | None = None

    @classmethod
    def of(cls, model: ComparedModel, *, sees_costs: bool) -> "ModelShape":
        """The shape of a compared model, without costs for whom they are not."""
        order, record, kept, figures = model.order, model.record, model.kept, model.figures
        times = record.times
        shown: dict[str, Any] = {
            "model_id": model.model_id,
            "name": model.name,
            "provider": model.provider,
            "is_orderable": model.is_orderable,
            "order_credits": order.credits if order else None,
            "order_idr": order.idr if order else None,
            "order_changes": [ChangedSetting.of(change) for change in order.changes] if order else [],
            "half_seconds": times.p50_seconds if times else None,
            "nine_in_ten_seconds": times.p90_seconds if times else None,
            "timed_clips": times.based_on if times else 0,
            "completed": figures.completed,
            "failed": figures.failed,
            "success_rate": record.success_rate,
            "ended_of_model": record.ended,
            "kept_clips": kept.kept,
            "judged_clips": kept.judged,
            "kept_share": kept.share,
            "kept_share_low": kept.low,
            "kept_share_high": kept.high,
            "settled_credits": figures.settled_credits,
            "settled_idr": figures.settled_idr,
            "kept_seconds": figures.kept_seconds,
            "idr_per_kept_second": model.idr_per_kept_second,
            "cheaper_model_ids": list(model.cheaper),
        }
        if sees_costs:
            shown |= {
                "order_cost_idr": order.cost_idr if order else None,
                "order_margin_idr": order.margin_idr if order else None,
                "cost_idr": figures.cost_idr,
                "margin_idr": figures.margin_idr,
            }
        return cls(**shown)


class ComparisonAnswer(responses.Response):
    """The models, for an order, by what the clips between two days (both included, UTC) say of them."""

    since: date
    until: date
    order: OrderShape
    models: list[ModelShape]


class Change(ChangedSetting):
    """A setting that the other model would have made otherwise, and in how many clips."""

    clips: int


class NotMakeable(responses.ApiModel):
    """Clips that the other model could not have made, however changed, and why."""

    reason: str
    clips: int
    credits: int


class SideTotal(responses.ApiModel):
    """Clips with their price, and for analysts and administrators their cost: an estimate but for what was reported."""

    clips: int
    seconds: int
    credits: int
    cost_idr: int | None = None
    margin_idr: int | None = None
    cost_unknown_clips: int | None = None


class SubstitutionAnswer(responses.Response):
    """First what the answer is about: `makeableClips` of `ofClips`, `asOrderedClips` of them without any change.

    `clips` were looked at, the newest up to a bound. `was` and `wouldBe` are of the makeable clips.
    """

    of_clips: int
    clips: int
    makeable_clips: int
    as_ordered_clips: int
    changes: list[Change]
    impossible: list[NotMakeable]
    was: SideTotal
    would_be: SideTotal


@router.get(
    "/usage/models",
    response_model=ComparisonAnswer,
    response_model_exclude_unset=True,
    responses=refuses(403, 404) | sends_sheet(),
)
def compare_models(member: CurrentMember, query: Annotated[ComparisonQuery, Query()]) -> ComparisonAnswer | Response:
    """Compare models for an order: price, times, success, what is kept, and what a kept second came to."""
    selected = selection(query)
    order = GenerationSpec(
        model_id="",
        resolution=query.resolution,
        duration_seconds=query.duration,
        aspect_ratio=query.aspect_ratio,
        generate_audio=query.generate_audio,
    )
    with db.read_session() as session:
        found = model_comparison.compare(session, member, selected, order)
    if query.format is not UsageFormat.JSON:
        form = SpreadsheetFormat(query.format)
        name = note_export(member, selected, "models", form)
        pieces = comparison_file.models(found, form, query.separator)
        return attachment(pieces, name=name, media_type=form.media_type)
    return ComparisonAnswer(
        success=True,
        since=selected.since,
        until=selected.until,
        order=OrderShape(
            resolution=order.resolution,
            duration=order.duration_seconds,
            aspect_ratio=order.aspect_ratio,
            generate_audio=order.generate_audio,
        ),
        models=[ModelShape.of(model, sees_costs=found.sees_costs) for model in found.models],
    )


@router.get(
    "/usage/substitution",
    response_model=SubstitutionAnswer,
    response_model_exclude_unset=True,
    responses=refuses(403, 404),
)
def get_substitution(member: CurrentMember, query: Annotated[SubstitutionQuery, Query()]) -> SubstitutionAnswer:
    """Get what the clips of one model would have cost on another one, each as the nearest order that it makes."""
    with db.read_session() as session:
        found = substitution.substitute(
            session, member, selection(query), model_id=query.model_id, with_model_id=query.with_model_id
        )
    sees_costs = member.may(Action.SEE_ALL_USAGE)
    return SubstitutionAnswer(
        success=True,
        of_clips=found.of_clips,
        clips=found.clips,
        makeable_clips=found.was.clips,
        as_ordered_clips=found.as_ordered,
        changes=[
            Change(**ChangedSetting.of(change.adjustment).model_dump(), clips=change.clips) for change in found.changes
        ],
        impossible=[
            NotMakeable(reason=str(reason), clips=some.clips, credits=some.credits)
            for reason, some in found.impossible.items()
        ],
        was=_side(found.was, found.was_seconds, sees_costs=sees_costs),
        would_be=_side(found.would_be, found.would_be_seconds, sees_costs=sees_costs),
    )


def _side(total: GroupTotal, seconds: int, *, sees_costs: bool) -> SideTotal:
    costs: dict[str, int] = {}
    if sees_costs:
        costs = {
            "cost_idr": total.cost_idr,
            "margin_idr": total.margin_idr,
            "cost_unknown_clips": total.cost_unknown_clips,
        }
    return SideTotal(clips=total.clips, seconds=seconds, credits=total.credits, **costs)


def _plain(value: Any) -> str | int | bool | None:
    """A setting's value; of several files their number."""
    return len(value) if isinstance(value, tuple) else value
