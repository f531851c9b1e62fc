"""Charge-back sheets as PDF: read back, they say what the CSV says, and lose no name."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from sqlalchemy import update

from core import errors
from core.billing import months
from core.clock import utc_now
from core.db import Database
from core.db.engine import using
from core.db.tables import Project
from core.messages import Writer
from core.usage import charge_back, charge_back_pdf, closing, pdf_text
from core.usage.charge_back import Charge, ChargedTo
from core.workspaces.access import Member
from pages.ui import catalogues
from tests.factories.books import set_back
from tests.factories.generations import create_completed
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team_of, now

MONTH = months.of(utc_now() - timedelta(days=62))
ENGLISH = charge_back_pdf.Reader(Writer(), "October 2026", "2026-11-30 08:00 UTC")


@pytest.fixture
def default(database: Database) -> Iterator[None]:
    """What opens sessions of its own opens them here."""
    with using(database):
        yield


@pytest.fixture
def admin(database: Database, default: None) -> Member:
    """Who asks."""
    return create_admin(database)


def pages(member: Member, to: ChargedTo, reader: charge_back_pdf.Reader = ENGLISH, month: str = MONTH) -> list[str]:
    """The text of each page."""
    data = b"".join(charge_back_pdf.sheet(member, month, to, reader))
    return [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]


def drawn(charges: Sequence[Charge], to: ChargedTo) -> PdfReader:
    """A sheet of made-up charges."""
    sheet = charge_back_pdf._Sheet(to, ENGLISH, is_closed=False)
    return PdfReader(io.BytesIO(sheet.draw(charges)))


def totals(member: Member, to: ChargedTo) -> list[str]:
    """Clips, credits and rupiah of the last line of the CSV, as English writes them."""
    data = b"".join(charge_back.sheet(member, MONTH, to))
    *_lines, last = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    return [f"{int(last[name]):,}" for name in ("clips", "credits", "idr")]


def figures_of(text: str, line: str) -> list[str]:
    """The figures that stand behind the line that begins with these words."""
    return re.findall(r"[\d.,]+", text[text.rindex(line) + len(line) :])[:3]


@pytest.mark.both_databases
def test_pdf_says_what_the_csv_says(database: Database, person: Member, admin: Member) -> None:
    """The sum and each name, by workspace, project and cost centre; it tells the month, its state and its pages."""
    film = create_project(database, person, name="Phim Hà Nội").id
    other = create_member(database, "ben@example.org")
    team = create_team_of(database, other, name="Киностудия", credits=1_000)
    there = now(database, other, team)
    create_completed(database, person, project_id=film)
    create_completed(database, person, project_id=film, resolution="1080p")
    create_completed(database, there)
    set_back(MONTH)
    for to in ChargedTo:
        [text] = pages(admin, to)
        assert figures_of(text, "Total") == totals(admin, to)
        assert "October 2026" in text
        assert "The month is open: these figures can still change." in text
        assert "Made on 2026-11-30 08:00 UTC" in text
        assert "Page 1 of 1" in text
        assert pdf_text.REPLACEMENT not in text
    [text] = pages(admin, ChargedTo.PROJECT)
    assert "Phim Hà Nội" in text
    assert film in text
    assert "Киностудия" in text
    assert "No cost centre" in text


def test_pdf_of_a_closed_month_in_indonesian(database: Database, person: Member, admin: Member) -> None:
    """It says that its figures are final, in the reader's words and figures."""
    create_completed(database, person)
    set_back(MONTH)
    with database.write_session() as session:
        closing.close(session, admin, MONTH)
    reader = charge_back_pdf.Reader(catalogues.writer("id"), "November 2026", "30 Nov 2026, 11:50 WIB")
    [text] = pages(admin, ChargedTo.WORKSPACE, reader)
    assert "Pembebanan biaya" in text
    assert "November 2026" in text
    assert "Bulan ini sudah ditutup" in text
    assert figures_of(text, "Total") == ["1", "50", "2.500"]


def test_names_without_signs_are_told(database: Database, person: Member, admin: Member) -> None:
    """What the typeface lacks is replaced and told by its code points; what only looks like a formula is as it is."""
    project = create_project(database, person, name="x").id
    create_completed(database, person, project_id=project)
    with database.write_session() as session:
        session.execute(update(Project).where(Project.id == project).values(name="=1+1 湖 שלום"))
    set_back(MONTH)
    [text] = pages(admin, ChargedTo.PROJECT)
    assert "=1+1 □ □□□□" in text
    assert "U+6E56 U+05E9 U+05DC U+05D5 U+05DD" in text
    assert "Signs that this file cannot show" in text


def test_long_sheet() -> None:
    """Each line stands once, on numbered pages with their heads; the sum never stands alone."""
    for number in range(15, 75, 3):
        made = [Charge((f"Workspace {nth:04}", f"id-{nth:04}"), nth, nth * 1000) for nth in range(1, number + 1)]
        read = drawn(made, ChargedTo.WORKSPACE)
        texts = [page.extract_text() for page in read.pages]
        whole = "\n".join(texts)
        assert [int(nth) for nth in re.findall(r"Workspace (\d{4})", whole)] == list(range(1, number + 1))
        assert [text.count(f"Page {nth} of {len(texts)}") for nth, text in enumerate(texts, 1)] == [1] * len(texts)
        assert "Workspace 0" in texts[-1]
        expected = [sum(range(number + 1)), sum(range(number + 1)) * 1000, sum(range(number + 1)) * 50_000]
        assert figures_of(texts[-1], "Total") == [f"{figure:,}" for figure in expected]


def test_a4() -> None:
    """Upright, and across for the many columns of projects."""
    for to, keys in ((ChargedTo.COST_CENTRE, ("CC-1",)), (ChargedTo.PROJECT, ("", "W", "P", "O", "id"))):
        box = drawn([Charge(keys, 1, 50)], to).pages[0].mediabox
        assert sorted((round(float(box.width)), round(float(box.height)))) == [595, 842]
        assert (box.width > box.height) is (to is ChargedTo.PROJECT)


@given(st.text(max_size=130))
def test_any_name_is_drawn_and_none_is_lost(name: str) -> None:
    """Whatever a workspace is called, the file can be read, and each sign of it is there or told."""
    text = drawn([Charge((name, "id"), 1, 50)], ChargedTo.WORKSPACE).pages[0].extract_text()
    for point in pdf_text.undrawn(name):
        assert point in text
    shown = pdf_text.drawable(name)
    assert shown.count(pdf_text.REPLACEMENT) >= len(pdf_text.undrawn(name))
    for word in shown.split():
        assert word[:10] in text


@given(st.text(max_size=200), st.floats(40, 400))
def test_lines_hold_every_word_and_fit(text: str, within: float) -> None:
    """Nothing is left out, and no line is wider than its column."""
    shown = pdf_text.drawable(text)
    found = pdf_text.lines(shown, 9, within)
    assert "".join(found).replace(" ", "") == shown.replace(" ", "")
    assert all(pdf_text.width(line, 9) <= within for line in found)


def test_sheets_drawn_at_once() -> None:
    """Files that are made at the same time do not mix: each has its own names and sum."""
    names = ["Lakes", "Công ty Điện ảnh", "Киностудия", "Ελληνική"]

    def make(nth: int) -> str:
        made = [Charge((f"{names[nth % 4]} {row}", f"id-{row}"), 1, 50) for row in range(30)]
        return "\n".join(page.extract_text() for page in drawn(made, ChargedTo.WORKSPACE).pages)

    with ThreadPoolExecutor(4) as pool:
        for nth, text in enumerate(pool.map(make, range(8))):
            assert [text.count(name) for name in names] == [30 if at == nth % 4 else 0 for at in range(4)]
            assert figures_of(text, "Total") == ["30", "1,500", "75,000"]


def test_pdf_for_others(database: Database, person: Member, admin: Member) -> None:
    """Who may not see everybody's figures is refused, and so is what is no month."""
    with pytest.raises(errors.Forbidden):
        charge_back_pdf.sheet(person, MONTH, ChargedTo.PROJECT, ENGLISH)
    with pytest.raises(errors.InvalidRequest):
        charge_back_pdf.sheet(admin, "2026-13", ChargedTo.PROJECT, ENGLISH)
