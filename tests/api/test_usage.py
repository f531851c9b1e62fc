import csv
import io
import zipfile
from datetime import timedelta

import pytest

from core import db
from core.clock import utc_now
from core.db.enums import Role, Scope
from core.identity import users
from core.ids import new_id
from core.installation import Installation
from tests.api.conftest import Client, arrive, refusal, team_of


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


def test_usage_as_a_workbook(ana: Client) -> None:
    """The same figures as a file that opens alike wherever lists are separated by semicolons."""
    answer = ana.get("/usage?format=xlsx&since=2026-01-01&until=2026-12-31")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert 'filename="usage-2026-01-01-to-2026-12-31.xlsx"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert b"spent_credits" in archive.read("xl/worksheets/sheet1.xml")


def test_usage_as_csv(ana: Client) -> None:
    """A spreadsheet gets a header, the rows and a line of totals that adds them up."""
    ana.finished()

    answer = ana.get("/usage?format=csv&since=2026-01-01&until=2026-12-31")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="usage-2026-01-01-to-2026-12-31.csv"' in answer.headers["content-disposition"]
    assert answer.content.startswith("\ufeff".encode())


def test_usage_by_chosen_groups(ana: Client) -> None:
    """Rows hold what was grouped by, names beside ids, and all figures; JSON and CSV say the same as the ledger."""
    row = ana.finished()
    ana.finished(resolution="1080p")

    query = "/usage?groupBy=month&groupBy=project"
    answer = ana.get(query).json()["usage"]
    written = ana.get(f"{query}&format=csv").content.decode("utf-8-sig")

    first = next(found for found in answer["rows"] if found["projectId"] == row.project_id)
    assert set(first) >= {"month", "projectId", "projectName", "settledCredits", "costIdr", "marginIdr", "keptSeconds"}
    assert not {"day", "modelId", "provider", "userId"} & set(first)
    assert sum(found["settledCredits"] for found in answer["rows"]) == answer["totals"]["settledCredits"] == 115
    assert answer["totals"]["costIdr"] == 115 * 50 - answer["totals"]["marginIdr"]
    lines = list(csv.DictReader(io.StringIO(written)))
    assert [line["project"] for line in lines[:-1]] == [found["projectName"] for found in answer["rows"]]
    assert lines[-1]["month"] == "total"
    assert (lines[-1]["spent_credits"], lines[-1]["spent_idr"]) == ("115", "5750")
    assert int(lines[-1]["margin_idr"]) == answer["totals"]["marginIdr"]


def test_everybodys_usage_is_for_administrators(ana: Client, ben: Client) -> None:
    """People see their own, also by person; administrators may see all, or one of them."""
    ana.finished()
    ben.finished()
    everybody = "/usage?people=everybody&groupBy=user"

    assert refusal(ana.get(everybody))[:2] == (403, "forbidden")
    assert refusal(ana.get(f"{everybody}&format=csv"))[:2] == (403, "forbidden")
    [own] = ana.get("/usage?groupBy=user").json()["usage"]["rows"]
    assert (own["userEmail"], own["settledCredits"]) == ("ana@example.org", 50)
    make_admin("ben@example.org")
    found = ben.get(everybody).json()["usage"]["rows"]
    assert sorted(row["userEmail"] for row in found) == ["ana@example.org", "ben@example.org"]
    [one] = ben.get(f"{everybody}&userId={own['userId']}").json()["usage"]["rows"]
    assert one["userEmail"] == "ana@example.org"


def test_everybodys_usage_needs_a_token_of_scope_admin(installation: Installation) -> None:
    """An administrator's token that only reads sees their own figures, and nobody else's by any of the routes."""
    reader = arrive("root@example.org", scope=Scope.READ)
    make_admin("root@example.org")

    assert reader.get("/usage").status_code == 200
    for path in ("/usage?", "/usage/month?", "/usage/what-if?withModelId=veo3&", "/usage/models?"):
        assert refusal(reader.get(f"{path}people=everybody"))[:2] == (403, "forbidden")


def test_usage_of_one_model(ana: Client) -> None:
    """Model and provider narrow the figures."""
    ana.finished()

    assert ana.get("/usage?modelId=demo-film&provider=demo").json()["usage"]["totals"]["completed"] == 1
    assert ana.get("/usage?modelId=veo3").json()["usage"]["totals"]["completed"] == 0


def make_admin(email: str) -> None:
    """Give somebody the role."""
    with db.write_session() as session:
        users.get(session, email).role = Role.ADMIN


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=soon", "since"),
        ("since=2026-11-22&until=2026-11-21", "since"),
        ("since=2020-01-01&until=2026-11-21", "since"),
        ("until=2026-13-01", "until"),
        ("format=pdf", "format"),
        ("groupBy=colour", "groupBy"),
        ("people=others", "people"),
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


def test_usage_of_a_team_tells_people_and_workspaces_by_name(ana: Client, ben: Client) -> None:
    """In a team figures are grouped by person for everybody; names come beside ids, and nothing else changes."""
    ana, ben = team_of(ana, ben)
    project_id = ana.finished().project_id
    ben.finished(project_id=project_id)

    rows = ana.get("/usage?groupBy=user").json()["usage"]["rows"]
    [whole] = ana.get("/usage?groupBy=workspace").json()["usage"]["rows"]
    assert ana.person is not None
    [mine] = ana.get(f"/usage?groupBy=project&userId={ana.person.id}").json()["usage"]["rows"]

    assert {(row["userEmail"], row["userName"]) for row in rows} == {
        ("ana@example.org", "ana"),
        ("ben@example.org", "ben"),
    }
    assert (whole["workspaceId"], whole["workspaceName"], whole["completed"]) == (ana.workspace_id, "Lakes", 2)
    assert (mine["projectWorkspace"], mine["projectOwner"], mine["completed"]) == ("Lakes", "ana", 1)
