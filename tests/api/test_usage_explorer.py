import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from core import db
from core.clock import utc_now
from core.db.enums import Role, Scope
from core.generations import review
from core.generations.review import Changes
from core.identity import users
from core.installation import Installation
from tests.api.conftest import Client, arrive, refusal, team_of


def explored(client: Client, query: str = "period=7") -> Any:
    """The answer to a question."""
    return client.get(f"/usage/explore?{query}").json()["explored"]


def test_who_spent_what_on_which_project(ana: Client, ben: Client) -> None:
    """Without being asked for more, it is by person and project; totals and shares with it, and the time before."""
    ana, ben = team_of(ana, ben)
    project_id = ana.finished().project_id
    ben.finished(project_id=project_id)
    ben.finished(project_id=project_id)

    found = explored(ana)

    assert [[value["name"] for value in row["values"]] for row in found["rows"]] == [["ben", "Lakes"], ["ana", "Lakes"]]
    assert [row["amounts"]["spentCredits"] for row in found["rows"]] == [100, 50]
    assert [round(row["share"], 3) for row in found["rows"]] == [0.667, 0.333]
    assert (found["totals"]["spentCredits"], found["totals"]["spentIdr"], found["addsUp"]) == (150, 7500, True)
    assert found["totalsBefore"]["spentCredits"] == 0
    today = utc_now().date()
    assert (found["since"], found["until"]) == ((today - timedelta(days=6)).isoformat(), today.isoformat())
    assert found["comparedUntil"] == (today - timedelta(days=7)).isoformat()


def test_file_says_what_the_answer_says(ana: Client) -> None:
    """The CSV, by format or by Accept, has the rows of the answer, and over time its steps."""
    row = ana.finished()
    ana.finished(resolution="1080p")
    with db.write_session() as session:
        assert ana.person is not None
        review.update(session, ana.person, row.id, Changes(add_tags=("hero",)))
    for query in ("period=7&by=project&by=tag", "period=7&by=model&over=day", "period=7&by=weekday&by=reason"):
        found = explored(ana, query)
        by_format = ana.get(f"/usage/explore?{query}&format=csv")
        by_accept = ana.get(f"/usage/explore?{query}", headers={"Accept": "text/csv"})
        assert by_format.content == by_accept.content
        assert by_format.headers["content-type"] == "text/csv; charset=utf-8"
        *written, total = csv.DictReader(io.StringIO(by_format.content.decode("utf-8-sig")))
        told = found["steps"] or found["rows"]
        assert [int(line["spent_credits"]) for line in written] == [each["amounts"]["spentCredits"] for each in told]
        assert [int(line["clips"]) for line in written] == [each["amounts"]["clips"] for each in told]
        assert int(total["spent_credits"]) == found["totals"]["spentCredits"] == 115


@pytest.mark.parametrize("path", ["/usage/explore?period=7", "/usage?groupBy=model", "/usage/waste?", "/usage/models?"])
def test_file_is_separated_as_asked_for(ana: Client, path: str) -> None:
    """Each file of figures can be had for spreadsheets of any language; JSON has no separator."""
    ana.finished()
    for separator, sign in (("comma", ","), ("semicolon", ";"), ("tab", "\t")):
        answer = ana.get(f"{path}&format=csv&separator={separator}")
        heads, *written = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=sign)
        assert len(heads) > 5
        assert {len(line) for line in written} == {len(heads)}
    assert refusal(ana.get(f"{path}&format=csv&separator=pipe"))[0] == 422


def test_file_has_dollars_as_people_read_them(ana: Client) -> None:
    """Dollars stand beside their millionths, with a decimal comma where cells are separated by semicolons."""
    ana.finished()
    for separator, sign, point in (("comma", ",", "."), ("semicolon", ";", ",")):
        answer = ana.get(f"/usage/explore?period=7&by=model&format=csv&separator={separator}")
        for line in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=sign):
            assert float(line["spent_usd"].replace(point, ".")) == int(line["spent_microusd"]) / 1_000_000 > 0
            assert point in line["spent_usd"]


def test_everybodys_figures_are_for_analysts(installation: Installation, ana: Client) -> None:
    """Others are refused, and so is a token that only reads."""
    ana.finished()
    assert refusal(ana.get("/usage/explore?workspaces=all"))[:2] == (403, "forbidden")
    reader, root = arrive("reader@example.org", scope=Scope.READ), arrive("root@example.org")
    with db.write_session() as session:
        for email in ("reader@example.org", "root@example.org"):
            users.get(session, email).role = Role.ANALYST
    assert refusal(reader.get("/usage/explore?workspaces=all"))[:2] == (403, "forbidden")
    found = explored(root, "workspaces=all&by=workspace&period=7")
    assert [row["values"][0]["name"] for row in found["rows"]] == ["ana"]
    assert explored(root, "period=7")["rows"] == []


def test_first_day_there_is(ana: Client) -> None:
    """The earliest days can be asked for, and have nothing before them."""
    found = explored(ana, "since=0001-01-01&until=0001-01-02")
    assert (found["rows"], found["comparedSince"], found["totalsBefore"]) == ([], None, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("period=soon", "period"),
        ("period=2999-01", "period"),
        ("period=month&since=2026-11-01&until=2026-11-02", "period"),
        ("since=2026-11-01", "period"),
        ("since=2026-11-22&until=2026-11-21", "since"),
        ("by=tag&by=tag", "by"),
        ("by=tag&by=model&by=person", "by"),
        ("by=colour", "by"),
        ("format=pdf", "format"),
    ],
)
def test_what_cannot_be_asked(ana: Client, query: str, field: str) -> None:
    """It is a field error."""
    status, _, fields = refusal(ana.get(f"/usage/explore?{query}"))
    assert status == 422
    assert [name.partition(".")[0] for name in fields] == [field]


def test_views_are_saved_shared_and_deleted(ana: Client, ben: Client) -> None:
    """One of a name, seen by others once it is shared, changed by its person alone; a repeat makes no second one."""
    ana, ben = team_of(ana, ben)
    wanted = {"name": "Failures", "view": {"period": "last-month", "by": ["reason", "model"], "measure": "clips"}}
    first = ana.post("/usage-views", json=wanted, headers={"Idempotency-Key": "one"})
    again = ana.post("/usage-views", json=wanted, headers={"Idempotency-Key": "one"})
    kept = first.json()["savedView"]
    assert (first.status_code, again.json()["savedView"]) == (201, kept)
    assert (kept["view"]["by"], kept["view"]["period"], kept["mine"]) == (["reason", "model"], "last-month", True)
    address = f"/usage-views/{kept['id']}"
    assert refusal(ana.post("/usage-views", json=wanted))[0] == 409
    assert refusal(ben.get(address))[0] == 404

    shared = ana.send("PATCH", address, json={"shared": True, "view": {"by": ["tag"], "unit": "usd"}}).json()[
        "savedView"
    ]
    assert (shared["view"]["by"], shared["view"]["unit"], shared["name"]) == (["tag"], "usd", "Failures")
    [seen] = ben.get("/usage-views").json()["savedViews"]
    assert (seen["id"], seen["mine"]) == (kept["id"], False)
    assert refusal(ben.send("DELETE", address))[0] == 404
    assert ana.send("DELETE", address).status_code == 200
    assert ana.get("/usage-views").json()["savedViews"] == []


@pytest.mark.parametrize(
    ("view", "field"),
    [
        ({"period": "soon"}, "period"),
        ({"by": ["tag", "tag"]}, "by"),
        ({"by": []}, "view"),
        ({"since": "2026-01-01"}, "period"),
    ],
)
def test_view_that_cannot_be_asked(ana: Client, view: dict[str, Any], field: str) -> None:
    """It is refused when it is saved, not when it is opened."""
    status, _, fields = refusal(ana.post("/usage-views", json={"name": "Odd", "view": view}))
    assert status == 422
    assert [name.rpartition(".")[2] for name in fields] == [field]
