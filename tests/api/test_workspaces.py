from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from core import db
from core.db.enums import Role
from core.db.tables import AuditLogEntry, User
from core.installation import Installation
from tests.api.conftest import Client, arrive, refusal


@pytest.fixture
def root(installation: Installation) -> Client:
    """An administrator."""
    return administrator("root@example.org")


def administrator(email: str) -> Client:
    """Somebody new who is one."""
    client = arrive(email)
    assert client.person is not None
    with db.write_session() as session:
        session.execute(update(User).where(User.id == client.person.id).values(role=Role.ADMIN))
    return client


def id_of(client: Client) -> str:
    """Whose client it is, which is the id of their own workspace, too."""
    assert client.person is not None
    return client.person.id


def at(client: Client, team: str) -> Client:
    """The same caller at work in a team."""
    return replace(client, workspace_id=team)


def test_client_that_knows_no_workspaces(ana: Client) -> None:
    """What a client of the published API sends goes on as it was, in the person's own workspace, with teams around."""
    team = ana.team()
    project = ana.project()
    clip = ana.generate(projectId=project)

    assert [each["id"] for each in ana.get("/projects").json()["projects"]] == [project]
    assert ana.get(f"/generations/{clip}/status").status_code == 200
    assert ana.get("/credits").json()["credits"]["available"] == 9_950
    assert at(ana, team).get("/projects").json()["projects"] == []
    assert at(ana, team).get("/credits").json()["credits"]["available"] == 10_000


def test_own_workspaces_are_listed(ana: Client, ben: Client) -> None:
    """Those that one is in, one's own first; a token that only reads finds them, too."""
    team = ana.team("Film unit")
    ben.team("Others")

    listed = ana.get("/workspaces").json()

    assert [(each["id"], each["kind"], each["name"], each["role"]) for each in listed["workspaces"]] == [
        (id_of(ana), "personal", "ana", "manager"),
        (team, "team", "Film unit", "manager"),
    ]
    assert listed["workspaces"][1]["availableCredits"] == 10_000
    assert listed["nextCursor"] is None
    assert ana.get(f"/workspaces/{team}").json()["workspace"] == listed["workspaces"][1]
    assert ben.get(f"/workspaces/{team}").status_code == 404


def test_who_makes_a_team_for_oneself_manages_it(root: Client) -> None:
    """The answer says so at once, as every later one does."""
    made = root.post("/workspaces", json={"name": "My unit"}).json()["workspace"]
    assert made["role"] == "manager"
    assert made == root.get(f"/workspaces/{made['id']}").json()["workspace"]


def test_administrators_make_and_list_teams(root: Client, ana: Client) -> None:
    """Once for a key, with its manager; all of them are listed a page at a time."""
    body = {"name": "Film unit", "managerEmail": "ana@example.org"}
    answers = [root.post("/workspaces", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    made = answers[0].json()["workspace"]
    assert made == answers[1].json()["workspace"]
    assert (made["role"], made["memberCount"], made["availableCredits"]) == (None, 1, 0)
    names, cursor = [], None
    while True:
        page = root.get("/workspaces", params={"all": True, "limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        names += [each["name"] for each in page["workspaces"]]
        if not (cursor := page["nextCursor"]):
            break
    assert names == ["ana", "Film unit", "root"]
    assert refusal(ana.get("/workspaces", params={"all": True}))[:2] == (403, "forbidden")
    assert refusal(ana.post("/workspaces", json={"name": "Mine"}))[:2] == (403, "forbidden")
    assert refusal(root.post("/workspaces", json={"name": " "})) == (
        422,
        "invalid_request",
        {"name": "Give it a name."},
    )


def test_team_is_renamed_and_archived(root: Client, ana: Client) -> None:
    """Its manager may; nobody is at work in an archived one, and an administrator brings it back."""
    team = ana.team()

    changed = ana.send("PATCH", f"/workspaces/{team}", json={"name": "Stills", "archived": True})

    assert changed.status_code == 200, changed.text
    assert changed.json()["workspace"]["name"] == "Stills"
    assert changed.json()["workspace"]["archivedAt"] is not None
    assert at(ana, team).get("/projects").status_code == 404
    assert [each["id"] for each in root.get("/workspaces?all=true&archived=true").json()["workspaces"]] == [team]
    assert root.send("PATCH", f"/workspaces/{team}", json={"archived": False}).json()["workspace"]["archivedAt"] is None
    assert at(ana, team).get("/projects").status_code == 200
    own = ana.send("PATCH", f"/workspaces/{id_of(ana)}", json={"name": "Mine"})
    assert refusal(own)[:2] == (409, "conflict")


def test_administrators_weigh_a_workspace(root: Client, ana: Client) -> None:
    """Its weight is 1 until one of them says otherwise, within reason; managers only see it."""
    team = root.send("POST", "/workspaces", json={"name": "Film", "managerEmail": "ana@example.org"}).json()[
        "workspace"
    ]
    assert team["turnWeight"] == 1
    path = f"/workspaces/{team['id']}"
    assert ana.send("PATCH", path, json={"turnWeight": 5}).status_code == 403
    assert root.send("PATCH", path, json={"turnWeight": 5}).json()["workspace"]["turnWeight"] == 5
    for weight in (0, 101):
        assert root.send("PATCH", path, json={"turnWeight": weight}).status_code == 422
    assert {each["turnWeight"] for each in ana.get("/workspaces").json()["workspaces"]} == {1, 5}
    with db.read_session() as session:
        [act] = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action.endswith("weighed")))
    assert (act.before, act.after) == ({"turn_weight": 1}, {"turn_weight": 5})


def test_members_come_change_and_go(ana: Client, ben: Client) -> None:
    """From one call to the next: who is in sees the team, who was taken out does not."""
    team, there = ana.team(), f"/workspaces/{ana.team('Other')}/members"
    path = f"/workspaces/{team}/members"

    added = ana.post(path, json={"email": "BEN@example.org", "role": "viewer"})
    assert added.status_code == 201, added.text
    assert added.json()["member"] | {"since": ""} == {
        "userId": id_of(ben),
        "email": "ben@example.org",
        "name": "ben",
        "role": "viewer",
        "source": "manual",
        "since": "",
        "isActive": True,
    }
    assert at(ben, team).get("/projects").status_code == 200
    assert refusal(at(ben, team).post("/projects", json={"name": "x"}))[:2] == (403, "forbidden")

    assert ana.send("PATCH", f"{path}/{id_of(ben)}", json={"role": "maker"}).json()["member"]["role"] == "maker"
    assert at(ben, team).post("/projects", json={"name": "x"}).status_code == 201

    assert ana.send("DELETE", f"{path}/{id_of(ben)}").status_code == 200
    assert at(ben, team).get("/projects").status_code == 404
    assert ana.send("DELETE", f"{path}/{id_of(ben)}").status_code == 404
    assert ben.get(there).status_code == 404
    page = ana.get(path).json()
    assert ([each["email"] for each in page["members"]], page["nextCursor"]) == (["ana@example.org"], None)


def test_last_manager_stays(ana: Client, ben: Client) -> None:
    """Over REST as in the browser; who is not the last leaves by the same call."""
    team = ana.team()
    path = f"/workspaces/{team}/members"

    assert refusal(ana.send("DELETE", f"{path}/{id_of(ana)}"))[:2] == (409, "conflict")
    assert refusal(ana.send("PATCH", f"{path}/{id_of(ana)}", json={"role": "maker"}))[:2] == (409, "conflict")
    ana.post(path, json={"email": "ben@example.org", "role": "viewer"})
    assert ben.send("DELETE", f"{path}/{id_of(ben)}").status_code == 200
    assert [each["email"] for each in ana.get(path).json()["members"]] == ["ana@example.org"]


def test_members_are_listed_a_page_at_a_time(ana: Client) -> None:
    """Everybody once, by address."""
    team = ana.team()
    for _ in range(3):
        ana.join(team)
    found, cursor = [], ""
    while True:
        page = ana.get(f"/workspaces/{team}/members", params={"limit": 2, "cursor": cursor}).json()
        found += [each["email"] for each in page["members"]]
        if not (cursor := page["nextCursor"] or ""):
            break

    assert len(found) == 4
    assert found == sorted(set(found))
    searched = ana.get(f"/workspaces/{team}/members", params={"search": "ANA"}).json()["members"]
    assert [each["email"] for each in searched] == ["ana@example.org"]


def test_invitation_from_link_to_work(ana: Client, ben: Client, installation: Installation) -> None:
    """A link is shown once, says what it is for, lets its address in, and opens nothing a second time for others."""
    team = ana.team()
    headers = {"Idempotency-Key": "one"}
    body = {"email": "ben@example.org", "role": "maker"}
    made, again = (ana.post(f"/workspaces/{team}/invitations", json=body, headers=headers) for _ in range(2))

    assert made.status_code == 201, made.text
    assert (again.json()["link"], again.headers["Idempotency-Replayed"]) == (None, "true")
    address = urlsplit(made.json()["link"])
    assert (address.netloc, address.path) == ("studio.test", "/invitation")
    [token] = parse_qs(address.query)["token"]
    [listed] = ana.get(f"/workspaces/{team}/invitations").json()["invitations"]
    assert token not in str(listed)

    said = ben.post("/invitations/look", json={"token": token}).json()["invitation"]
    assert (said["workspaceName"], said["workspaceRole"], said["invitedBy"]) == ("Film", "maker", "ana@example.org")
    assert refusal(ana.post("/invitations/accept", json={"token": token}))[:2] == (403, "forbidden")
    assert ben.post("/invitations/accept", json={"token": token}).status_code == 200
    assert at(ben, team).post("/projects", json={"name": "x"}).status_code == 201
    assert ben.post("/invitations/look", json={"token": token}).status_code == 404
    assert ana.get(f"/workspaces/{team}/invitations").json()["invitations"] == []
    assert ana.post(f"/workspaces/{team}/invitations", json=body, headers=headers).status_code == 404


def test_invitation_is_taken_back(ana: Client, ben: Client) -> None:
    """Its link opens nothing then."""
    team = ana.team()
    made = ana.post(f"/workspaces/{team}/invitations", json={"email": "ben@example.org", "role": "maker"}).json()
    token = made["link"].partition("token=")[2]

    assert ben.send("DELETE", f"/invitations/{made['invitation']['id']}").status_code == 404
    assert ana.send("DELETE", f"/invitations/{made['invitation']['id']}").status_code == 200
    assert ben.post("/invitations/accept", json={"token": token}).status_code == 404
    assert at(ben, team).get("/projects").status_code == 404


def test_invitation_into_the_installation(root: Client, ana: Client, ben: Client) -> None:
    """For administrators; it can make its address an analyst."""
    body = {"email": "ben@example.org", "role": "analyst"}
    assert refusal(ana.post("/invitations", json=body))[:2] == (403, "forbidden")
    token = root.post("/invitations", json=body).json()["link"].partition("token=")[2]
    assert len(root.get("/invitations").json()["invitations"]) == 1
    assert refusal(ana.get("/invitations"))[:2] == (403, "forbidden")

    assert ben.post("/invitations/accept", json={"token": token}).json()["invitation"]["role"] == "analyst"

    [found] = root.get("/people", params={"search": "ben"}).json()["people"]
    assert found["role"] == "analyst"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "ben", "role": "maker"}, "email"),
        ({"email": "ben@example.org", "role": "boss"}, "role"),
        ({"email": "ben@example.org"}, "role"),
        ({"role": "maker"}, "email"),
        ({"email": "ben@example.org", "role": "maker", "to": 1}, "to"),
    ],
)
def test_invitation_that_cannot_be_made(ana: Client, body: dict[str, object], field: str) -> None:
    """What is wrong is said on its field."""
    status, _code, fields = refusal(ana.post(f"/workspaces/{ana.team()}/invitations", json=body))

    assert (status, set(fields)) == (422, {field})


def test_project_is_transferred(ana: Client, ben: Client) -> None:
    """It is found in the other workspace, with its clips and nothing spent; its charges stay where they were."""
    team = ana.team()
    project = ana.project()
    clip = ana.finished(project_id=project)

    answer = ana.post(f"/projects/{project}/transfer", json={"workspaceId": team})

    assert answer.status_code == 200, answer.text
    moved = answer.json()["project"]
    assert (moved["id"], moved["spentCredits"], [each["id"] for each in moved["generations"]]) == (
        project,
        0,
        [clip.id],
    )
    assert [each["id"] for each in at(ana, team).get("/projects").json()["projects"]] == [project]
    [left] = ana.get("/projects", params={"archived": True}).json()["projects"]
    assert (left["name"], left["spentCredits"]) == ("Lakes", clip.credits)
    assert ana.get("/projects").json()["projects"] == []
    assert refusal(ana.post(f"/projects/{project}/transfer", json={"workspaceId": team}))[:2] == (409, "conflict")
    assert ben.post(f"/projects/{project}/transfer", json={"workspaceId": id_of(ben)}).status_code == 404


def test_project_under_way_is_not_transferred(ana: Client) -> None:
    """It is said why, and nothing has changed."""
    team, project = ana.team(), ana.project()
    ana.generate(projectId=project)

    answer = ana.post(f"/projects/{project}/transfer", json={"workspaceId": team})

    assert refusal(answer)[:2] == (409, "conflict")
    assert "under way" in answer.json()["error"]["message"]
