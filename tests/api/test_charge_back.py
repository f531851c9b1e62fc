"""Charge-back sheets over REST: the same figures for spreadsheets and for people, for who sees everybody's."""

import csv
import io
import re
from datetime import timedelta

import pytest
from pypdf import PdfReader

from core import db
from core.billing import months
from core.clock import utc_now
from core.db.enums import Role
from core.identity import users
from tests.api.conftest import Client, arrive, refusal
from tests.factories.books import set_back

MONTH = months.of(utc_now() - timedelta(days=62))


@pytest.fixture
def analyst(ana: Client) -> Client:
    """Who sees everybody's figures."""
    found = arrive("analyst@example.org")
    with db.write_session() as session:
        users.get(session, "analyst@example.org").role = Role.ANALYST
    return found


def test_pdf_by_format_and_by_accept(ana: Client, analyst: Client) -> None:
    """Both give the file, with the sum of the CSV; without either it is the CSV, as before."""
    ana.finished()
    ana.finished()
    set_back(MONTH)
    address = f"/charge-back?month={MONTH}&by=project"
    as_csv = analyst.get(address)
    by_format, by_accept = (
        analyst.get(f"{address}&format=pdf"),
        analyst.get(address, headers={"Accept": "application/pdf"}),
    )
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    *_lines, last = csv.DictReader(io.StringIO(as_csv.content.decode("utf-8-sig")))
    for answer in (by_format, by_accept):
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"].startswith(
            f'attachment; filename="charge-back-{MONTH}-by-project.pdf"'
        )
        [page] = PdfReader(io.BytesIO(answer.content)).pages
        text = page.extract_text()
        figures = re.findall(r"[\d,]+", text[text.rindex("Total") :])[:3]
        assert figures == [f"{int(last[name]):,}" for name in ("clips", "credits", "idr")] == ["2", "100", "5,000"]
        assert f"{months.bounds(MONTH)[0]:%B %Y}" in text


def test_pdf_for_others(ana: Client) -> None:
    """It is refused as the CSV is."""
    assert refusal(ana.get(f"/charge-back?month={MONTH}&format=pdf"))[0] == 403
