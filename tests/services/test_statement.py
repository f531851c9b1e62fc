"""The statement of a workspace: which movements are in a month, with what balances, and how spreadsheets read it."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from core import db, errors
from core.billing import ledger, months
from core.clock import utc_now
from core.db import Database
from core.db.engine import using
from core.db.enums import Role
from core.db.tables import LedgerEntry
from core.usage import export, statement
from core.usage.spreadsheet import LINES_A_PIECE, Line, Separator, SpreadsheetFormat, write
from core.workspaces.access import Member
from tests.factories.books import booked_at
from tests.factories.generations import create_completed
from tests.factories.users import create_member
from tests.services.test_export import entry

pytestmark = pytest.mark.both_databases

OCTOBER = datetime(2026, 10, 31, 23, 59, 59, 999_999, tzinfo=UTC)
HERE = statement.ClipLine("Lakes", "Demo Film", "A lake", "Ana", "Film", "Ben")


@pytest.fixture(autouse=True)
def default(database: Database) -> Iterator[None]:
    """What opens sessions of its own opens them here."""
    with using(database):
        yield


def book(person: Member, key: str, credits: int, at: datetime) -> None:
    """A grant of this moment."""
    with db.write_session() as session:
        ledger.grant(session, person.id, credits=credits, key=key, actor="root", reason=key)
    booked_at(key, at)


def reasons(person: Member, month: str | None, **how: int) -> list[str]:
    """Why each movement of a statement was, in its order."""
    return [row.reason for row, _clip in statement.of_period(person, month, **how)]


def test_month_begins_and_ends_in_utc(person: Member) -> None:
    """The last moment of a month is in it, the first of the next is not; a month in which nothing moved is empty."""
    with db.write_session() as session:
        session.execute(update(LedgerEntry).values(created_at=OCTOBER - timedelta(days=40)))
    book(person, "last", 5, OCTOBER)
    book(person, "first", 7, OCTOBER + timedelta(microseconds=1))

    assert reasons(person, "2026-10") == ["last"]
    assert reasons(person, "2026-11") == ["first"]
    assert reasons(person, "2026-08") == []
    assert len(reasons(person, None)) == 3
    assert reasons(person, None, newest=2) == ["last", "first"]
    with db.read_session() as session:
        found = statement.period(session, person, "2026-10")
        later = statement.period(session, person, "2026-12")
        known = statement.known_months(session, person, now=datetime(2026, 12, 1, tzinfo=UTC))
        page = ledger.entries(session, person.workspace_id, month="2026-10")
    assert (found.opening.available_credits, found.closing.available_credits) == (10_000, 10_005)
    assert (found.credited, found.charged) == (5, 0)
    assert (later.opening, later.closing, later.credited) == (ledger.Balance(10_012, 0), later.opening, 0)
    assert known == ["2026-12", "2026-11", "2026-10", "2026-09"]
    assert [row.reason for row in page] == ["last"]


@pytest.mark.parametrize("role", list(Role))
def test_months_of_all_workspaces_are_known_to_who_sees_all_figures(person: Member, role: Role) -> None:
    """Analysts and administrators, whose own workspace is young or empty, are offered every month of the books."""
    book(person, "first", 5, OCTOBER)
    reader = create_member(db.default(), "finance@example.org", credits=0, role=role)
    with db.read_session() as session:
        known = statement.known_months(session, reader, now=datetime(2026, 12, 1, tzinfo=UTC))
    assert known == ([] if role is Role.USER else ["2026-12", "2026-11", "2026-10"])


def test_statement_when_it_is_read_in_parts(person: Member) -> None:
    """However many there are, each movement is there once, in order, and nobody else's; its clip is told."""
    create_completed(db.default(), person)
    stranger = create_member(db.default(), "ben@example.org")
    with db.write_session() as session:
        for number in range(1_100):
            ledger.grant(session, person.id, credits=1, key=f"g{number}", actor="root", reason=str(number))
            if number % 100 == 0:
                ledger.grant(session, stranger.id, credits=1, key=f"s{number}", actor="root", reason="not theirs")
    rows = list(statement.of_period(person, months.of(utc_now())))

    assert [row.reason for row, _clip in rows if row.reason.isdigit()] == [str(number) for number in range(1_100)]
    assert len({row.id for row, _clip in rows}) == len(rows) == 1_103
    assert [clip.model for _row, clip in rows if clip] == ["Demo Film", "Demo Film"]


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "", "0000-01", "10000-01", "9999-12", "2026-10\n"])
def test_month_when_it_is_none(person: Member, month: str) -> None:
    """What is no month of the calendar is a field error."""
    with pytest.raises(errors.InvalidRequest) as raised:
        statement.of_period(person, month)
    assert list(raised.value.fields) == ["month"]


READERS = (",", ";", "\t", "|")
signs = st.text(st.sampled_from(";,\t|\r\n\"' =+-@＝＋－＠1a"), max_size=12)


@given(texts=st.lists(signs, min_size=3, max_size=3), separator=st.sampled_from(Separator), quotes=st.booleans())
def test_no_text_is_a_formula_whatever_a_reader_takes_for_the_separator(
    texts: list[str], separator: Separator, quotes: bool
) -> None:
    """Written with any usual separator and read with any other, no cell begins as a formula does."""
    actor, reason, prompt = texts
    line = (entry(actor=actor, reason=reason), statement.ClipLine(*[prompt] * 6))
    written = b"".join(export.statement([line], SpreadsheetFormat.CSV, separator)).decode("utf-8-sig")

    for reader in READERS:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
        for cells in csv.reader(io.StringIO(written, newline=""), delimiter=reader, quoting=quoting):
            for cell in cells:
                assert not cell.strip(' "').startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    head, row = csv.reader(io.StringIO(written, newline=""), delimiter=separator.sign)
    assert head == [*export.LEDGER_COLUMNS, *export.CLIP_COLUMNS]
    assert [cell.replace("'", "") for cell in row[8:11]] == [text.replace("'", "") for text in (actor, reason, prompt)]


def test_semicolons_go_with_commas_in_decimals() -> None:
    """A number with decimals is one for spreadsheets that take the semicolon; whole numbers are the same everywhere."""
    lines: list[Line] = [["a", "b"], [1.5, -20_000]]
    assert b"".join(write(lines, SpreadsheetFormat.CSV, Separator.SEMICOLON)).decode("utf-8-sig") == (
        "a;b\r\n1,5;-20000\r\n"
    )
    assert b"".join(write(lines, SpreadsheetFormat.CSV, Separator.TAB)).decode("utf-8-sig") == "a\tb\r\n1.5\t-20000\r\n"


def test_statement_as_workbook() -> None:
    """Times are times and figures are figures there, and a prompt that looks like a formula is a text."""
    line = (entry(), statement.ClipLine("Lakes", "Demo Film", "=1+1", "Ana", "Film", "Ben"))
    data = b"".join(export.statement([line], SpreadsheetFormat.XLSX))
    head, row = openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True)  # type: ignore[union-attr]  # it has a sheet
    found = dict(zip(head, row, strict=True))

    assert found["time_utc"] == datetime(2026, 11, 21, 23, 59, 59)  # noqa: DTZ001 -- workbooks know no zones
    assert (found["amount_credits"], found["available_after"], found["prompt"]) == (5, 5, "=1+1")


def test_statement_is_written_while_it_is_read() -> None:
    """A piece is out before the next rows are fetched, so that memory stays flat however long it is."""
    fetched = 0

    def rows() -> Iterator[tuple[LedgerEntry, statement.ClipLine | None]]:
        nonlocal fetched
        for _number in range(5 * LINES_A_PIECE):
            fetched += 1
            yield entry(), HERE

    pieces = export.statement(rows())
    next(pieces)
    assert fetched <= LINES_A_PIECE
    assert sum(piece.count(b"\r\n") for piece in pieces) == 4 * LINES_A_PIECE + 1


def test_balances_follow_one_another(person: Member) -> None:
    """Of every line the balance after it is that of the line before and its own change."""
    create_completed(db.default(), person)
    data = b"".join(export.statement(statement.of_period(person), SpreadsheetFormat.CSV, Separator.SEMICOLON))
    lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))

    assert [line["kind"] for line in lines] == ["grant", "hold", "settle"]
    available = 0
    for line in lines:
        available += int(line["available_change"])
        assert int(line["available_after"]) == available
