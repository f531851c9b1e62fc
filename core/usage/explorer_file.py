"""What an answer of the usage explorer looks like as a file for spreadsheets, the same from page and API; pure."""

from collections.abc import Iterator, Sequence

from core.usage.dimensions import WITH_IDS, Dimension, Value
from core.usage.exploration import Amounts, Exploration
from core.usage.spreadsheet import Line, Separator, SpreadsheetFormat
from core.usage.spreadsheet import write as write_lines

FIGURES = (
    "spent_credits",
    "spent_idr",
    "spent_microusd",
    "returned_credits",
    "clips",
    "completed",
    "failed",
    "cancelled",
    "video_seconds",
)

DOLLARS = "spent_usd"


def write(found: Exploration, form: SpreadsheetFormat, separator: Separator = Separator.COMMA) -> Iterator[bytes]:
    """A file in pieces: a line a row, or a row and step where there are any, and a line of totals.

    `share` is a part of 1 of what the view is about; `before_…` is that in the time before, where it was asked for.
    `spent_usd` is the same as `spent_microusd`, in dollars, as people read it.
    """
    return write_lines(_lines(found), form, separator)


def name(found: Exploration, form: SpreadsheetFormat) -> str:
    """What the file is called."""
    asked, days = found.asked, found.asked.selection
    return f"usage-{'-'.join(asked.by)}-{days.since.isoformat()}-to-{days.until.isoformat()}.{form}"


def _lines(found: Exploration) -> Iterator[Line]:
    asked = found.asked
    heads = [name for dimension in asked.by for name in _heads(dimension)]
    if asked.over is not None:
        yield [asked.over.value, *heads, *FIGURES, DOLLARS]
        for step in found.steps:
            yield [step.at, *_texts(asked.by, step.values), *_figures(step.amounts), _dollars(step.amounts)]
        yield ["total", *[""] * len(heads), *_figures(found.totals), _dollars(found.totals)]
        return
    before = [] if found.previous_totals is None else [f"before_{asked.measure}"]
    yield [*heads, *FIGURES, "share", *before, DOLLARS]
    for row in found.rows:
        earlier = [] if row.previous is None else [row.previous.of(asked.measure)]
        share = None if row.share is None else round(row.share, 6)
        yield [*_texts(asked.by, row.values), *_figures(row.amounts), share, *earlier, _dollars(row.amounts)]
    earlier = [] if found.previous_totals is None else [found.previous_totals.of(asked.measure)]
    whole = 1 if found.totals.of(asked.measure) else None
    yield ["total", *[""] * (len(heads) - 1), *_figures(found.totals), whole, *earlier, _dollars(found.totals)]


def _heads(dimension: Dimension) -> list[str]:
    return [f"{dimension}_id", dimension.value] if dimension in WITH_IDS else [dimension.value]


def _texts(by: Sequence[Dimension], values: Sequence[Value]) -> list[str]:
    return [
        text
        for dimension, value in zip(by, values, strict=True)
        for text in ([value.key, value.shown] if dimension in WITH_IDS else [value.key])
    ]


def _dollars(amounts: Amounts) -> float:
    return round(amounts.spent_microusd / 1_000_000, 6)


def _figures(amounts: Amounts) -> list[int]:
    return [getattr(amounts, name) for name in FIGURES]
