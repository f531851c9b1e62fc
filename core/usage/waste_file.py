"""What was in vain as lines for spreadsheets, the same from page and API; pure."""

from collections.abc import Iterable, Iterator, Sequence

from core.usage.spreadsheet import Line, Separator, SpreadsheetFormat, write
from core.usage.waste import KEYS, Waste, WasteGroup, WasteRow

_FIGURES = (
    "failed",
    "cancelled",
    "returned_credits",
    "lost_seconds",
    "rejected",
    "rejected_credits",
    "rejected_idr",
    "unopened",
    "unopened_credits",
    "unopened_idr",
)
COSTS = ("paid_idr", "at_risk_idr")
"""Behind the others, for those who may see costs."""


def waste(
    rows: Iterable[WasteRow],
    groups: Sequence[WasteGroup],
    form: SpreadsheetFormat,
    separator: Separator = Separator.COMMA,
    *,
    sees_costs: bool,
) -> Iterator[bytes]:
    """A file with a line a group and a line of totals, in pieces."""
    return write(_lines(rows, groups, _FIGURES + COSTS if sees_costs else _FIGURES), form, separator)


def _lines(rows: Iterable[WasteRow], groups: Sequence[WasteGroup], figures: Sequence[str]) -> Iterator[Line]:
    names = list(dict.fromkeys(name for group in groups for name in KEYS[group]))
    if WasteGroup.USER in groups:
        names.append("user_name")
    yield [*names, *figures]
    total = Waste()
    for row in rows:
        total += row.figures
        yield [*(row.keys[name] for name in names), *(getattr(row.figures, name) for name in figures)]
    yield ["total", *[""] * (len(names) - 1), *(getattr(total, name) for name in figures)]
