from datetime import timedelta

import pytest

from core.clock import utc_now
from core.db.enums import Scope
from core.ids import new_id
from tests.api.conftest import Client, arrive, refusal


def test_token_is_made_listed_and_revoked(ana: Client) -> None:
    """The secret is shown once, works at once with its scope, and no longer after it was revoked."""
    soon = (utc_now() + timedelta(days=1)).isoformat()
    answer = ana.post("/tokens", json={"name": "cron", "scope": "read", "expiresAt": soon})
    assert answer.status_code == 201
    made = answer.json()["token"]
    script = Client(ana.person, answer.json()["secret"])

    assert script.get("/projects").status_code == 200
    listed = ana.get("/tokens")
    assert answer.json()["secret"] not in listed.text
    found = {token["name"]: token for token in listed.json()["tokens"]}
    assert set(found) == {"cron", "test"}
    assert found["cron"]["lastUsedAt"] is not None
    assert {key: found["cron"][key] for key in ("id", "prefix", "scope")} == {
        "id": made["id"],
        "prefix": answer.json()["secret"][:12],
        "scope": "read",
    }

    assert ana.send("DELETE", f"/tokens/{made['id']}").status_code == 200
    assert refusal(script.get("/projects")) == (401, "unauthorized", {})
    assert ana.send("DELETE", f"/tokens/{made['id']}").status_code == 404


def test_default_token_does_not_manage(ana: Client) -> None:
    """What is not asked for is not given: a token orders and changes, and makes no other."""
    secret = ana.post("/tokens", json={"name": "cron"}).json()["secret"]

    answer = Client(ana.person, secret).post("/tokens", json={"name": "more", "scope": "admin"})

    assert refusal(answer)[:2] == (403, "forbidden")
    assert "'admin'" in answer.json()["error"]["message"]


def test_token_of_somebody_else(ana: Client, ben: Client) -> None:
    """Nobody sees or ends another person's tokens."""
    theirs = ben.get("/tokens").json()["tokens"][0]["id"]

    assert ana.send("DELETE", f"/tokens/{theirs}").status_code == 404
    assert theirs not in ana.get("/tokens").text
    assert ben.get("/tokens").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x", "scope": "all"}, "scope"),
        ({"name": "x", "expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"name": "x", "expiresAt": "2099-01-01T00:00:00"}, "expiresAt"),
        ({"name": "x", "expiresAt": 5}, "expiresAt"),
    ],
)
def test_token_that_cannot_be_made(ana: Client, body: dict[str, object], field: str) -> None:
    """What is wrong is said on its field."""
    status, _code, fields = refusal(ana.post("/tokens", json=body))

    assert (status, set(fields)) == (422, {field})


@pytest.mark.parametrize("scope", list(Scope))
def test_scope_decides_what_a_token_may(installation: object, scope: Scope) -> None:
    """Reading needs read, changing generate, managing admin; each includes what comes before it."""
    client = arrive(f"{new_id()}@example.org", scope=scope)

    assert client.get("/credits").status_code == 200
    assert client.send("HEAD", "/credits").status_code == 200
    assert client.post("/projects", json={"name": "x"}).status_code == (403 if scope is Scope.READ else 201)
    assert client.get("/tokens").status_code == (200 if scope is Scope.ADMIN else 403)


def test_token_for_one_workspace(ana: Client) -> None:
    """It is at work there and sees nothing else, whatever the call names; lists tell what it is for."""
    team, project = ana.team(), ana.project()
    made = ana.post("/tokens", json={"name": "cron", "scope": "admin", "workspaceId": team}).json()
    script = Client(ana.person, made["secret"])

    assert (made["token"]["workspaceId"], made["token"]["capCredits"]) == (team, None)
    assert script.get("/projects").json()["projects"] == []
    assert script.get("/credits").json()["credits"]["available"] == 10_000
    assert script.get(f"/projects/{project}").status_code == 404
    assert script.get("/projects", headers={"Workspace-Id": ana.workspace_id or "0" * 36}).status_code == 404
    assert [each["id"] for each in script.get("/workspaces").json()["workspaces"]] == [team]
    assert {each["name"] for each in ana.get("/tokens").json()["tokens"]} == {"cron", "test"}
    assert {each["name"] for each in script.get("/tokens").json()["tokens"]} == {"cron"}
    wide = next(each["id"] for each in ana.get("/tokens").json()["tokens"] if each["name"] == "test")
    assert script.send("DELETE", f"/tokens/{wide}").status_code == 404


def test_token_makes_none_that_reaches_further(ana: Client) -> None:
    """With a token for one workspace only others for it are made, with a capped one none."""
    team, other = ana.team(), ana.team("Other")
    narrow = ana.post("/tokens", json={"name": "n", "scope": "admin", "workspaceId": team}).json()["secret"]
    capped = ana.post("/tokens", json={"name": "c", "scope": "admin", "capCredits": 100}).json()["secret"]

    made = Client(ana.person, narrow).post("/tokens", json={"name": "more"})
    assert made.json()["token"]["workspaceId"] == team
    there = Client(ana.person, narrow).post("/tokens", json={"name": "more", "workspaceId": other})
    assert set(refusal(there)[2]) == {"workspaceId"}
    assert refusal(Client(ana.person, capped).post("/tokens", json={"name": "more"}))[:2] == (403, "forbidden")


def test_token_with_a_cap(ana: Client) -> None:
    """Exactly as many of many orders at once pass as the cap pays for; what was cancelled makes room again."""
    made = ana.post("/tokens", json={"name": "cron", "capCredits": 120}).json()
    script = Client(ana.person, made["secret"])
    order = script.order()

    answers = script.send_at_once("POST", "/generate", [{"json": order} for _ in range(5)])

    assert sorted(answer.status_code for answer in answers) == [202, 202, 402, 402, 402]
    over = next(answer for answer in answers if answer.status_code == 402)
    assert refusal(over)[:2] == (402, "token_cap_reached")
    told = {each["id"]: each for each in ana.get("/tokens").json()["tokens"]}[made["token"]["id"]]
    assert (told["capCredits"], told["spentCredits"]) == (120, 100)
    assert ana.get("/credits").json()["credits"]["held"] == 100

    first = next(answer.json()["generation"]["id"] for answer in answers if answer.status_code == 202)
    assert script.post(f"/generations/{first}/cancel").status_code == 200
    assert script.post("/generate", json=order).status_code == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"capCredits": 0}, "capCredits"),
        ({"capCredits": "5"}, "capCredits"),
        ({"workspaceId": "x"}, "workspaceId"),
        ({"workspaceId": "00000000-0000-0000-0000-000000000000"}, "workspaceId"),
    ],
)
def test_reach_that_cannot_be(ana: Client, body: dict[str, object], field: str) -> None:
    """What is wrong is said on its field."""
    status, _code, fields = refusal(ana.post("/tokens", json={"name": "x"} | body))

    assert (status, set(fields)) == (422, {field})


def test_token_ends_with_the_membership(ana: Client, ben: Client) -> None:
    """The next call with a token for a team is refused once its person was taken out; their other tokens go on."""
    team = ana.team()
    assert ben.person is not None
    ana.post(f"/workspaces/{team}/members", json={"email": ben.person.email, "role": "maker"})
    script = Client(ben.person, ben.post("/tokens", json={"name": "cron", "workspaceId": team}).json()["secret"])
    clip = script.generate()
    assert script.get(f"/generations/{clip}/status").status_code == 200

    assert ana.send("DELETE", f"/workspaces/{team}/members/{ben.person.id}").status_code == 200

    assert refusal(script.get(f"/generations/{clip}/status"))[:2] == (401, "unauthorized")
    assert ben.get("/credits").status_code == 200
    assert ben.get(f"/generations/{clip}/status").status_code == 404
    assert [each["name"] for each in ben.get("/tokens").json()["tokens"]] == ["test"]
