import csv
import io
from datetime import date

from streamlit import dataframe_util

from core import db, ledger, usage, usage_csv
from core.models import EntryKind, utc_now
from tests.pages.conftest import Open
from tests.pages.studio import Studio


def test_without_anything_ended_the_page_says_so(open_page: Open, studio: Studio) -> None:
    """An empty period has a way out."""
    at = open_page("usage")
    assert not at.error
    assert any("Nothing ended in this time" in text.value for text in at.markdown)


def test_figures_equal_the_ledger(open_page: Open, studio: Studio) -> None:
    """Spent and given back are what the ledger settled and released."""
    project = studio.project()
    studio.complete(studio.order(project, "one"))
    studio.complete(studio.order(project, "two", model_id="seedance-t2v"))
    studio.fail(studio.order(project, "three"))
    with db.session(read_only=True) as session:
        entries = ledger.entries(session, studio.person.id)
    settled = sum(entry.amount_credits for entry in entries if entry.kind is EntryKind.SETTLE)
    released = sum(entry.amount_credits for entry in entries if entry.kind is EntryKind.RELEASE)
    at = open_page("usage")
    assert not at.error
    shown = {metric.label: metric.value for metric in at.metric}
    assert (settled, released) == (450, 50)
    assert shown["Spent credits"] == f"{settled:,}"
    assert shown["Credits given back"] == f"{released:,}"
    assert shown["Clips"] == "2"
    assert shown["Success rate"] == "67%"
    assert shown["Seconds of video"] == "10"


def test_chart_stacks_the_days_by_model(open_page: Open, studio: Studio) -> None:
    """The bars add up to what was spent and carry words for those who cannot see them."""
    project = studio.project()
    studio.complete(studio.order(project, "one"))
    studio.complete(studio.order(project, "two", model_id="seedance-t2v"))
    chart = open_page("usage").get("vega_lite_chart")[0].proto
    values = dataframe_util.convert_arrow_bytes_to_pandas_df(chart.data.data)
    assert set(zip(values["model"], values["credits"], strict=True)) == {("Demo Film", 50), ("Seedance T2V", 400)}
    assert "450 credits in all" in chart.alt


def test_period_is_kept_to(open_page: Open, studio: Studio) -> None:
    """Every period ends today, so what ended today is in all of them."""
    studio.complete(studio.order(studio.project(), "one"))
    at = open_page("usage")
    at.radio(key="usage_period").set_value("7").run()
    assert {metric.label: metric.value for metric in at.metric}["Clips"] == "1"
    at.radio(key="usage_period").set_value("own").run()
    at.date_input(key="usage_dates").set_value((date(2026, 1, 1), date(2026, 1, 2))).run()
    assert any("Nothing ended in this time" in text.value for text in at.markdown)


def test_csv_cannot_run_anything_in_a_spreadsheet() -> None:
    """A text that begins like a formula is quoted, a figure stays a figure."""
    row = usage.Row(utc_now().date(), "=cmd()", "+model", 1, 0, 0, 50, 0, 5, 909)
    read = next(csv.DictReader(io.StringIO(usage_csv.write([row], usage.totals([row])).decode("utf-8-sig"))))
    assert (read["provider"], read["model"], read["spent_credits"]) == ("'=cmd()", "'+model", "50")
    assert read["spent_idr"] == "2500"
