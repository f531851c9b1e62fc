"""What usage and movements look like as lines for spreadsheets, the same from page and API; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from itertools import chain

from core.billing.ledger import EFFECTS
from core.db.tables import LedgerEntry
from core.usage import reports
from core.usage.spreadsheet import Line, Separator, SpreadsheetFormat, write
from core.usage.statement import ClipLine

COLUMNS = (
    "day",
    "provider",
    "model",
    "completed",
    "failed",
    "cancelled",
    "spent_credits",
    "spent_idr",
    "returned_credits",
    "video_seconds",
    "estimated_cost_idr",
)
"""Columns of the default grouping; others have their own keys in front, MORE_COLUMNS behind, and names behind those."""

MORE_COLUMNS = (
    "reported_cost_microusd",
    "reported_cost_idr",
    "still_estimated_cost_idr",
    "cost_idr",
    "margin_idr",
    "kept_clips",
    "kept_seconds",
    "rejected_clips",
    "wasted_cost_idr",
    "cost_unknown_clips",
    "estimate_from_price_idr",
    "adjusted_cost_idr",
)
DEFAULT = (reports.Group.DAY, reports.Group.MODEL)
_HEADS = {
    "model_id": "model",
    "project_name": "project",
    "user_email": "user",
    "workspace_name": "workspace",
    "project_workspace": "workspace",
    "project_owner": "owner",
    "user_name": "maker",
}
_FIGURES = COLUMNS[3:]


def usage(
    rows: Iterable[reports.Row],
    groups: Sequence[reports.Group] | None = None,
    form: SpreadsheetFormat = SpreadsheetFormat.CSV,
    separator: Separator = Separator.COMMA,
) -> Iterator[bytes]:
    """A file of the rows by these groups and a line of totals, in pieces; without groups the default ones, short.

    Rows of projects, people and workspaces are those of `reports.with_names`.
    """
    return write(_usage_lines(rows, groups), form, separator)


def _usage_lines(rows: Iterable[reports.Row], groups: Sequence[reports.Group] | None) -> Iterator[Line]:
    """Heads, rows, and the totals of what was written."""
    wanted = tuple(groups or DEFAULT)
    names = tuple(dict.fromkeys(name for group in wanted for name in reports.KEYS[group]))
    beside = tuple(dict.fromkeys(name for group in wanted for name in reports.BESIDE.get(group, ())))
    figures = _FIGURES if groups is None else _FIGURES + MORE_COLUMNS
    total = reports.UsageTotals()
    yield [*(_HEADS.get(name, name) for name in names), *figures, *_heads_beside(beside)]
    for row in rows:
        total += row.figures
        told = (row.beside.get(name, "") for name in beside)
        yield [*(row.keys[name] for name in names), *_numbers(row.figures, figures), *told]
    yield ["total", *[""] * (len(names) - 1), *_numbers(total, figures), *[""] * len(beside)]


def _heads_beside(names: Sequence[str]) -> list[str]:
    """Heads of what tells namesakes apart; a project's workspace has a longer one where the rows' own is told, too."""
    if "workspace_name" in names:
        return [name if name == "project_workspace" else _HEADS[name] for name in names]
    return [_HEADS[name] for name in names]


def _numbers(figures: reports.UsageTotals, names: Sequence[str]) -> list[int]:
    by_name = {
        "spent_credits": figures.settled_credits,
        "spent_idr": figures.settled_idr,
        "returned_credits": figures.released_credits,
        "still_estimated_cost_idr": figures.still_estimated_idr,
        "kept_clips": figures.kept_count,
        "rejected_clips": figures.rejected_count,
        "cost_unknown_clips": figures.cost_unknown_count,
    }
    return [by_name[name] if name in by_name else getattr(figures, name) for name in names]


LEDGER_COLUMNS = (
    "time_utc",
    "kind",
    "amount_credits",
    "available_change",
    "held_change",
    "available_after",
    "held_after",
    "generation_id",
    "actor",
    "reason",
)
CLIP_COLUMNS = ("project", "model", "prompt", "person", "workspace", "owner")
"""What is said of a movement's clip, behind the others."""


def ledger(
    rows: Iterable[LedgerEntry],
    form: SpreadsheetFormat = SpreadsheetFormat.CSV,
    clips: Mapping[str, ClipLine] | None = None,
) -> bytes:
    """A file with a line a movement, as given.

    With `clips`, which maps generation id to what is said of its clip, CLIP_COLUMNS follow.
    """
    heads = LEDGER_COLUMNS if clips is None else LEDGER_COLUMNS + CLIP_COLUMNS
    return b"".join(write(chain([heads], (_ledger_line(row, _clip_texts(clips, row)) for row in rows)), form))


def statement(
    rows: Iterable[tuple[LedgerEntry, ClipLine | None]],
    form: SpreadsheetFormat = SpreadsheetFormat.CSV,
    separator: Separator = Separator.COMMA,
) -> Iterator[bytes]:
    """The same of movements with what is said of their clips, in pieces and read as they are written."""
    lines = (_ledger_line(row, _texts_of(clip)) for row, clip in rows)
    return write(chain([LEDGER_COLUMNS + CLIP_COLUMNS], lines), form, separator)


def _ledger_line(row: LedgerEntry, clip: Sequence[str]) -> Line:
    available, held = (sign * row.amount_credits for sign in EFFECTS[row.kind])
    return [
        row.created_at,
        row.kind.value,
        row.amount_credits,
        available,
        held,
        row.available_after,
        row.held_after,
        row.generation_id or "",
        row.actor,
        row.reason,
        *clip,
    ]


def _texts_of(clip: ClipLine | None) -> Sequence[str]:
    return astuple(clip) if clip else [""] * len(CLIP_COLUMNS)


def _clip_texts(clips: Mapping[str, ClipLine] | None, row: LedgerEntry) -> Sequence[str]:
    """The last columns of a movement, empty where it is of no clip; none where nothing is said of clips."""
    if clips is None:
        return ()
    return _texts_of(clips.get(row.generation_id or ""))
