"""The page of tables of orders: brought, checked, changed, ordered once, followed, fetched."""

import io
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from core import db
from core.billing import ledger
from core.db.enums import Status
from core.db.tables import Generation, Sheet
from core.generations.sheets import kept, ordering, progress, result
from core.generations.sheets.checked import Defaults
from core.usage.spreadsheet import SpreadsheetFormat, write
from pages.sections.sheets import editing
from tests.factories import sheets
from tests.factories.generations import finish
from tests.factories.studio import Studio
from tests.pages.conftest import Open

MODEL = "demo-film"


def keep(studio: Studio, *lines: str, **otherwise: Any) -> Sheet:
    """A table of these lines in a project of the person."""
    project = otherwise.pop("project_id", None) or studio.project().id
    defaults = Defaults(model_id=MODEL, project_id=project, **otherwise)
    return sheets.keep(db.default(), studio.person, sheets.csv_of(*lines), defaults)


def said(at: AppTest) -> str:
    """All that the page says."""
    parts = [*at.markdown, *at.caption, *at.html, *at.error, *at.toast]
    return " ".join(str(getattr(part, "value", None) or getattr(part, "body", "") or part.proto) for part in parts)


def written() -> int:
    """How many generations there are."""
    with db.read_session() as session:
        return session.scalar(select(func.count()).select_from(Generation)) or 0


def test_bring_a_file(studio: Studio, open_page: Open) -> None:
    """A file is read, kept and opened, with a model and a project for empty cells; nothing is ordered."""
    studio.project()
    at = open_page("sheets")
    assert at.title[0].value == "Batch"
    at.file_uploader[0].upload("spring.csv", b"Prompt;Client\nA lake;Acme\nRain;Bolt\n", "text/csv").run()

    with db.read_session() as session:
        [sheet] = kept.list_page(session, studio.person).sheets
    assert at.query_params["sheet"] == sheet.id
    assert sheet.name == "spring.csv"
    assert sheet.defaults["model_id"] == MODEL
    assert sheet.defaults["project_id"]
    assert at.button(key="sheet_order").label == "Order 2 clips for 100 credits"
    assert "Carried into the result: Client" in said(at)
    assert written() == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\x89PNG\r\n\0\0\0\0", "neither a CSV file"), (b"Seconds\n5\n", "No column is named Prompt")],
)
def test_bring_what_is_no_table(studio: Studio, open_page: Open, content: bytes, words: str) -> None:
    """What cannot be read is said where one looks, and the page is ready for another file."""
    at = open_page("sheets")
    at.file_uploader[0].upload("a.csv", content, "text/csv").run()
    assert words in at.error[0].value
    assert "sheet" not in at.query_params
    assert at.file_uploader[0].value is None


def test_prompt_with_lists(studio: Studio, open_page: Open) -> None:
    """A prompt with variables asks for their values, says how many prompts they make, and makes a table of them."""
    studio.project()
    at = open_page("sheets")
    at.segmented_control(key="sheets_source").set_value("prompt").run()
    assert at.button(key="sheets_expand").disabled
    at.text_area(key="sheets_prompt").set_value("A {animal} at the {place}").run()
    at.text_area(key="sheets_values_animal").set_value("fox\nheron\n").run()
    at.text_area(key="sheets_values_place").set_value("lake\nwood\nroof").run()
    assert "6 prompts" in said(at)
    at.segmented_control(key="sheets_combine").set_value("zip").run()
    assert "2 prompts" in said(at)
    at.segmented_control(key="sheets_combine").set_value("product").run()
    at.button(key="sheets_expand").click().run()
    assert at.button(key="sheet_order").label == "Order 6 clips for 300 credits"
    assert written() == 0


def test_prompt_with_an_open_brace(studio: Studio, open_page: Open) -> None:
    """What is wrong with a prompt is said before anything can be made of it."""
    at = open_page("sheets")
    at.segmented_control(key="sheets_source").set_value("prompt").run()
    at.text_area(key="sheets_prompt").set_value("A {animal at the lake").run()
    assert "A brace is not closed" in said(at)
    assert at.button(key="sheets_expand").disabled


def test_faults_are_named(studio: Studio, open_page: Open) -> None:
    """Each fault stands there by row and column with what would be right, and why nothing can be ordered yet."""
    sheet = keep(studio, "Prompt,Durasi", "A lake,5", "Rain,99", ",6")
    at = open_page("sheets", sheet=sheet.id)
    page = said(at)
    assert "2 rows need a change" in page
    for word in ("Durasi", "makes clips of 1 to 16 seconds", "1 to 16", "Write what the clip should show"):
        assert word in page
    assert at.button(key="sheet_order").disabled
    assert "or to be left out" in page


def test_projects_that_are_named_and_missing_are_made(studio: Studio, open_page: Open) -> None:
    """One press makes them all, and the rows can be ordered."""
    sheet = keep(studio, "Prompt,Project", "A lake,Dunes", "Rain,Q4")
    at = open_page("sheets", sheet=sheet.id)
    assert at.button(key="sheet_order").disabled
    assert at.button(key="sheet_make_projects").label == "Make these 2 projects"
    at.button(key="sheet_make_projects").click().run()
    assert not at.exception
    assert not at.error
    assert at.button(key="sheet_order").label == "Order 2 clips for 100 credits"
    assert not at.button(key="sheet_order").disabled


def test_leave_faulty_rows_out(studio: Studio, open_page: Open) -> None:
    """Rows with faults can be left out with one press; the others are ordered then."""
    sheet = keep(studio, "Prompt,Seconds", "A lake,5", "Rain,99")
    at = open_page("sheets", sheet=sheet.id)
    at.button(key="sheet_leave_out").click().run()
    assert at.button(key="sheet_order").label == "Order 1 clip for 50 credits"
    assert not at.button(key="sheet_order").disabled


def test_change_in_place(studio: Studio, open_page: Open) -> None:
    """A cell that was changed is kept at once, so that a reload and another session show it, and is checked anew."""
    sheet = keep(studio, "Prompt,Seconds", "A lake,5", "Rain,99")
    at = open_page("sheets", sheet=sheet.id)
    with db.write_session() as session:
        whole = kept.get(session, studio.person, sheet.id)
        table = editing.edited(kept.table_of(whole), [1], {0: {"c1": " 5 ", "_taken": True}})
        kept.revise(session, studio.person, sheet.id, table, kept.defaults_of(whole))
    at.run()
    assert at.button(key="sheet_order").label == "Order 2 clips for 100 credits"
    again = open_page("sheets", sheet=sheet.id)
    assert not again.button(key="sheet_order").disabled


def test_defaults_fill_empty_cells(studio: Studio, open_page: Open) -> None:
    """A default that is chosen above the table counts for every empty cell, and is kept with it."""
    sheet = keep(studio, "Prompt,Seconds", "A lake,", "Rain,5")
    at = open_page("sheets", sheet=sheet.id)
    at.selectbox(key=f"sheet_default_duration_seconds_{sheet.id}").set_value(10).run()
    assert at.button(key="sheet_order").label == "Order 2 clips for 125 credits"
    again = open_page("sheets", sheet=sheet.id)
    assert again.selectbox(key=f"sheet_default_duration_seconds_{sheet.id}").value == 10


def test_order_and_follow(studio: Studio, open_page: Open) -> None:
    """One press orders all of it; the page then counts, links and gives the result, and cancels what waits."""
    sheet = keep(studio, "Prompt,Client", "A lake,Acme", "=Rain,Bolt")
    at = open_page("sheets", sheet=sheet.id)
    at.button(key="sheet_order").click().run()
    assert written() == 2
    assert "0 of 2 clips have ended" in at.get("progress")[0].proto.text
    with db.read_session() as session:
        first, _second = progress.clips(session, sheet)
        assert ledger.balance(session, studio.person.workspace_id).held_credits == 100
    finish(db.default(), first.id)
    at.run()
    assert "Completed: 1" in said(at)
    assert "Charged: 50 credits" in said(at)
    at.button(key="sheet_cancel").click().run()
    with db.read_session() as session:
        assert [clip.status for clip in progress.clips(session, sheet)] == [Status.COMPLETED, Status.CANCELLED]
        assert ledger.balance(session, studio.person.workspace_id).held_credits == 0


def test_order_pressed_twice(studio: Studio, open_page: Open) -> None:
    """Two sessions that press order one batch."""
    sheet = keep(studio, "Prompt", "A lake")
    one, other = (open_page("sheets", sheet=sheet.id) for _ in range(2))
    one.button(key="sheet_order").click().run()
    other.button(key="sheet_order").click().run()
    assert [error.value for error in other.error] == []
    assert written() == 1


def test_order_what_somebody_changed(studio: Studio, open_page: Open) -> None:
    """What is ordered is what was shown: a change by somebody else in between is said, and nothing is ordered."""
    sheet = keep(studio, "Prompt,Seconds", "A lake,5")
    at = open_page("sheets", sheet=sheet.id)
    with db.write_session() as session:
        whole = kept.get(session, studio.person, sheet.id)
        table = sheets.read(b"Prompt,Seconds\nA lake,16\n")
        kept.revise(session, studio.person, sheet.id, table, kept.defaults_of(whole))
    at.button(key="sheet_order").click().run()
    assert "changed this table meanwhile" in at.error[0].value
    assert written() == 0


def test_short_of_credits(studio: Studio, open_page: Open) -> None:
    """What is missing is said in credits, and the button is not there to be pressed."""
    sheet = keep(studio, "Prompt,Seconds,Variations", *(f"{n},16,20" for n in range(60)))
    at = open_page("sheets", sheet=sheet.id)
    assert at.button(key="sheet_order").disabled
    assert "more than you have" in said(at)


def test_brought_again(studio: Studio, open_page: Open) -> None:
    """The same file again leads to what it has ordered."""
    studio.project()
    content = ("spring.csv", b"Prompt\nA lake\n", "text/csv")
    at = open_page("sheets")
    at.file_uploader[0].set_value(content).run()
    at.button(key="sheet_order").click().run()
    again = open_page("sheets")
    again.file_uploader[0].set_value(content).run()
    assert "0 of 1 clips have ended" in again.get("progress")[0].proto.text
    assert written() == 1


def test_sheet_that_is_not_there(studio: Studio, open_page: Open) -> None:
    """An address of another workspace's table says so, and leads back."""
    at = open_page("sheets", sheet="0197a3c2-5e1b-7c40-8f21-3b9f6d2a7e10")
    assert "does not exist" in at.error[0].value
    at.button(key="sheets_back").click().run()
    assert at.file_uploader


def test_template_is_a_table(studio: Studio) -> None:
    """The template that is offered can be brought as it is."""
    project = studio.project()
    for form in SpreadsheetFormat:
        data = b"".join(write(result.template(model_id=MODEL, project=project.name), form))
        table = sheets.read(data)
        with db.read_session() as session:
            checked = ordering.check(
                session, studio.person, table, Defaults(project_id=project.id, model_id=MODEL), configured={"demo"}
            )
        assert checked.faulty == []
        assert checked.clip_count == 2
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.active is not None
