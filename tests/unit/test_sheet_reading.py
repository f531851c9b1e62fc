"""Files that people order from: every separator, encoding and oddity that spreadsheets write, and what is refused."""

import io
import zipfile
from datetime import date, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from core import errors
from core.generations.sheets import columns, delimited, reading, workbook
from core.generations.sheets.columns import Column
from core.generations.sheets.tables import MAX_CELL_CHARS, MAX_FILE_BYTES, Table
from core.usage.spreadsheet import csv_chunks, xlsx_chunks
from tests.factories.sheets import csv_of, read, workbook_of

LINES = ("Prompt,Seconds,Client", "A lake at dawn,5,Ácme", "Rain on a roof,8,Zürich")
CELLS = [("A lake at dawn", "5", "Ácme"), ("Rain on a roof", "8", "Zürich")]


def cells(table: Table) -> list[tuple[str, ...]]:
    """The texts of its lines."""
    return [line.cells for line in table.lines]


def why(data: bytes, *, max_rows: int = 10) -> str:
    """The code of the sentence with which a file is refused."""
    with pytest.raises(errors.InvalidRequest) as refused:
        read(data, max_rows=max_rows)
    return refused.value.fields["file"].code


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_read_csv_in_every_separator_and_encoding(separator: str, encoding: str) -> None:
    """What a spreadsheet saves as CSV is read as it stood there."""
    table = read(csv_of(*LINES, separator=separator).decode().encode(encoding))

    assert table.heads == ("Prompt", "Seconds", "Client")
    assert cells(table) == CELLS
    assert [note.code for note in table.notes] == (["sheet_was_cp1252"] if encoding == "cp1252" else [])


@pytest.mark.parametrize("mark", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n"])
def test_read_csv_with_a_named_separator(mark: str) -> None:
    """The line by which Excel is told the separator is no row, as Excel does not show it either."""
    table = read(mark.encode() + csv_of("Prompt,Seconds", "a,5", separator=";"))
    assert [(line.number, line.cells) for line in table.lines] == [(2, ("a", "5"))]


def test_read_csv_with_quotes_and_line_breaks() -> None:
    """Separators, quotation marks and line breaks within a cell stay; rows are numbered as a spreadsheet shows them."""
    data = b'Prompt,Note\n"A lake,\nat ""dawn""",first\n\n"second; yes",x\n'
    table = read(data)
    assert [(line.number, line.cells) for line in table.lines] == [
        (2, ('A lake,\nat "dawn"', "first")),
        (4, ("second; yes", "x")),
    ]


def test_read_when_commas_stand_in_prompts() -> None:
    """The separator is the one that the heads are written with, however many commas the prompts have."""
    table = read(b"Prompt;Seconds\na, b, c, d;5\ne, f, g, h;5\n")
    assert cells(table) == [("a, b, c, d", "5"), ("e, f, g, h", "5")]


def test_read_workbook() -> None:
    """Numbers have no point that nobody wrote, a time is hours and minutes, rows keep their numbers."""
    rows: list[list[Any]] = [
        [],
        ["Prompt", "Seconds", "Ratio", "Seed", "Sound", "Day", "Long"],
        ["A lake", 5.0, time(16, 9), 1e9, True, date(2026, 9, 16), timedelta(hours=32, minutes=9)],
        [],
        ["Rain", 7.5, "9:16", None, False, None, None],
    ]
    table = read(workbook_of(rows))

    assert [(line.number, line.cells) for line in table.lines] == [
        (3, ("A lake", "5", "16:09", "1000000000", "TRUE", "2026-09-16", "32:09")),
        (5, ("Rain", "7.5", "9:16", "", "FALSE", "", "")),
    ]


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")'])
def test_formula_stays_text(text: str) -> None:
    """Nothing is computed, in no kind of file, also not from what a workbook says its value is."""
    quoted = text.replace('"', '""')
    assert cells(read(f'Prompt\n"{quoted}"\n'.encode())) == [(text,)]
    assert cells(read(workbook_of([["Prompt"], [text]]))) == [(text,)]


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).map(str.strip))
def test_what_is_written_is_read_again(text: str) -> None:
    """A text comes back as it was from our own files, where no cell of it was a formula."""
    lines = [["Prompt", "Seconds"], [text, "5"]]
    expected = [(text, "5")]
    assert cells(read(b"".join(xlsx_chunks(lines)))) == expected
    written = b"".join(csv_chunks(lines))
    if not any(sign in text[1:] for sign in "=+-@\uff1d\uff0b\uff0d\uff20"):  # CSV marks what follows a separator, too
        again = cells(read(written))
        assert again == expected or text.startswith("'")


def test_columns_by_other_names() -> None:
    """Columns are known in English and Indonesian, in any case, order and spelling; others are carried along."""
    heads = ("klien", "DURASI", "Rasio Aspek", "start_image", "modelId", "Suara", "perintah", "Proyek", "Catatan")
    assert columns.places(heads) == {
        Column.SECONDS: 1,
        Column.RATIO: 2,
        Column.START_IMAGE: 3,
        Column.MODEL: 4,
        Column.SOUND: 5,
        Column.PROMPT: 6,
        Column.PROJECT: 7,
        Column.NOTE: 8,
    }
    assert columns.unknown(heads) == ["klien"]


def test_columns_when_two_say_the_same() -> None:
    """Of a column's own name and another word for it the name counts; of two words nobody knows which is meant."""
    assert columns.places(("text", "Prompt")) == {Column.PROMPT: 1}
    assert columns.unknown(("text", "Prompt")) == ["text"]
    assert why(b"Prompt,Seconds,Prompt\na,5,b\n") == "sheet_column_twice"
    assert why(b"Prompt,durasi,length\na,5,6\n") == "sheet_column_twice"


def test_no_word_is_taken_for_two_columns() -> None:
    """Every word over a column means one thing."""
    words = [
        (columns.key(word), column)
        for column in Column
        for word in {columns.HEADS[column], column.value, *columns._FURTHER[column]}
    ]
    meant: dict[str, set[Column]] = {}
    for word, column in words:
        meant.setdefault(word, set()).add(column)
    assert {word for word, found in meant.items() if len(found) > 1} == set()


def test_result_columns_are_left_aside() -> None:
    """A result sheet can be brought again: what we wrote beside the columns is not carried along twice."""
    heads = ",".join(("Prompt", "Client", *columns.RESULT_HEADS))
    table = read(f"{heads}\na,Acme,failed,0,,,Too busy\n".encode())
    assert table.heads == ("Prompt", "Client")
    assert cells(table) == [("a", "Acme")]


def test_read_names_columns_without_one() -> None:
    """A column without a name has one, and one name stands over one column; blank columns go."""
    table = read(b"Prompt,,Client,Client,\na,b,c,d,\n")
    assert table.heads == ("Prompt", "Column 2", "Client", "Client (2)")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "sheet_empty"),
        (b" \n\n", "sheet_empty"),
        (b",,\n,\n", "sheet_empty"),
        (b"Prompt\n", "sheet_without_lines"),
        (b"Name,Seconds\na,5\n", "sheet_without_prompts"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01", "sheet_is_no_table"),
        (b"Prompt\nab\0c\n", "sheet_is_no_table"),
        (b"\xff\xfea", "sheet_is_no_table"),
        (b"Prompt\n\x81\x8d\n", "sheet_is_no_table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "sheet_is_old_excel"),
        (b"PK\x03\x04 and no more", "sheet_is_damaged"),
        (b"Prompt\n" + b"a\n" * 11, "sheet_too_long"),
        (b"Prompt," + b"x," * 101 + b"\na\n", "sheet_too_wide"),
        (b"Prompt\n" + b"a" * (MAX_CELL_CHARS + 1), "sheet_cell_too_long"),
        (b'Prompt\n"' + b"a" * (5 * MAX_CELL_CHARS) + b'"\n', "sheet_is_no_table"),
    ],
)
def test_read_when_it_cannot_be(data: bytes, code: str) -> None:
    """Each is refused with a sentence that says what to do."""
    assert why(data) == code


def test_read_when_the_file_is_too_large() -> None:
    """A file is refused before it is looked into."""
    with pytest.raises(errors.TooLarge):
        reading.read(b"a" * (MAX_FILE_BYTES + 1), max_rows=10)


def zip_of(**parts: bytes) -> bytes:
    """A ZIP of these parts; in their names `__` is a slash and `_` a point."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return target.getvalue()


def test_read_workbook_that_is_a_bomb() -> None:
    """A small file that unpacks to a lot is refused unread."""
    bomb = zip_of(xl__workbook_xml=b"<workbook/>", xl__worksheets__sheet1_xml=b"0" * (workbook.MAX_UNPACKED_BYTES + 1))
    assert len(bomb) < 200_000
    assert why(bomb) == "sheet_unpacks_too_large"
    many = zip_of(xl__workbook_xml=b"<workbook/>", **{f"part{n}": b"" for n in range(workbook.MAX_PARTS)})
    assert why(many) == "sheet_unpacks_too_large"


def test_read_workbook_with_entities() -> None:
    """XML that would grow by its own entities is refused."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "lollollol">{laughs}]><workbook>&l9;</workbook>'
    good = io.BytesIO(workbook_of([["Prompt"], ["a"]]))
    target = io.BytesIO()
    with zipfile.ZipFile(good) as before, zipfile.ZipFile(target, "w") as after:
        for part in before.infolist():
            data = xml.encode() if part.filename == "xl/workbook.xml" else before.read(part)
            after.writestr(part.filename, data)
    assert why(target.getvalue()) == "sheet_is_damaged"


def test_read_workbook_of_another_kind() -> None:
    """Other files that are ZIPs are no workbooks."""
    assert why(zip_of(word__document_xml=b"<document/>")) == "sheet_is_no_table"
    assert why(zip_of(xl__workbook_xml=b"<workbook/>")) == "sheet_is_damaged"


def test_read_workbook_that_says_it_is_huge() -> None:
    """What a workbook says of its own size, and cells far away, cost nothing."""
    book = Workbook()
    assert book.active is not None
    book.active["A1"], book.active["A2"] = "Prompt", "a"
    book.active["XFD1048576"] = "far away"
    target = io.BytesIO()
    book.save(target)
    assert cells(read(target.getvalue())) == [("a",)]


def test_read_workbook_takes_the_first_visible_sheet() -> None:
    """Sheets that people do not see are not what they mean."""
    book = Workbook()
    assert book.active is not None
    book.active.title, book.active.sheet_state = "lists", "hidden"
    shown = book.create_sheet("Orders")
    shown.append(["Prompt"])
    shown.append(["a"])
    target = io.BytesIO()
    book.save(target)
    assert cells(read(target.getvalue())) == [("a",)]


def test_digest_tells_contents_apart() -> None:
    """The same content has the same digest in whatever file it came; a changed cell has another."""
    table = read(csv_of(*LINES))
    assert table.digest() == read(csv_of(*LINES, separator=";").decode().encode("utf-16")).digest()
    assert table.digest() == read(workbook_of([line.split(",") for line in LINES])).digest()
    others = [
        read(csv_of(*LINES[:-1], "Rain on a roof,9,Zürich")).digest(),
        read(csv_of(*LINES[:-1])).digest(),
        Table(table.heads, (table.lines[0], type(table.lines[1])(3, table.lines[1].cells, True))).digest(),
        table.digest(defaults={"model_id": "veo3"}),
    ]
    assert len({table.digest(), *others}) == 5
    assert Table.from_json(table.heads, table.lines_to_json()).digest() == table.digest()


def test_rows_of_text_with_a_nul() -> None:
    """A text that no database keeps is no table."""
    with pytest.raises(errors.InvalidRequest):
        list(delimited.rows("Prompt\n\0"))
