"""How cells and columns of vendors' statements are read, and what is said of those that cannot be."""

import contextlib
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.providers import registry
from core.statements import cells, result_file
from core.statements.cells import CellError
from core.statements.columns import VENDOR_WORDS, Field, Settings, guess
from core.statements.reading import MAX_LINES, StatementFile
from core.usage import spreadsheet
from core.usage.spreadsheet import Separator, SpreadsheetFormat


@pytest.mark.parametrize(
    ("text", "decimal", "micro"),
    [
        ("0.35", ".", 350_000),
        ("$0.35", ".", 350_000),
        ("USD 1,234.5", ".", 1_234_500_000),
        ("0,35", ",", 350_000),
        ("1.234,50", ",", 1_234_500_000),
        ("Rp 5.775", ",", 5_775_000_000),
        ("Rp5,775", ".", 5_775_000_000),
        ("12 345 678", ".", 12_345_678_000_000),
        ("-0.35", ".", -350_000),
        ("\u22120.35", ".", -350_000),
        ("(0.35)", ".", -350_000),
        ("+2", ".", 2_000_000),
        (".5", ".", 500_000),
        ("3.5E-5", ".", 35),
        ("0.0000005", ".", 0),
        ("0.0000015", ".", 2),
    ],
)
def test_amount(text: str, decimal: str, micro: int) -> None:
    """An amount in millionths, however it is written."""
    assert cells.amount(text, decimal=decimal) == micro


@pytest.mark.parametrize(
    "text", ["", "free", "1.2.3", "1,23", "=1+1", "12,34.5", "0.35 EUR", "--1", "1,2345.00", "\u0661.5", "5.-1"]
)
def test_amount_that_cannot_be_read(text: str) -> None:
    """It is refused, and never guessed."""
    with pytest.raises(CellError) as refused:
        cells.amount(text, decimal=".")
    assert refused.value.message.code == "statement_amount_unreadable"


def test_amount_that_is_too_large() -> None:
    """Nobody is billed a thousand million for a clip."""
    with pytest.raises(CellError) as refused:
        cells.amount("1e9", decimal=".")
    assert refused.value.message.code == "statement_amount_too_large"


@given(st.integers(-(10**14), 10**14), st.sampled_from([".", ","]))
def test_amount_is_read_as_it_was_written(micro: int, decimal: str) -> None:
    """Whatever has six decimals is read to the last of them."""
    sign, rest = "-" if micro < 0 else "", abs(micro)
    text = f"{sign}{rest // 10**6}{decimal}{rest % 10**6:06}"
    assert cells.amount(text, decimal=decimal) == micro


NOON = datetime(2026, 10, 31, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-10-31T12:05:00Z", NOON),
        ("2026-10-31 12:05", NOON),
        ("2026-10-31 12:05:00 UTC", NOON),
        ("2026-10-31T19:05:00+07:00", NOON),
        ("2026-10-31T19:05:00.000+0700", NOON),
        ("31/10/2026 12:05", NOON),
        ("31.10.2026 12:05:00", NOON),
        ("2026/10/31 12:05:00", NOON),
        ("Oct 31, 2026 12:05 PM", NOON),
        ("Oct 31, 2026, 12:05:00", NOON),
        ("31 October 2026 12:05", NOON),
        (str(int(NOON.timestamp())), NOON),
        (str(int(NOON.timestamp()) * 1000), NOON),
    ],
)
def test_moment(text: str, at: datetime) -> None:
    """A moment as vendors and spreadsheets write them; where none is named, the zone is the statement's."""
    assert cells.moment(text, zone=UTC, day_first=True) == (at, at)


def test_day_without_a_time() -> None:
    """A day is from its first moment to that of the next, in the statement's zone."""
    begins_at, ends_at = cells.moment("10/31/2026", zone=ZoneInfo("Asia/Jakarta"), day_first=False)
    assert begins_at == datetime(2026, 10, 30, 17, tzinfo=UTC)
    assert ends_at - begins_at == timedelta(days=1)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "31/31/2026", "2026-10-31 25:00", "0", "99999999999999"])
def test_moment_that_cannot_be_read(text: str) -> None:
    """It is refused."""
    with pytest.raises(CellError) as refused:
        cells.moment(text, zone=UTC, day_first=True)
    assert refused.value.message.code == "statement_time_unreadable"


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text ends otherwise."""
    for read in (
        lambda: cells.amount(text, decimal="."),
        lambda: cells.amount(text, decimal=","),
        lambda: cells.moment(text, zone=UTC, day_first=True),
        lambda: cells.currency(text),
    ):
        with contextlib.suppress(CellError):
            read()


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_file_of_any_separator(sign: str) -> None:
    """CSV with commas, semicolons or tabs; every line that is not blank is kept, with its row in the file."""
    rows = [["Request ID", "Cost", "Created at"], ["a", "0.35", "2026-10-01"], [], ["b", "none", "2026-10-02"]]
    file = StatementFile("\r\n".join(sign.join(row) for row in rows).encode())
    settings = guess("fal", "2026-10", file.heads, file.sample, None)
    assert settings.columns == {Field.JOB: "Request ID", Field.AMOUNT: "Cost", Field.TIME: "Created at"}
    lines = list(file.lines(settings))
    assert [(line.number, line.job_id, line.amount_micro) for line in lines] == [(2, "a", 350_000), (4, "b", None)]
    [problem] = lines[1].problems
    assert (problem.number, problem.head, problem.message.code) == (4, "Cost", "statement_amount_unreadable")


def test_workbook() -> None:
    """An Excel workbook is read as its texts, days and figures, too."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "created_at", "amount"])
    sheet.append(["a", datetime(2026, 10, 31, 12, 5), 0.35])  # noqa: DTZ001 -- workbooks have no zones
    data = io.BytesIO()
    book.save(data)
    file = StatementFile(data.getvalue())
    [line] = file.lines(guess("replicate", "2026-10", file.heads, file.sample, None))
    assert (line.begins_at, line.amount_micro, line.problems) == (NOON, 350_000, ())


def test_columns_are_remembered() -> None:
    """The last reading of a vendor holds as long as its columns are there."""
    kept = Settings({Field.JOB: "Nr", Field.AMOUNT: "Summe"}, decimal=",", time_zone="Asia/Jakarta")
    assert guess("fal", "2026-10", ["Nr", "Summe", "Cost"], [], kept) == kept
    other = guess("fal", "2026-10", ["Request ID", "Cost"], [["a", "0,35"]], kept)
    assert other.columns == {Field.JOB: "Request ID", Field.AMOUNT: "Cost"}
    assert (other.time_zone, other.decimal) == ("Asia/Jakarta", ",")


@pytest.mark.parametrize(
    ("amounts", "currency", "decimal"),
    [
        (["0.35", "1,234.50"], "USD", "."),
        (["0,35"], "USD", ","),
        (["1.234,50"], "USD", ","),
        (["Rp 5.775", "Rp 12.000"], "IDR", ","),
        (["Rp 5,775"], "IDR", "."),
        (["0.350"], "USD", "."),
        ([], "USD", "."),
    ],
)
def test_how_amounts_are_written(amounts: list[str], currency: str, decimal: str) -> None:
    """The sign before decimals and the currency are seen from what stands in the column."""
    found = guess("fal", "2026-10", ["Cost"], [[text] for text in amounts], None)
    assert (found.currency, found.decimal) == (currency, decimal)


def test_how_days_are_written() -> None:
    """Days stand where most of them lie in the statement's month."""
    for texts, day_first in ((["10/03/2026", "10/04/2026"], False), (["03/10/2026"], True), (["10/13/2026"], False)):
        assert guess("fal", "2026-10", ["Date"], [[text] for text in texts], None).day_first is day_first


def test_settings_that_cannot_be() -> None:
    """Each is named by its field."""
    with pytest.raises(errors.InvalidRequest) as refused:
        Settings({}, currency="EUR", decimal="!", time_zone="Moon/Base")
    assert set(refused.value.fields) == {"currency", "decimal", "timeZone"}
    both = Settings({Field.JOB: "a", Field.AMOUNT: "a", Field.TIME: "b"})
    with pytest.raises(errors.InvalidRequest) as refused:
        both.places(["a"])
    assert set(refused.value.fields) == {"amountColumn", "timeColumn"}


@pytest.mark.parametrize("data", [b"", b"\n\n", b"Cost\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..", b"PK\x03\x04nothing"])
def test_file_that_is_no_statement(data: bytes) -> None:
    """It is refused at once."""
    with pytest.raises(errors.InvalidRequest):
        StatementFile(data)


def test_file_of_too_many_lines() -> None:
    """One of more lines than can be compared is refused, not cut."""
    file = StatementFile(b"id,cost\n" + b"a,1\n" * (MAX_LINES + 1))
    with pytest.raises(errors.InvalidRequest) as refused:
        for _line in file.lines(Settings({Field.JOB: "id", Field.AMOUNT: "cost"})):
            pass
    assert refused.value.fields["file"].code == "statement_too_long"


@pytest.mark.parametrize("provider", [one.name for one in registry.providers()])
@pytest.mark.parametrize("separator", list(Separator))
def test_example_of_every_provider(provider: str, separator: Separator) -> None:
    """The example that can be downloaded is read by the guess alone, whatever language its spreadsheet has."""
    rows = result_file.example(provider, "2026-10", ["A model"])
    file = StatementFile(b"".join(spreadsheet.write(rows, SpreadsheetFormat.CSV, separator)))
    [line] = file.lines(guess(provider, "2026-10", file.heads, file.sample, None))
    assert (line.problems, line.job_id, line.amount_micro) == ((), "example-job-1", 350_000)
    assert line.begins_at is not None


def test_vendors_words_are_of_vendors_that_there_are() -> None:
    """What is said of a vendor is said of one of ours."""
    assert set(VENDOR_WORDS) <= {one.name for one in registry.providers()} | {"openaivideo", "comfyui"}
