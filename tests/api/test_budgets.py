import pytest

from core.clock import utc_now
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
