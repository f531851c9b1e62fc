"""A small table that its reader sorts by any column: texts with what they sort by, and a colour where a row has one.

Sorting happens in the browser; nothing is asked of the server.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.ui.custom_element import custom_element

ROW_PX, HEAD_PX = 37, 39
"""What a row and the head come to, so that what is below does not move when the table's code is here."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its head; one of figures stands to the right, and begins with its largest when sorted."""

    head: str
    is_number: bool = False
    explained: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is read, and what it is sorted by; None sorts last whichever way. `address` is where a press of it leads."""

    text: str
    value: float | str | None = None
    address: str | None = None


_element = custom_element(__file__, "sorted_table", html='<div class="frame" role="region" tabindex="0"></div>')


def show(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell | str]],
    *,
    key: str,
    name: str,
    swatches: Sequence[int | None] = (),
    swatch_column: int = 0,
    fixed_last: int = 0,
) -> None:
    """Draw it. `swatches` are the series of a chart (`--studio-series-N`) that rows are seen as there.

    So many rows as `fixed_last` says stay at the end, as those of what is left and of the total do.
    """
    _element(
        key=key,
        data={
            "name": name,
            "columns": [{"head": at.head, "number": at.is_number, "explained": at.explained} for at in columns],
            "rows": [[_cell(cell) for cell in row] for row in rows],
            "swatches": list(swatches),
            "swatchColumn": swatch_column,
            "fixedLast": int(fixed_last),
        },
        height=HEAD_PX + ROW_PX * max(1, len(rows)),
    )


def _cell(cell: Cell | str) -> list[str | float | None]:
    if isinstance(cell, str):
        return [cell, cell.casefold()]
    return [cell.text, cell.value, *([cell.address] if cell.address else [])]
