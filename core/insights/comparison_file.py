"""What a comparison of models looks like as lines for spreadsheets, the same from page and API; pure."""

from collections.abc import Iterator

from core.insights.model_comparison import ComparedModel, ModelComparison
from core.usage.spreadsheet import Line, Separator, SpreadsheetFormat, write

COLUMNS = (
    "model",
    "name",
    "provider",
    "state",
    "order_credits",
    "order_idr",
    "order_changes",
    "half_seconds",
    "nine_in_ten_seconds",
    "timed_clips",
    "completed",
    "failed",
    "success_percent",
    "success_of_clips",
    "kept_clips",
    "judged_clips",
    "kept_percent",
    "kept_percent_low",
    "kept_percent_high",
    "spent_credits",
    "spent_idr",
    "kept_seconds",
    "idr_per_kept_second",
    "cheaper",
)
COST_COLUMNS = ("order_cost_idr", "order_margin_idr", "cost_idr", "margin_idr")
"""Behind the others, for those who may see costs."""


def models(found: ModelComparison, form: SpreadsheetFormat, separator: Separator = Separator.COMMA) -> Iterator[bytes]:
    """A file with a line a model, in pieces."""
    return write(_lines(found), form, separator)


def _lines(found: ModelComparison) -> Iterator[Line]:
    yield COLUMNS + COST_COLUMNS if found.sees_costs else COLUMNS
    for model in found.models:
        yield [*_line(model), *(_costs(model) if found.sees_costs else ())]


def _line(model: ComparedModel) -> Line:
    order, record, kept, figures = model.order, model.record, model.kept, model.figures
    times = record.times
    return [
        model.model_id,
        model.name,
        model.provider,
        model.state.value,
        order.credits if order else None,
        order.idr if order else None,
        "; ".join(f"{each.field}: {each.wanted} > {each.given}" for each in order.changes) if order else "",
        times.p50_seconds if times else None,
        times.p90_seconds if times else None,
        times.based_on if times else 0,
        figures.completed,
        figures.failed,
        _percent(record.success_rate),
        record.ended,
        kept.kept,
        kept.judged,
        _percent(kept.share),
        _percent(kept.low),
        _percent(kept.high),
        figures.settled_credits,
        figures.settled_idr,
        figures.kept_seconds,
        None if model.idr_per_kept_second is None else round(model.idr_per_kept_second, 1),
        ", ".join(model.cheaper),
    ]


def _costs(model: ComparedModel) -> Line:
    order, figures = model.order, model.figures
    each = (order.cost_idr, order.margin_idr) if order else (None, None)
    return [*each, figures.cost_idr, figures.margin_idr]


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)
