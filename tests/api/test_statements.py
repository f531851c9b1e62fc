"""Vendors' statements over REST: brought, looked through and taken into costs, for administrators."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from core import db
from core.billing import months
from core.clock import utc_now
from core.db.enums import Role
from core.db.tables import User
from core.installation import Installation
from tests.api.conftest import Client, arrive, refusal
from tests.factories.statements import Clip, create_clips

PAST = months.of(utc_now() - timedelta(days=62))
TENTH = months.bounds(PAST)[0] + timedelta(days=9)
CLIPS = [Clip(f"job-{nth}", TENTH + timedelta(hours=nth)) for nth in range(3)]


@pytest.fixture
def admin(installation: Installation) -> Client:
    """An administrator, whose clips these are."""
    client = arrive("root@example.org")
    assert client.person is not None
    create_clips(db.default(), client.person, CLIPS)
    with db.write_session() as session:
        session.execute(update(User).where(User.id == client.person.id).values(role=Role.ADMIN))
    return client


def bring(client: Client, *amounts: str, heads: str = "id,created_at,cost", **fields: str) -> Any:
    """The answer to a statement of the clips at these prices."""
    lines = [f"{clip.job_id},{clip.sent_at.isoformat()},{amount}" for clip, amount in zip(CLIPS, amounts, strict=True)]
    data = {"provider": "demo", "month": PAST} | fields
    return client.post("/statements", files={"file": ("o.csv", "\n".join([heads, *lines]).encode())}, data=data)


def test_statement_is_compared_and_accepted(admin: Client) -> None:
    """Counts and money, the lines a page at a time and as a file, and a difference that is booked once."""
    answer = bring(admin, "0.35", "0.50", "=1+1")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert {one["outcome"]: one["lines"] for one in found["outcomes"] if one["lines"]} == {
        "matched": 1,
        "price_differs": 1,
        "unreadable": 1,
    }
    assert found["statement"]["columns"] == {"job": "id", "time": "created_at", "amount": "cost"}
    path = f"/statements/{found['statement']['id']}"
    first = admin.get(f"{path}/lines", params={"limit": 1}).json()
    rest = admin.get(f"{path}/lines", params={"cursor": first["nextCursor"]}).json()
    lines = [*first["lines"], *rest["lines"]]
    assert [line["row"] for line in lines] == [2, 3, 4]
    assert lines[2]["problems"][0]["column"] == "cost"
    sheet = list(csv.reader(io.StringIO(admin.get(f"{path}/lines", params={"format": "csv"}).text.lstrip("\ufeff"))))
    assert [row[1] for row in sheet[1:]] == ["matched", "price_differs", "unreadable"]
    assert not [cell for row in sheet for cell in row if cell.startswith(("=", "+", "@"))]

    body = {"lineIds": [lines[1]["id"]], "reason": "their new price"}
    for booked in (1, 0):
        accepted = admin.post(f"{path}/accept", json=body).json()
        assert accepted == {"success": True, "bookedLines": booked, "bookedIdr": 2_475 * booked}
    first_day = f"{PAST}-01"
    last_day = (months.bounds(PAST)[1] - timedelta(days=1)).date().isoformat()
    asked = {"since": first_day, "until": last_day, "people": "everybody", "groupBy": "model"}
    usage = admin.get("/usage", params=asked).json()["usage"]
    assert usage["totals"]["adjustedCostIdr"] == 2_475
    assert refusal(admin.send("DELETE", path))[:2] == (409, "conflict")
    assert admin.post(f"{path}/undo", json=body).json()["bookedIdr"] == -2_475
    assert admin.get(path).json()["bookedIdr"] == 0


def test_vendors_cost_without_a_clip_in_usage(admin: Client) -> None:
    """It is in the figures of everybody, where who and where are null, and the rows are the total."""
    heads = "id,created_at,cost"
    lines = f"{heads}\nnot-ours,{TENTH.isoformat()},1.00"
    data = {"provider": "demo", "month": PAST}
    found = admin.post("/statements", files={"file": ("o.csv", lines.encode())}, data=data).json()
    path = f"/statements/{found['statement']['id']}"
    [line] = admin.get(f"{path}/lines", params={"outcome": "theirs_only"}).json()["lines"]
    accepted = admin.post(f"{path}/accept", json={"lineIds": [line["id"]], "reason": "a test of ours"})
    assert accepted.json()["bookedIdr"] == 16_500
    asked = {"since": f"{PAST}-01", "until": f"{PAST}-28", "people": "everybody", "groupBy": ["project", "user"]}
    rows = admin.get("/usage", params=asked).json()["usage"]["rows"]
    [row] = [row for row in rows if row["adjustedCostIdr"]]
    assert (row["projectId"], row["userId"], row["costIdr"]) == (None, None, 16_500)


def test_settings_of_a_file(admin: Client) -> None:
    """Columns and how amounts are written can be named; what cannot be is a field of the refusal."""
    refused = bring(admin, "0.35", "0.35", "0.35", heads="a,b,c")
    status, code, fields = refusal(refused)
    assert (status, code, sorted(fields)) == (422, "invalid_request", ["amountColumn", "jobColumn"])
    named = bring(
        admin, "0.35", "0.35", "0.35", heads="a,b,c", jobColumn="a", timeColumn="b", amountColumn="c", timeZone="UTC"
    )
    assert named.status_code == 200, named.text
    assert bring(admin, "0.35", "0.35", "0.36", heads="a,b,c").json()["statement"]["version"] == 2
    assert bring(admin, "0.35", "0.35", "0.36", heads="a,b,c", timeZone="Moon/Base").status_code == 422


def test_statement_of_nobody(admin: Client) -> None:
    """A provider or statement that there is not."""
    assert bring(admin, "1", "1", "1", provider="nobody").json()["error"]["fields"]["provider"]
    assert admin.get("/statements/0197a3c2-5e1b-7c40-8f21-3b9f6d2a7e10").status_code == 404
