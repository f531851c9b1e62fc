import pytest

from core import db
from core.db.tables import Generation, User
from core.installation import Installation, current
from core.personal_data import requests as erasing
from core.personal_data import steps
from tests.api.conftest import Client, refusal
from tests.api.test_workspaces import administrator, at, id_of
from tests.factories.books import broken_rules


@pytest.fixture
def root(installation: Installation) -> Client:
    """An administrator."""
    return administrator("root@example.org")


def test_people_are_listed_and_found(root: Client, ana: Client, ben: Client) -> None:
    """Everybody once, a page at a time; by words, role and whether they may come in."""
    first = root.get("/people", params={"limit": 2}).json()
    rest = root.get("/people", params={"limit": 2, "cursor": first["nextCursor"]}).json()

    assert [each["email"] for each in first["people"] + rest["people"]] == [
        "ana@example.org",
        "ben@example.org",
        "root@example.org",
    ]
    assert rest["nextCursor"] is None
    assert [each["email"] for each in root.get("/people?role=admin").json()["people"]] == ["root@example.org"]
    assert root.get("/people?active=false").json()["people"] == []
    one = root.get(f"/people/{id_of(ben)}").json()["person"]
    assert (one["email"], one["role"], one["workspaceCount"], one["deactivatedAt"]) == (
        "ben@example.org",
        "user",
        1,
        None,
    )
    assert root.get("/people/00000000-0000-0000-0000-000000000000").status_code == 404


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_people_are_for_administrators(ana: Client, ben: Client, method: str) -> None:
    """Nobody else sees or changes anybody, oneself included."""
    body = {"json": {"role": "admin"}} if method == "PATCH" else {}
    for person in (ana, ben):
        assert refusal(ana.send(method, f"/people/{id_of(person)}", **body))[:2] == (403, "forbidden")
    assert refusal(ana.get("/people"))[:2] == (403, "forbidden")


def test_deactivated_with_the_next_call(root: Client, ana: Client) -> None:
    """Tokens are refused at once, what was ordered stays, and letting in again brings no token back."""
    clip = ana.generate()
    assert ana.get("/credits").status_code == 200

    changed = root.send("PATCH", f"/people/{id_of(ana)}", json={"active": False})

    assert changed.json()["person"]["deactivatedAt"] is not None
    for method, path in (("GET", "/credits"), ("POST", "/projects"), ("GET", f"/generations/{clip}/status")):
        assert refusal(ana.send(method, path))[:2] == (401, "unauthorized")
    assert root.send("PATCH", f"/people/{id_of(ana)}", json={"active": True}).json()["person"]["deactivatedAt"] is None
    assert ana.get("/credits").status_code == 401
    with db.read_session() as session:
        assert session.get_one(User, id_of(ana)).deactivated_at is None


def test_role_counts_with_the_next_call(root: Client, ana: Client) -> None:
    """Up and down, for a token that was just used."""
    assert ana.get("/people").status_code == 403
    root.send("PATCH", f"/people/{id_of(ana)}", json={"role": "admin"})
    assert ana.get("/people").status_code == 200
    root.send("PATCH", f"/people/{id_of(ana)}", json={"role": "user"})
    assert ana.get("/people").status_code == 403


def test_last_administrator_stays(root: Client) -> None:
    """Neither role nor access of the last one is taken away."""
    for body in ({"role": "user"}, {"active": False}):
        answer = root.send("PATCH", f"/people/{id_of(root)}", json=body)
        assert refusal(answer)[:2] == (409, "conflict")
        assert "last administrator" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("body", "field"), [({"role": "boss"}, "role"), ({"active": "no"}, "active"), ({"x": 1}, "x")])
def test_change_that_cannot_be(root: Client, ana: Client, body: dict[str, object], field: str) -> None:
    """What is wrong is said on its field."""
    status, _code, fields = refusal(root.send("PATCH", f"/people/{id_of(ana)}", json=body))

    assert (status, set(fields)) == (422, {field})


def test_two_people_become_one(root: Client, ana: Client, ben: Client) -> None:
    """A token of the one goes on where it worked, as the other; all is reachable, and the books are right."""
    project = ben.project()
    clip = ben.finished(project_id=project)

    merged = root.post(f"/people/{id_of(ben)}/merge", json={"intoId": id_of(ana)})

    assert merged.status_code == 200, merged.text
    assert merged.json()["person"]["id"] == id_of(ana)
    assert root.get(f"/people/{id_of(ben)}").json()["person"]["mergedIntoId"] == id_of(ana)
    assert [each["id"] for each in ben.get("/projects").json()["projects"]] == [project]
    assert at(ana, id_of(ben)).get(f"/generations/{clip.id}/status").status_code == 200
    assert [each["name"] for each in ana.get("/workspaces").json()["workspaces"]] == ["ana", "ben"]
    assert refusal(root.post(f"/people/{id_of(ben)}/merge", json={"intoId": id_of(ana)}))[:2] == (409, "conflict")
    assert broken_rules() == []


def test_person_is_erased(root: Client, ana: Client) -> None:
    """A dry run says what it means; asked for with the address, they are let in no more and a worker does the rest."""
    clip = ana.finished()
    path, body = f"/people/{id_of(ana)}", {"email": "ana@example.org"}
    plan = root.post(f"{path}/erase", json=body | {"dryRun": True}).json()["plan"]
    assert (plan["ownClips"], plan["underWay"], plan["rows"]["api_tokens"]) == (1, 0, 1)
    assert root.get(f"{path}/erasure").json()["state"] is None
    assert refusal(root.post(f"{path}/erase", json={"email": "eva@example.org"}))[0] == 422
    assert ana.get("/credits").status_code == 200

    assert root.post(f"{path}/erase", json=body).json()["state"] == "waiting"

    assert ana.get("/credits").status_code == 401
    with db.write_session() as session:
        erasing.begin_now(session, id_of(ana))
    steps.work_down(current())
    assert root.get(f"{path}/erasure").json()["state"] == "done"
    assert root.get(path).json()["person"]["email"] == f"erased-{id_of(ana)}"
    assert refusal(root.send("PATCH", path, json={"active": True}))[:2] == (409, "conflict")
    with db.read_session() as session:
        assert session.get_one(Generation, clip.id).prompt == ""
    assert broken_rules() == []
