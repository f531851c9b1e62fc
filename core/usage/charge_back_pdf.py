"""A charge-back sheet as a PDF for people: A4 with a head, a table, its sum and numbered pages; drawn in memory.

Its figures are those of `charge_back.charges`, so they come to what the CSV says. It has an end of lines, since nobody
reads more; the files for spreadsheets have none.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from core import db, errors
from core.billing import months
from core.messages import Message, Writer, message
from core.usage import charge_back, pdf_text
from core.usage.charge_back import HEADS, Charge, ChargedTo
from core.workspaces.access import Member, all_rows_for_analyst

MOST_LINES = 10_000
MEDIA_TYPE = "application/pdf"
PIECE_BYTES = 64 * 1024

_MARGIN = 48.0
_BOTTOM = 60.0
_GAP = 10.0
_SIZE, _SMALL, _LARGE = 9.0, 6.5, 20.0
_HEAD_HEIGHT, _TABLE_HEAD_HEIGHT = 104.0, 18.0
_LEADING, _SMALL_LEADING, _PADDING = 12.0, 9.5, 5.0
_FIGURES = (56.0, 80.0, 96.0)
"""Widths of clips, credits and rupiah, in points."""

_INK, _GREY, _RULE, _ACCENT = (0.10, 0.10, 0.13), (0.42, 0.42, 0.47), (0.85, 0.85, 0.88), (0.93, 0.35, 0.20)
_SHARES = {
    ChargedTo.WORKSPACE: (1.0,),
    ChargedTo.PROJECT: (0.20, 0.26, 0.32, 0.22),
    ChargedTo.COST_CENTRE: (1.0,),
}
"""How the columns of texts share what the figures leave."""

_WHOSE_ID = {ChargedTo.WORKSPACE: 0, ChargedTo.PROJECT: 2, ChargedTo.COST_CENTRE: 0}
"""Below which column an id stands."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who it is for: the words and figures of their language, the month's name in it, and now as they write it."""

    writer: Writer
    month: str
    made_at: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table: texts as they are broken, an id below them, and figures."""

    texts: Sequence[Sequence[str]]
    id: str
    figures: Sequence[str]

    @property
    def height(self) -> float:
        """In points."""
        return 2 * _PADDING + _LEADING * max(map(len, self.texts)) + (_SMALL_LEADING if self.id else 0)


def sheet(member: Member, month: str, to: ChargedTo, reader: Reader) -> Iterator[bytes]:
    """The charges of a month and their sum as a file in pieces.

    Raises as `charge_back.sheet`, and InvalidRequest for more lines than there may be, before the first of them.
    """
    with db.read_session() as session:
        all_rows_for_analyst(member)
        months.bounds(month)
        closed = charge_back.is_closed(session, month)
        charges = list(islice(charge_back.charges(session, member, month, to), MOST_LINES + 1))
    if len(charges) > MOST_LINES:
        raise errors.InvalidRequest(fields={"format": message("charge_back_too_long", limit=MOST_LINES)})
    drawn = _Sheet(to, reader, is_closed=closed).draw(charges)
    return (drawn[at : at + PIECE_BYTES] for at in range(0, len(drawn), PIECE_BYTES))


class _Sheet:
    """One file; places are points from the left and from the bottom."""

    def __init__(self, to: ChargedTo, reader: Reader, *, is_closed: bool) -> None:
        pdf_text.register()
        self._to, self._reader, self._is_closed = to, reader, is_closed
        self._size = landscape(A4) if to is ChargedTo.PROJECT else A4
        self._buffer = io.BytesIO()
        self._canvas = Canvas(self._buffer, pagesize=self._size, pageCompression=1)
        names = self._right - _MARGIN - sum(_FIGURES) - _GAP
        self._widths = [names * share for share in _SHARES[to]]

    @property
    def _right(self) -> float:
        return float(self._size[0]) - _MARGIN

    def draw(self, charges: Sequence[Charge]) -> bytes:
        """The whole file."""
        with pdf_text.DRAWING:
            return self._drawn(charges)

    def _drawn(self, charges: Sequence[Charge]) -> bytes:
        total = Charge((), sum(each.clips for each in charges), sum(each.credits for each in charges))
        last = _Row([[self._say(message("charge_back_total"))]], "", self._figures(total))
        blocks: list[_Row | str] = [*map(self._row, charges), last, *self._notes(charges)]
        pages = self._pages(blocks, last)
        title = self._say(message("charge_back_title"))
        self._canvas.setTitle(f"{title} {self._reader.month}")
        self._canvas.setCreator("AI Video Generator")
        for number, page in enumerate(pages, 1):
            top = self._head() if number == 1 else float(self._size[1]) - _MARGIN
            self._table(page, top, last)
            self._foot(number, len(pages))
            self._canvas.showPage()
        self._canvas.save()
        return self._buffer.getvalue()

    def _pages(self, blocks: Sequence[_Row | str], last: _Row) -> list[list[_Row | str]]:
        """What stands on each page; the sum never stands alone."""
        pages: list[list[_Row | str]] = [[]]
        left = float(self._size[1]) - _MARGIN - _BOTTOM - _HEAD_HEIGHT - _TABLE_HEAD_HEIGHT
        whole = float(self._size[1]) - _MARGIN - _BOTTOM - _TABLE_HEAD_HEIGHT
        for block in blocks:
            height = _SMALL_LEADING if isinstance(block, str) else block.height
            if height > left and pages[-1]:
                taken = pages[-1].pop() if block is last and len(pages[-1]) > 1 else None
                pages.append([] if taken is None else [taken])
                left = whole - (taken.height if isinstance(taken, _Row) else 0)
            pages[-1].append(block)
            left -= height
        return pages

    def _row(self, charge: Charge) -> _Row:
        keys = dict(zip(HEADS[self._to], charge.keys, strict=True))
        ids = [keys.pop(name) for name in ("workspace_id", "project_id") if name in keys]
        if "cost_centre" in keys:
            keys["cost_centre"] = keys["cost_centre"] or self._say(message("charge_back_no_cost_centre"))
        texts = [
            pdf_text.lines(pdf_text.drawable(text), _SIZE, width - _GAP)
            for text, width in zip(keys.values(), self._widths, strict=True)
        ]
        return _Row(texts, "".join(ids), self._figures(charge))

    def _figures(self, charge: Charge) -> list[str]:
        return [self._reader.writer.figure(f"{figure:,}") for figure in (charge.clips, charge.credits, charge.idr)]

    def _notes(self, charges: Sequence[Charge]) -> list[str]:
        """What could not be drawn, by its code points; each name once."""
        names = {key: pdf_text.undrawn(key) for charge in charges for key in charge.keys}
        told = [f"{pdf_text.drawable(name)} = {' '.join(points)}" for name, points in names.items() if points]
        if not told:
            return []
        wide = self._right - _MARGIN
        said = self._say(message("charge_back_undrawn", sign=pdf_text.REPLACEMENT))
        return ["", *(line for text in (said, *told) for line in pdf_text.lines(text, _SMALL, wide))]

    def _head(self) -> float:
        """Draw it; where the table begins."""
        top = float(self._size[1]) - _MARGIN
        self._canvas.setFillColorRGB(*_ACCENT)
        self._canvas.rect(_MARGIN, top - 2, 36, 3, stroke=0, fill=1)
        self._text(_MARGIN, top - 28, self._say(message("charge_back_title")), _LARGE)
        self._text(_MARGIN, top - 48, self._reader.month, 12)
        by = self._say(message(f"charge_back_by_{self._to}"))
        self._text(_MARGIN, top - 64, by, _SIZE, _GREY)
        state = message("charge_back_closed") if self._is_closed else message("charge_back_open")
        self._text(_MARGIN, top - 78, self._say(state), _SIZE, _GREY)
        return top - _HEAD_HEIGHT

    def _table(self, page: Sequence[_Row | str], top: float, last: _Row) -> None:
        at = top
        if any(isinstance(block, _Row) for block in page):
            self._heads(top)
            at -= _TABLE_HEAD_HEIGHT
        for block in page:
            if isinstance(block, str):
                at -= _SMALL_LEADING
                self._text(_MARGIN, at, block, _SMALL, _GREY)
                continue
            self._rule(at, _INK if block is last else _RULE)
            self._one(block, at)
            at -= block.height

    def _heads(self, top: float) -> None:
        names = [name for name in HEADS[self._to] if not name.endswith("_id")]
        at, base = _MARGIN, top - 12
        for name, width in zip(names, self._widths, strict=True):
            self._text(at, base, self._say(message(f"charge_back_column_{name}")), _SMALL + 1, _GREY)
            at += width
        for name, right in zip(("clips", "credits", "rupiah"), self._rights(), strict=True):
            self._text(right, base, self._say(message(f"charge_back_column_{name}")), _SMALL + 1, _GREY, is_right=True)

    def _one(self, row: _Row, top: float) -> None:
        at, base = _MARGIN, top - _PADDING - 9
        for text, width in zip(row.texts, self._widths, strict=False):
            for nth, line in enumerate(text):
                self._text(at, base - nth * _LEADING, line, _SIZE)
            at += width
        if row.id:
            below = base - (max(map(len, row.texts)) - 1) * _LEADING - _SMALL_LEADING
            self._text(_MARGIN + sum(self._widths[: _WHOSE_ID[self._to]]), below, row.id, _SMALL, _GREY)
        for figure, right, width in zip(row.figures, self._rights(), _FIGURES, strict=True):
            fitting = min(_SIZE, _SIZE * (width - 4) / max(1.0, pdf_text.width(figure, _SIZE)))
            self._text(right, base, figure, fitting, is_right=True)

    def _rights(self) -> tuple[float, float, float]:
        """Where the figures end."""
        _clips, credits, rupiah = _FIGURES
        return self._right - rupiah - credits, self._right - rupiah, self._right

    def _foot(self, number: int, pages: int) -> None:
        self._text(_MARGIN, 34, self._say(message("charge_back_made", moment=self._reader.made_at)), _SMALL + 1, _GREY)
        page = self._say(message("charge_back_page", number=number, pages=pages))
        self._text(self._right, 34, page, _SMALL + 1, _GREY, is_right=True)

    def _rule(self, at: float, colour: tuple[float, float, float]) -> None:
        self._canvas.setStrokeColorRGB(*colour)
        self._canvas.setLineWidth(0.6)
        self._canvas.line(_MARGIN, at, self._right, at)

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: tuple[float, float, float] = _INK,
        *,
        is_right: bool = False,
    ) -> None:
        self._canvas.setFillColorRGB(*colour)
        self._canvas.setFont(pdf_text.TYPEFACE, size)
        (self._canvas.drawRightString if is_right else self._canvas.drawString)(x, y, text)

    def _say(self, said: Message) -> str:
        return pdf_text.drawable(self._reader.writer.write(said))
