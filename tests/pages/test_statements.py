"""The statement desk: a file is brought, its columns are chosen and remembered, and differences are accepted."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest

from core import db
from core.billing import months
from core.clock import utc_now
from core.db.enums import Role
from core.db.tables import CostAdjustment, User, VendorStatement
from tests.factories.statements import Clip, build_file, create_clips, line_of, upload
from tests.factories.studio import Studio
from tests.factories.workspaces import create_admin
from tests.pages.conftest import Open, sent, widget

PAST = months.of(utc_now().replace(day=1) - timedelta(days=1))
"""Last month, which the page begins with."""
TENTH = months.bounds(PAST)[0] + timedelta(days=9)
CLIPS = [Clip(f"job-{nth}", TENTH + timedelta(hours=nth)) for nth in range(3)]
FILE = "Rechnung;Kosten;Wann;Was\n" + "".join(
    f"{clip.job_id};{price};{clip.sent_at:%d.%m.%Y %H:%M:%S};{clip.model_id}\n"
    for clip, price in zip(CLIPS, ("0,35", "0,50", "?"), strict=True)
)


def become(role: Role) -> None:
    """Let the one person be this in the installation."""
    with db.write_session() as session:
        session.execute(update(User).values(role=role))


def rows(at: AppTest) -> list[dict[str, Any]]:
    """The lines of the table, each cell by its head."""
    found = sent(at, "sorted_table") or {}
    heads = [column["head"] for column in found["columns"]]
    return [dict(zip(heads, (cell[0] for cell in row), strict=True)) for row in found["rows"]]


def field(at: AppTest, part: str) -> Any:
    """A field of the file that was brought, whose key has more in it."""
    [found] = [one for one in at.selectbox if one.key and one.key.startswith(f"statements_{part}_")]
    return found


def test_statement_is_brought_and_accepted(open_page: Open, studio: Studio) -> None:
    """Columns that no word tells are chosen and known the next time; a difference is accepted with a word."""
    create_clips(db.default(), studio.person, CLIPS)
    at = open_page("usage", show="statements")
    assert not at.error
    widget(at, "statements_provider").set_value("demo").run()
    at.file_uploader[0].upload("october.csv", FILE.encode(), "text/csv").run()
    assert not at.exception
    field(at, "column_job").set_value("Rechnung").run()
    field(at, "column_amount").set_value("Kosten").run()
    field(at, "column_time").set_value("Wann").run()
    field(at, "column_model").set_value("Was").run()
    field(at, "decimal").set_value(",").run()
    assert "Row 4, column Kosten" in at.warning[0].value
    widget(at, "statements_compare").click().run()

    assert not at.error, [one.value for one in at.error]
    assert [row["Row"] for row in rows(at)] == ["3", "4"], "what did not match comes first"
    widget(at, "usage_outcome").set_value("all").run()
    assert [(row["Row"], row["What it is"], row["Difference, Rp"]) for row in rows(at)] == [
        ("2", "Matched", "–"),
        ("3", "Price differs", "2,475"),
        ("4", "Unreadable", "–"),
    ]
    assert "1 difference waits for a word." in " ".join(one.value for one in at.markdown)
    widget(at, "statements_accept_every").check().run()
    widget(at, "statements_accept_button").click().run()
    assert "why" in at.error[0].value
    widget(at, "statements_accept_reason").set_value("their new price").run()
    widget(at, "statements_accept_button").click().run()
    assert not at.error
    assert [row["Note"] for row in rows(at)][1] == "Accepted"
    with db.read_session() as session:
        [booked] = session.scalars(select(CostAdjustment)).all()
        [statement] = session.scalars(select(VendorStatement)).all()
    assert (booked.amount_idr, booked.reason) == (2_475, "their new price")
    assert statement.settings["columns"]["job"] == "Rechnung"

    at.file_uploader[0].upload("again.csv", FILE.encode(), "text/csv").run()
    assert field(at, "column_job").value == "Rechnung"
    assert field(at, "decimal").value == ","

    widget(at, "statements_undo_every").check().run()
    widget(at, "statements_undo_reason").set_value("a mistake").run()
    widget(at, "statements_undo_button").click().run()
    with db.read_session() as session:
        assert sum(one.amount_idr for one in session.scalars(select(CostAdjustment))) == 0


def test_nothing_yet(open_page: Open, studio: Studio) -> None:
    """An installation without a statement says what there could be, and has the field for one open."""
    at = open_page("usage", show="statements")
    assert "No statement was compared yet" in str([one.value for one in at.markdown])
    assert widget(at, "statements_provider").value
    assert at.file_uploader
    assert sent(at, "sorted_table") is None
    assert studio.person


def test_analyst_looks(open_page: Open, studio: Studio) -> None:
    """An analyst sees what was found, with a link to clips of their own workspace, and no button that changes it."""
    create_clips(db.default(), studio.person, CLIPS)
    said = [line_of(CLIPS[0]), line_of(CLIPS[1], amount="0.50"), line_of(CLIPS[2])]
    upload(db.default(), create_admin(db.default()), build_file(said), month=PAST)
    become(Role.ANALYST)
    at = open_page("usage", show="statements", outcome="price_differs")
    assert [row["Job ID"] for row in rows(at)] == ["job-1"]
    assert not at.file_uploader
    assert not [one for one in at.button if str(one.key).startswith("statements_")]
    become(Role.USER)
    again = open_page("usage", show="statements")
    assert sent(again, "sorted_table") is None or "Job ID" not in str(sent(again, "sorted_table"))
