from dataclasses import replace

import pytest

from core import db
from core.clock import utc_now
from core.db.enums import Scope
from core.identity import api_tokens
from core.ids import new_id
from tests.api.conftest import Client, refusal


def test_budget_of_a_person(ana: Client) -> None:
    """A budget is set and taken away again; the month says how it stands."""
    ana.finished()

    month = ana.send("PUT", "/usage/budget", json={"monthlyBudgetCredits": 49}).json()["month"]

    assert month == ana.get("/usage/month").json()["month"]
    assert month["since"] == utc_now().date().replace(day=1).isoformat()
    assert (month["budgetCredits"], month["spentCredits"]) == (49, 50)
    assert (month["isExceeded"], month["willBeExceeded"], month["forecast"]) == (True, False, None)
    assert (
        ana.send("PUT", "/usage/budget", json={"monthlyBudgetCredits": None}).json()["month"]["budgetCredits"] is None
    )


def test_budget_that_stops_names_itself(ana: Client) -> None:
    """The refusal is 402 and says for programs which budget it was; the list tells how all of them stand."""
    project_id = ana.finished().project_id
    body = {"scope": "project", "id": project_id, "limitCredits": 99, "mode": "stop"}
    assert ana.send("PUT", "/budgets", json=body).status_code == 200

    refused = ana.post("/generate", json=ana.order(projectId=project_id))

    found = ana.get("/budgets").json()
    assert refused.status_code == 402
    error = refused.json()["error"]
    assert error["code"] == "budget_exceeded"
    assert error["limit"] == {
        "scope": "project",
        "id": project_id,
        "month": found["month"],
        "limitCredits": 99,
        "leftCredits": 49,
        "neededCredits": 50,
    }
    [of_project] = [each for each in found["budgets"] if each["scope"] == "project"]
    assert (of_project["mode"], of_project["takenCredits"], of_project["leftCredits"]) == ("stop", 50, 49)
    assert ana.send("PUT", "/budgets", json=body | {"limitCredits": None}).status_code == 200
    assert ana.post("/generate", json=ana.order(projectId=project_id)).status_code == 202


def test_batch_and_estimate_when_a_budget_stops(ana: Client) -> None:
    """A batch is refused whole; what it would cost is still told."""
    project_id = ana.project()
    assert ana.send("PUT", "/budgets", json={"scope": "workspace", "limitCredits": 120, "mode": "stop"}).is_success
    orders = [ana.order(projectId=project_id, prompt=f"take {number}") for number in range(3)]

    status, code, _ = refusal(ana.post("/generate-batch", json={"generations": orders}))

    assert (status, code) == (402, "budget_exceeded")
    assert ana.get("/budgets").json()["budgets"][0]["takenCredits"] == 0
    assert ana.get("/credits").json()["credits"]["held"] == 0


def test_budget_of_each_member(ana: Client) -> None:
    """It refuses as one of their own does, is shown with whose it is, and gives way to one of their own."""
    found = ana.send("PUT", "/budgets/each-member", json={"limitCredits": 60, "mode": "stop"}).json()
    assert found["eachMember"] == {"limitCredits": 60, "mode": "stop"}
    project_id = ana.project()
    assert ana.post("/generate", json=ana.order(projectId=project_id)).status_code == 202
    refused = ana.post("/generate", json=ana.order(projectId=project_id))
    assert refused.status_code == 402
    limit = refused.json()["error"]["limit"]
    assert (limit["scope"], limit["limitCredits"], limit["leftCredits"]) == ("member", 60, 10)

    assert ana.person is not None
    [mine] = [each for each in ana.get("/budgets").json()["budgets"] if each["scope"] == "member"]
    assert (mine["id"], mine["limitCredits"], mine["mode"], mine["isOfEach"]) == (ana.person.id, 60, "stop", True)
    own = {"scope": "member", "id": ana.person.id, "limitCredits": 500, "mode": "stop"}
    answer = ana.send("PUT", "/budgets", json=own).json()
    assert [each["isOfEach"] for each in answer["budgets"] if each["scope"] == "member"] == [False]
    assert ana.post("/generate", json=ana.order(projectId=project_id)).status_code == 202
    assert ana.send("PUT", "/budgets/each-member", json={"limitCredits": None}).json()["eachMember"] is None
    status, _, fields = refusal(ana.send("PUT", "/budgets/each-member", json={"limitCredits": 0}))
    assert (status, list(fields)) == (422, ["limitCredits"])
    script = with_scope(ana, Scope.GENERATE)
    assert script.send("PUT", "/budgets/each-member", json={"limitCredits": None}).status_code == 403


def with_scope(client: Client, scope: Scope) -> Client:
    """The same person with another token."""
    assert client.person is not None
    with db.write_session() as session:
        return replace(client, token=api_tokens.create(session, client.person.user, name="script", scope=scope))


def test_token_of_a_script_lifts_no_budget(ana: Client) -> None:
    """Setting budgets takes a token of scope admin, and the older call changes none that stops."""
    assert ana.send("PUT", "/budgets", json={"scope": "workspace", "limitCredits": 100, "mode": "stop"}).is_success
    script = with_scope(ana, Scope.GENERATE)

    assert script.send("PUT", "/budgets", json={"scope": "workspace", "limitCredits": None}).status_code == 403
    assert script.send("PUT", "/budgets/time-zone", json={"timeZone": "UTC"}).status_code == 403
    assert script.send("PUT", "/usage/budget", json={"monthlyBudgetCredits": None}).status_code == 409
    assert script.get("/budgets").json()["budgets"][0]["limitCredits"] == 100


def test_time_zone_of_the_months(ana: Client) -> None:
    """The month begins and ends by the clock of the workspace."""
    found = ana.send("PUT", "/budgets/time-zone", json={"timeZone": "Asia/Jakarta"}).json()

    assert found["timeZone"] == "Asia/Jakarta"
    assert found["beginsAt"] == f"{found['month']}-01T00:00:00+07:00"
    status, _, fields = refusal(ana.send("PUT", "/budgets/time-zone", json={"timeZone": "Mars"}))
    assert (status, list(fields)) == (422, ["timeZone"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "workspace"}, "limitCredits"),
        ({"scope": "planet", "limitCredits": 5}, "scope"),
        ({"scope": "workspace", "limitCredits": 0}, "limitCredits"),
        ({"scope": "workspace", "limitCredits": 5, "mode": "beg"}, "mode"),
    ],
)
def test_limit_that_cannot_be(ana: Client, body: dict[str, object], field: str) -> None:
    """A limit that cannot be is a field error."""
    status, _, fields = refusal(ana.send("PUT", "/budgets", json=body))

    assert (status, list(fields)) == (422, [field])


def test_limits_of_others(ana: Client, ben: Client) -> None:
    """Somebody else's project or person is not there."""
    project_id = ana.project()
    for body in ({"scope": "project", "id": project_id}, {"scope": "member", "id": new_id()}, {"scope": "member"}):
        assert ben.send("PUT", "/budgets", json=body | {"limitCredits": 5}).status_code == 404


def test_budget_refuses_no_order(ana: Client) -> None:
    """An exceeded budget warns; what there are credits for can be ordered all the same."""
    ana.send("PUT", "/usage/budget", json={"monthlyBudgetCredits": 1})

    assert ana.finished().credits == 50


def test_budget_of_a_project(ana: Client, ben: Client) -> None:
    """Its owner sets a project's budget; for others it does not exist."""
    project_id = ana.finished().project_id
    body = {"monthlyBudgetCredits": 500, "projectId": project_id}

    assert ben.send("PUT", "/usage/budget", json=body).status_code == 404
    assert ana.send("PUT", "/usage/budget", json=body).json()["month"]["budgetCredits"] == 500
    assert ana.get(f"/usage/month?projectId={project_id}").json()["month"]["budgetCredits"] == 500
    assert ana.get("/usage/month").json()["month"]["budgetCredits"] is None
    assert ben.get(f"/usage/month?projectId={project_id}").status_code == 404
    assert ana.get(f"/usage/month?projectId={new_id()}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "monthlyBudgetCredits"),
        ({"monthlyBudgetCredits": 0}, "monthlyBudgetCredits"),
        ({"monthlyBudgetCredits": 10**13}, "monthlyBudgetCredits"),
        ({"monthlyBudgetCredits": "many"}, "monthlyBudgetCredits"),
        ({"monthlyBudgetCredits": 5, "project": "x"}, "project"),
    ],
)
def test_budget_that_cannot_be(ana: Client, body: dict[str, object], field: str) -> None:
    """A budget that cannot be is a field error."""
    status, _, fields = refusal(ana.send("PUT", "/usage/budget", json=body))

    assert (status, list(fields)) == (422, [field])
