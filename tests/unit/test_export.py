import csv
import io
import math
import zipfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Literal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.usage import export, reports, spreadsheet
from core.usage.reports import Group, Row, UsageTotals

DAY = {"day": "2026-11-21", "provider": "demo", "model_id": "demo-film"}
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
figures = st.lists(st.integers(0, 10**12), min_size=12, max_size=12).map(lambda numbers: UsageTotals(*numbers))


def read(pieces: Iterable[bytes]) -> list[list[str]]:
    """The lines that a spreadsheet makes of it."""
    return list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))


@given(texts=st.lists(st.tuples(words, words), max_size=5), numbers=st.data())
def test_write_whatever_the_texts_are(texts: list[tuple[str, str]], numbers: st.DataObject) -> None:
    """Quotes, commas and line ends in names neither make nor move a field, and totals add up what stands above."""
    rows = [Row({"project_id": key, "project_name": name}, numbers.draw(figures)) for key, name in texts]

    head, *lines, total = read(export.usage(rows, [Group.PROJECT]))

    assert head == ["project_id", "project", *export.COLUMNS[3:], *export.MORE_COLUMNS, "workspace", "owner"]
    assert [tuple(text.replace("'", "") for text in line[:2]) for line in lines] == [
        tuple(text.replace("'", "") for text in pair) for pair in texts
    ]
    assert total[:2] == ["total", ""]
    for column in range(2, len(head) - 2):
        if "reported_cost_idr" not in head[column] and head[column] not in ("cost_idr", "margin_idr"):
            assert int(total[column]) == sum(int(line[column]) for line in lines)


@given(text=words)
def test_harmless_of_any_text(text: str) -> None:
    """Nothing begins as a formula does, only a quote is ever added, and doing it twice is doing it once."""
    found = spreadsheet.escape_formula(text)

    assert not found.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert found.replace("'", "") == text.replace("'", "")
    assert spreadsheet.escape_formula(found) == found


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("＝1", "'＝1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("\tx", "'\tx"),
        (" =1", " '=1"),
        ("a;=1+1;b", "a;'=1+1;b"),
        ("a| -1|b", "a| '-1|b"),
        ('say "=1"', 'say "\'=1"'),
        ("a = b, c-d, e@f.example", "a = b, c-d, e@f.example"),
    ],
)
def test_write_when_a_name_is_a_formula(text: str, written: str) -> None:
    """In every column of words it is made plain text, while figures stay figures, negative ones among them."""
    row = Row(DAY | {"provider": text, "model_id": text}, UsageTotals(completed=1, estimated_cost_idr=-5))

    _head, line, _total = read(export.usage([row]))

    assert line[1:3] == [written] * 2
    assert (line[3], line[-1]) == ("1", "-5")


def test_write_in_its_first_form() -> None:
    """Without groups the columns are those that scripts know since the first version, each with its own figure."""
    row = Row(DAY, UsageTotals(1, 2, 3, 40, 50, 60, 70, estimate_replaced_idr=7, reported_cost_microusd=9))

    assert read(export.usage([row]))[:2] == [
        list(export.COLUMNS),
        ["2026-11-21", "demo", "demo-film", "1", "2", "3", "40", "2000", "50", "60", "70"],
    ]


def test_write_of_all_figures() -> None:
    """With groups each figure stands in the column of its name; cost and margin are what usage says they are."""
    known = UsageTotals(1, 2, 3, 40, 50, 60, 70, 7, 900, 11, 12, 13, 14, 15, 16, 17)

    head, line, total = read(export.usage([Row({"month": "2026-11"}, known)], [Group.MONTH]))

    found = dict(zip(head, line, strict=True))
    assert (found["kept_clips"], found["kept_seconds"], found["rejected_clips"]) == ("11", "12", "13")
    assert found["reported_cost_idr"] == "14"
    assert (found["estimate_from_price_idr"], found["wasted_cost_idr"], found["cost_unknown_clips"]) == (
        "15",
        "16",
        "17",
    )
    assert (found["reported_cost_microusd"], found["still_estimated_cost_idr"]) == ("900", "63")
    assert (found["reported_cost_idr"], found["cost_idr"], found["margin_idr"]) == tuple(
        str(value) for value in (known.reported_cost_idr, known.cost_idr, known.margin_idr)
    )
    assert total[1:] == line[1:]


def test_write_when_a_group_is_asked_for_twice() -> None:
    """What two groups have in common is one column."""
    row = Row({"provider": "demo", "model_id": "demo-film"}, UsageTotals())

    head = read(export.usage([row], [Group.PROVIDER, Group.MODEL, Group.PROVIDER]))[0]

    assert head[:3] == ["provider", "model", "completed"]


def test_write_of_nothing() -> None:
    """Without rows there are a head and totals of zero."""
    assert read(export.usage([])) == [list(export.COLUMNS), ["total", "", "", *["0"] * 8]]
    assert b"".join(export.usage([])).startswith("\ufeffday,".encode())


def test_write_comes_in_pieces() -> None:
    """However many rows there are, few are held at once: a piece is out before the next rows are fetched."""
    fetched = 0

    def rows() -> Iterator[reports.Row]:
        nonlocal fetched
        for number in range(2000):
            fetched += 1
            yield Row({"month": str(number)}, UsageTotals(completed=1))

    pieces, fetched_at = [], [0]
    for piece in export.usage(rows(), [Group.MONTH]):
        pieces.append(piece)
        fetched_at.append(fetched)

    assert all(after - before <= spreadsheet.LINES_A_PIECE for before, after in pairwise(fetched_at))
    lines = read(pieces)
    assert [line[0] for line in lines] == ["month", *(str(number) for number in range(2000)), "total"]
    assert lines[-1][1] == "2000"
    assert b"".join(pieces).count("\ufeff".encode()) == 1


@pytest.mark.parametrize("count", [0, 1, spreadsheet.LINES_A_PIECE, spreadsheet.LINES_A_PIECE + 1])
def test_table_around_the_size_of_a_piece(count: int) -> None:
    """No line is lost or written twice where one piece ends, and lines end as RFC 4180 says."""
    written = b"".join(spreadsheet.csv_chunks([number, None] for number in range(count)))

    assert written.decode("utf-8-sig") == "".join(f"{number},\r\n" for number in range(count))


DELIMITERS = (",", ";", "\t", "|")
signs = st.text(st.sampled_from(";,\t|\r\n\"' =+-@＝＋－＠1a"), max_size=12)


@given(texts=st.lists(signs, min_size=1, max_size=4), delimiter=st.sampled_from(DELIMITERS), quotes=st.booleans())
def test_write_when_a_reader_has_another_separator(texts: list[str], delimiter: str, quotes: bool) -> None:
    """Whatever a reader takes for the separator, with quotation marks or without, it sees no formula in a text."""
    rows = [Row(DAY | {"provider": text, "model_id": text}, UsageTotals(completed=1)) for text in texts]
    written = b"".join(export.usage(rows)).decode("utf-8-sig")

    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    for line in csv.reader(io.StringIO(written, newline=""), delimiter=delimiter, quoting=quoting):
        for cell in line:
            assert not cell.strip(' "').startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))


def sheet(data: bytes) -> list[list[str | float | None]]:
    """The cells of the one sheet of a workbook (ECMA-376, SpreadsheetML): texts as texts, numbers as numbers."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not [name for name in archive.namelist() if "sheet2" in name]
        root = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314 -- our own
    assert not list(root.iter(f"{space}f")), "no formula"
    found: list[list[str | float | None]] = []
    for row in root.iter(f"{space}row"):
        cells: list[str | float | None] = []
        for cell in row.iter(f"{space}c"):
            column = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(str(cell.get("r")).rstrip("0123456789"))
            cells += [None] * (column - len(cells))
            if cell.get("t") == "inlineStr":
                cells.append("".join(text.text or "" for text in cell.iter(f"{space}t")))
            else:
                cells.append(float(str(cell.findtext(f"{space}v"))))
        found.append(cells)
    return found


@given(
    text=st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=9
    ),
    number=st.integers(-(10**12), 10**12),
)
def test_workbook_keeps_texts_and_numbers(text: str, number: int) -> None:
    """A text stands in its cell as it is, also one that looks like a formula, a number or a link; a number is one."""
    lines: list[spreadsheet.Line] = [
        ["head", "n"],
        [text, number],
        ["=1+1", None],
        ["007", -1.5],
        ["https://a.example", math.nan],
    ]

    assert sheet(b"".join(spreadsheet.xlsx_chunks(lines))) == [
        ["head", "n"],
        [text, number],
        ["=1+1"],
        ["007", -1.5],
        ["https://a.example"],
    ]


def test_workbook_of_usage() -> None:
    """It holds the same as the CSV file."""
    row = Row(DAY, UsageTotals(1, 2, 3, 40, 50, 60, 70))
    cells = sheet(b"".join(export.usage([row], form=spreadsheet.SpreadsheetFormat.XLSX)))

    assert cells[0] == list(export.COLUMNS)
    assert cells[1] == ["2026-11-21", "demo", "demo-film", 1, 2, 3, 40, 2000, 50, 60, 70]


@pytest.mark.parametrize("lines", [[], [["only", "heads"]]])
def test_workbook_of_nothing(lines: list[list[str]]) -> None:
    """Without lines it is a workbook all the same."""
    assert sheet(b"".join(spreadsheet.xlsx_chunks(lines))) == lines


def test_workbook_when_a_text_is_longer_than_a_cell() -> None:
    """It is cut where the cell ends; the file still opens."""
    [[text]] = sheet(b"".join(spreadsheet.xlsx_chunks([["x" * 40_000]])))
    assert text == "x" * spreadsheet.CELL_CHARS


def test_workbook_when_there_are_more_lines_than_a_sheet_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """They go on in the next sheet, under the same heads."""
    monkeypatch.setattr(spreadsheet, "SHEET_LINES", 3)
    data = b"".join(spreadsheet.xlsx_chunks([["n"], *([number] for number in range(5))]))

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = sorted(name for name in archive.namelist() if "worksheets/sheet" in name)
        rows = [archive.read(name).count(b"<row ") for name in sheets]
    assert rows == [3, 3, 2]
