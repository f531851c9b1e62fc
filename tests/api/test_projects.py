from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from core import db
from tests.api.conftest import Client, refusal
from tests.factories import generations

SHAPE = {
    "id",
    "name",
    "description",
    "createdAt",
    "updatedAt",
    "archivedAt",
    "generationCount",
    "spentCredits",
    "costCentre",
    "generations",
}


def test_project_made_and_listed(ana: Client) -> None:
    """A new project is empty and has the published shape; times are UTC with a Z."""
    answer = ana.post("/projects", json={"name": "  Lakes  ", "description": "All of them"})

    assert answer.status_code == 201
    project = answer.json()["project"]
    assert set(project) == SHAPE
    assert (project["name"], project["description"]) == ("Lakes", "All of them")
    assert (project["generationCount"], project["generations"]) == (0, [])
    assert project["createdAt"].endswith("Z")
    assert datetime.fromisoformat(project["createdAt"]).tzinfo == UTC
    assert ana.get("/projects").json() == {"success": True, "projects": [project], "nextCursor": None}


def test_list_carries_the_newest_twenty(ana: Client, ben: Client) -> None:
    """Each project brings its own newest twenty, newest first, and nobody else's."""
    many, few, none = ana.project("Many"), ana.project("Few"), ana.project("None")
    of_many = [ana.generate(projectId=many) for _ in range(22)]
    of_few = [ana.generate(projectId=few) for _ in range(2)]
    ben.generate()

    found = {project["id"]: project for project in ana.get("/projects").json()["projects"]}

    assert set(found) == {many, few, none}
    assert [clip["id"] for clip in found[many]["generations"]] == of_many[:-21:-1]
    assert [clip["id"] for clip in found[few]["generations"]] == of_few[::-1]
    assert found[none]["generations"] == []
    assert found[many]["generationCount"] == 22


def test_deleted_generations_are_not_among_the_newest(ana: Client) -> None:
    """What was deleted makes room for what is older."""
    project = ana.project()
    kept = [ana.generate(projectId=project) for _ in range(20)]
    gone = ana.generate(projectId=project)
    ana.post(f"/generations/{gone}/cancel")
    assert ana.send("DELETE", f"/generations/{gone}").json() == {"success": True}

    [found] = ana.get("/projects").json()["projects"]

    assert [clip["id"] for clip in found["generations"]] == kept[::-1]
    assert found["generationCount"] == 20


def test_project_pages_through_all(ana: Client) -> None:
    """A project shows everything it holds, a page at a time."""
    project = ana.project()
    made = [ana.generate(projectId=project) for _ in range(5)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        answer = ana.get(f"/projects/{project}", params=query).json()
        assert set(answer) == {"success", "project", "nextCursor"}
        seen += [clip["id"] for clip in answer["project"]["generations"]]
        if answer["nextCursor"] is None:
            break
        query["cursor"] = answer["nextCursor"]

    assert seen == made[::-1]


def test_project_changes(ana: Client) -> None:
    """Name, description and archive change; what is not named stays."""
    project = ana.project()

    changed = ana.send("PATCH", f"/projects/{project}", json={"name": "Hills", "archived": True}).json()["project"]

    assert changed["name"] == "Hills"
    assert changed["archivedAt"] is not None
    assert ana.get("/projects").json()["projects"] == []
    assert [p["id"] for p in ana.get("/projects?archived=true").json()["projects"]] == [project]
    back = ana.send("PATCH", f"/projects/{project}", json={"archived": False, "name": None}).json()["project"]
    assert (back["name"], back["archivedAt"], back["costCentre"]) == ("Hills", None, "")
    assert ana.send("PATCH", f"/projects/{project}", json={"costCentre": " CC-1042 "}).status_code == 200
    assert ana.get(f"/projects/{project}").json()["project"]["costCentre"] == "CC-1042"


def test_project_search(ana: Client) -> None:
    """Search looks into names."""
    ana.project("Lakes")
    ana.project("Hills")

    assert [p["name"] for p in ana.get("/projects?search=LAK").json()["projects"]] == ["Lakes"]


def test_empty_project_is_deleted(ana: Client) -> None:
    """An empty project goes; one with generations has to be archived."""
    empty, used = ana.project("Empty"), ana.project("Used")
    ana.generate(projectId=used)

    assert ana.send("DELETE", f"/projects/{empty}").json() == {"success": True}
    assert ana.get(f"/projects/{empty}").status_code == 404
    assert refusal(ana.send("DELETE", f"/projects/{used}"))[:2] == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "nul \0"}, "name"),
        ({"name": "x", "description": "y" * 2001}, "description"),
        ({"name": "x", "description": "\x07"}, "description"),
        ({"name": "x", "colour": "red"}, "colour"),
        ({"name": "x", "Description": "red"}, "Description"),
    ],
)
def test_bad_project(ana: Client, body: dict[str, Any], field: str) -> None:
    """Each bad field is named, with a sentence."""
    status, code, fields = refusal(ana.post("/projects", json=body))

    assert (status, code, list(fields)) == (422, "invalid_request", [field])


def test_change_of_nothing_is_refused(ana: Client) -> None:
    """A change that says nothing is a mistake, and the sentence says what could be given."""
    answer = ana.send("PATCH", f"/projects/{ana.project()}", json={})

    assert refusal(answer) == (422, "invalid_request", {})
    assert "archived" in answer.json()["error"]["message"]


def test_list_reads_few_rows_of_a_large_project(ana: Client) -> None:
    """The list's query finds each project's newest by index, on SQLite too: no scan of generations, no sort of them."""
    ana.generate()
    assert ana.person is not None
    generations.create_generation(db.default(), ana.person)
    statements: list[str] = []
    engine = db.default().read_engine

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert len(ana.get("/projects").json()["projects"]) == 2
    finally:
        event.remove(engine, "before_cursor_execute", note)

    [newest] = [s for s in statements if "coalesce((SELECT" in s and "thumbnail_key IS NOT NULL" not in s]
    [posters] = [s for s in statements if "coalesce(" in s.lower() and "thumbnail_key IS NOT NULL" in s]
    [live] = [s for s in statements if "MATERIALIZED" in s]
    for statement, wanted in (
        (newest, "SEARCH generations USING INDEX ix_generations_project_newest (project_id=? AND id>?)"),
        (posters, "SEARCH generations USING INDEX ix_generations_cover (project_id=? AND id>?)"),
        (live, "SCAN generations USING INDEX ix_generations_due"),  # of those under way alone
    ):
        with db.read_session() as session:
            plan = session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement}", tuple("?" for _ in range(statement.count("?")))
            )
            steps = [str(row[-1]) for row in plan]
        read = [step for step in steps if step.startswith(("SCAN generations ", "SEARCH generations "))]
        assert read == [wanted], steps


@pytest.mark.parametrize("sort", ["activity", "name", "spent", "newest"])
def test_list_pages_in_every_order(ana: Client, sort: str) -> None:
    """Each order can be paged through to its end without gaps or repeats, equals included."""
    made = [ana.project(name) for name in ("b", "A", "c", "a", "B")]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2, "sort": sort}
    while True:
        answer = ana.get("/projects", params=query).json()
        seen += [project["id"] for project in answer["projects"]]
        if answer["nextCursor"] is None:
            break
        query["cursor"] = answer["nextCursor"]

    wanted = {"name": [made[place] for place in (1, 3, 0, 4, 2)]}
    assert seen == wanted.get(sort, made[::-1])


def test_cursor_of_somebody_else(ana: Client, ben: Client) -> None:
    """Another person's project is no place to go on from."""
    assert ana.get("/projects", params={"cursor": ben.project("Hills")}).status_code == 404
