import csv
import io
from dataclasses import asdict
from datetime import date, timedelta

import pytest

from core import usage, usage_csv
from core.models import new_id, utc_now
from tests.api.conftest import Client, refusal


def test_usage_as_json(ana: Client, ben: Client) -> None:
    """A row a day and model and the totals; the last thirty days without being asked."""
    ana.finished()
    ana.finished(resolution="1080p")
    ben.finished()

    answer = ana.get("/usage").json()["usage"]

    today = utc_now().date()
    assert (answer["since"], answer["until"]) == ((today - timedelta(days=29)).isoformat(), today.isoformat())
    assert answer["rows"] == [
        {
            "day": today.isoformat(),
            "provider": "demo",
            "modelId": "demo-film",
            "completed": 2,
            "failed": 0,
            "cancelled": 0,
            "settledCredits": 115,
            "releasedCredits": 0,
            "videoSeconds": 10,
            "estimatedCostIdr": answer["rows"][0]["estimatedCostIdr"],
        }
    ]
    assert answer["totals"]["settledCredits"] == 115
    assert answer["totals"]["settledIdr"] == 5750
    assert answer["totals"]["successRate"] == 1.0


def test_usage_of_one_project(ana: Client, ben: Client) -> None:
    """A project's usage is its own; one that is not theirs does not exist."""
    first = ana.finished()
    ana.finished()

    assert ana.get(f"/usage?projectId={first.project_id}").json()["usage"]["totals"]["completed"] == 1
    assert ben.get(f"/usage?projectId={first.project_id}").status_code == 404
    assert ana.get(f"/usage?projectId={new_id()}").status_code == 404


def test_usage_as_csv(ana: Client) -> None:
    """A spreadsheet gets a header, the rows and a line of totals that adds them up."""
    ana.finished()

    answer = ana.get("/usage?format=csv&since=2026-01-01&until=2026-12-31")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="usage-2026-01-01-to-2026-12-31.csv"' in answer.headers["content-disposition"]
    assert answer.content.startswith("\ufeff".encode())


def test_csv_lines() -> None:
    """Figures stay figures, sums are right, and no text can run as a formula."""
    day = date(2026, 11, 21)
    rows = [
        usage.Row(day, "=1+1", "@sum", 1, 0, 0, 50, 0, 5, 909),
        usage.Row(day, "-x", "+y", 2, 1, 1, 100, 50, 10, 1818),
        usage.Row(day, "\tz", "demo-film", 0, 0, 0, 0, 0, 0, 0),
    ]

    data = usage_csv.write(rows, usage.totals(rows)).decode("utf-8-sig")

    assert "\r\n" in data
    lines = list(csv.DictReader(io.StringIO(data)))
    assert tuple(lines[0]) == usage_csv.COLUMNS
    assert [(line["provider"], line["model"]) for line in lines] == [
        ("'=1+1", "'@sum"),
        ("'-x", "'+y"),
        ("'\tz", "demo-film"),
        ("", ""),
    ]
    assert lines[-1]["day"] == "total"
    assert (lines[-1]["completed"], lines[-1]["spent_credits"], lines[-1]["spent_idr"]) == ("3", "150", "7500")
    assert asdict(usage.totals(rows))["estimated_cost_idr"] == int(lines[-1]["estimated_cost_idr"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=soon", "since"),
        ("since=2026-11-22&until=2026-11-21", "since"),
        ("since=2020-01-01&until=2026-11-21", "since"),
        ("until=2026-13-01", "until"),
        ("format=xlsx", "format"),
        ("from=2026-11-21", "from"),
    ],
)
def test_bad_period(ana: Client, query: str, field: str) -> None:
    """A period that cannot be is a field error."""
    status, _, fields = refusal(ana.get(f"/usage?{query}"))

    assert (status, list(fields)) == (422, [field])


def test_first_day_there_is(ana: Client) -> None:
    """The earliest day can be asked for."""
    assert ana.get("/usage?until=0001-01-01").json()["usage"]["rows"] == []
