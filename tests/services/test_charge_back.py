"""Charge-back sheets: every credit charged in a month stands in one line, whoever is charged."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest

from core import errors
from core.billing import months
from core.clock import utc_now
from core.db import Database
from core.db.engine import using
from core.projects import projects, transfer
from core.usage import charge_back, closing
from core.usage.charge_back import ChargedTo
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.workspaces.access import Member
from tests.factories.books import set_back
from tests.factories.generations import create_completed, create_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team_of, now

pytestmark = pytest.mark.both_databases

MONTH = months.of(utc_now() - timedelta(days=62))


@pytest.fixture(autouse=True)
def default(database: Database) -> Iterator[None]:
    """What opens sessions of its own opens them here."""
    with using(database):
        yield


@pytest.fixture
def admin(database: Database) -> Member:
    """Who asks."""
    return create_admin(database)


def sheet(member: Member, to: ChargedTo, month: str = MONTH) -> list[dict[str, str]]:
    """The lines of a sheet, as an Indonesian spreadsheet reads them."""
    data = b"".join(charge_back.sheet(member, month, to, SpreadsheetFormat.CSV, Separator.SEMICOLON))
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_sheet_by_whatever(database: Database, person: Member, admin: Member) -> None:
    """Charges are added up by workspace, project and cost centre, alike in sum; holds and returns are none."""
    other = create_member(database, "ben@example.org")
    lakes, hills = (create_project(database, person, name=name).id for name in ("Lakes", "=Hills"))
    for project_id in (lakes, lakes, hills):
        create_completed(database, person, project_id=project_id)
    create_completed(database, other)
    create_generation(database, person)
    with database.write_session() as session:
        projects.update(session, person, lakes, cost_centre="  CC-1  ")
    set_back(MONTH)
    create_completed(database, person)

    by = {to: sheet(admin, to) for to in ChargedTo}
    assert {(line["clips"], line["credits"], line["idr"]) for lines in by.values() for line in lines[-1:]} == {
        ("4", "200", "10000")
    }
    assert sorted(line["credits"] for line in by[ChargedTo.WORKSPACE][:-1]) == ["150", "50"]
    of_project = {line["project_id"]: line for line in by[ChargedTo.PROJECT]}
    assert (of_project[lakes]["credits"], of_project[lakes]["cost_centre"]) == ("100", "CC-1")
    assert of_project[hills]["project"] == "'=Hills"
    assert {line["cost_centre"]: line["credits"] for line in by[ChargedTo.COST_CENTRE]} == {
        "": "100",
        "CC-1": "100",
        "total": "200",
    }
    assert {line["month_is_closed"] for line in by[ChargedTo.WORKSPACE]} == {"no"}
    assert [line["credits"] for line in sheet(admin, ChargedTo.PROJECT, "2001-01")] == ["0"]


def test_sheet_of_a_closed_month(database: Database, person: Member, admin: Member) -> None:
    """It comes to what was written down at the closing, whatever becomes of projects, and says that it is final."""
    row = create_completed(database, person)
    with database.write_session() as session:
        projects.update(session, person, row.project_id, cost_centre="CC-1")
    set_back(MONTH)
    with database.write_session() as session:
        closed = closing.close(session, admin, MONTH)
    team = create_team_of(database, person, name="Lakes", credits=0)
    with database.write_session() as session:
        transfer.transfer(session, now(database, person), row.project_id, to_workspace_id=team, quota_bytes=None)

    for to in ChargedTo:
        lines = sheet(admin, to)
        assert [line["credits"] for line in lines] == ["50", "50"]
        assert {line["month_is_closed"] for line in lines} == {"yes"}
    assert closed.totals["ledger"]["settle"] == 50
    assert sheet(admin, ChargedTo.WORKSPACE)[0]["workspace_id"] == person.workspace_id
    assert sheet(admin, ChargedTo.COST_CENTRE)[0]["cost_centre"] == "CC-1"


def test_sheet_for_others(person: Member, admin: Member) -> None:
    """Who may not see everybody's figures is refused before the first byte, and so is what is no month."""
    with pytest.raises(errors.Forbidden):
        charge_back.sheet(person, MONTH, ChargedTo.PROJECT)
    with pytest.raises(errors.InvalidRequest):
        charge_back.sheet(admin, "2026-13", ChargedTo.PROJECT)


def test_cost_centre_when_it_cannot_be(person: Member, database: Database) -> None:
    """A cost centre is a short text in one line."""
    project = create_project(database, person)
    for wrong in ("x" * 61, "\0"):
        with pytest.raises(errors.InvalidRequest) as raised, database.write_session() as session:
            projects.update(session, person, project.id, cost_centre=wrong)
        assert list(raised.value.fields) == ["costCentre"]
