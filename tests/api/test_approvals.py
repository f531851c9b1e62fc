"""Approvals over REST: who waits, the decision, what makers and their scripts are told, and when it is asked."""

from dataclasses import replace

import pytest

from core import db
from core.db.enums import Scope, WorkspaceRole
from core.generations.approvals import MOST
from core.identity import api_tokens
from core.ids import new_id
from core.workspaces.access import Member
from tests.api.conftest import Client, refusal
from tests.factories.generations import load_generation
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, put_in


def enter(client: Client, person: Member) -> Client:
    """The same API, with a token of somebody who is at work in a workspace."""
    with db.write_session() as session:
        token = api_tokens.create(
            session, person.user, name="test", scope=Scope.ADMIN, workspace_id=person.workspace_id
        )
    return replace(client, person=person, token=token)


@pytest.fixture
def team(ana: Client) -> tuple[Client, Client]:
    """Ana and Cas, who manage the workspace where Ana orders; it asks for approval of everything."""
    assert ana.person is not None
    cas = put_in(
        db.default(), create_member(db.default(), "cas@example.org"), ana.person.workspace_id, WorkspaceRole.MANAGER
    )
    assert ana.send("PUT", "/approvals/rule", json={"aboveCredits": 0, "overBudget": False}).status_code == 200
    return ana, enter(ana, cas)


def test_order_waits_and_is_approved(team: tuple[Client, Client]) -> None:
    """The order says that it waits, so does its status; a manager sees all that is needed, and says yes."""
    ana, cas = team
    answer = ana.post("/generate", json=ana.order())
    assert answer.status_code == 202
    made = answer.json()["generation"]
    assert (made["status"], made["creditUsed"], made["awaitingApproval"]) == ("pending", 50, True)
    assert answer.json()["message"].startswith("50 credits are reserved. A manager has to approve it first.")
    status = ana.get(f"/generations/{made['id']}/status").json()["status"]
    assert (status["status"], status["awaitingApproval"]) == ("pending", True)
    clip = ana.get(f"/generations/{made['id']}").json()["generation"]
    assert (clip["stage"], clip["approval"]["cause"], clip["approval"]["decision"]) == ("approval", "price", None)
    assert ana.get("/approvals").json() == {"success": True, "approvals": [], "nextCursor": None}

    [waiting] = cas.get("/approvals").json()["approvals"]
    assert (waiting["id"], waiting["credits"], waiting["cause"]) == (made["id"], 50, "price")
    assert waiting["breakdown"] == {"base": 50}
    assert waiting["generation"]["prompt"] == clip["prompt"]
    assert waiting["lapsesAt"] == clip["approval"]["lapsesAt"]
    decided = cas.post(f"/approvals/{made['id']}", json={"decision": "approve", "note": "Go"})
    assert decided.status_code == 200
    assert (decided.json()["status"], decided.json()["stage"]) == ("pending", "queued")

    assert "awaitingApproval" not in ana.get(f"/generations/{made['id']}/status").json()["status"]
    approval = ana.get(f"/generations/{made['id']}").json()["generation"]["approval"]
    assert (approval["decision"], approval["note"], approval["lapsesAt"]) == ("approved", "Go", None)


def test_declined_says_why(team: tuple[Client, Client]) -> None:
    """It is cancelled, and its maker reads the word where an error is read."""
    ana, cas = team
    made = ana.post("/generate", json=ana.order()).json()["generation"]["id"]
    assert refusal(cas.post(f"/approvals/{made}", json={"decision": "decline"}))[:2] == (422, "invalid_request")
    assert cas.post(f"/approvals/{made}", json={"decision": "decline", "note": "Too dear"}).status_code == 200
    status = ana.get(f"/generations/{made}/status").json()["status"]
    assert (status["status"], status["errorCode"]) == ("cancelled", "approval_declined")
    assert status["errorMessage"].endswith(": Too dear")
    again = refusal(cas.post(f"/approvals/{made}", json={"decision": "approve"}))
    assert again[:2] == (409, "already_decided")


def test_own_order_is_refused(team: tuple[Client, Client]) -> None:
    """By the one and by the many, with a code of its own."""
    ana, _cas = team
    made = ana.post("/generate", json=ana.order()).json()["generation"]["id"]
    assert refusal(ana.post(f"/approvals/{made}", json={"decision": "approve"}))[:2] == (403, "own_order")
    many = ana.post("/approvals", json={"decision": "approve", "generationIds": [made]}).json()
    assert (many["decided"], [each["code"] for each in many["refused"]]) == ([], ["own_order"])
    assert load_generation(made).stage == "approval"


def test_batch_is_one_order(team: tuple[Client, Client]) -> None:
    """Several at once have one press, come in pages, and are decided together; what is not there is told apart."""
    ana, cas = team
    orders = [ana.order(prompt=f"take {n}") for n in range(3)]
    answer = ana.post("/generate-batch", json={"generations": orders}).json()
    assert [each["awaitingApproval"] for each in answer["generations"]] == [True] * 3
    assert "A manager has to approve them first." in answer["message"]
    ids = [each["id"] for each in answer["generations"]]
    page = cas.get("/approvals?limit=2").json()
    rest = cas.get(f"/approvals?limit=2&cursor={page['nextCursor']}").json()
    found = [*page["approvals"], *rest["approvals"]]
    assert [each["id"] for each in found] == ids
    assert rest["nextCursor"] is None
    assert {(each["pressId"], each["pressCredits"]) for each in found} == {(ids[0], 150)}

    missing = new_id()
    many = cas.post("/approvals", json={"decision": "approve", "generationIds": [*ids, missing]}).json()
    assert many["decided"] == ids
    assert [(each["id"], each["code"]) for each in many["refused"]] == [(missing, "not_found")]
    too_many = {"decision": "approve", "generationIds": [new_id()] * (MOST + 1)}
    assert cas.post("/approvals", json=too_many).status_code == 422


def test_retry_waits_as_well(team: tuple[Client, Client]) -> None:
    """Ordering a cancelled one again asks again."""
    ana, _cas = team
    made = ana.post("/generate", json=ana.order()).json()["generation"]["id"]
    assert ana.post(f"/generations/{made}/cancel").status_code == 200
    again = ana.post(f"/generations/{made}/retry").json()["generation"]
    assert again["awaitingApproval"] is True


def test_rule_is_told_and_set(ana: Client) -> None:
    """None at first; both parts are set together, and a price that is none is refused by its field."""
    assert ana.get("/approvals/rule").json() == {"success": True, "aboveCredits": None, "overBudget": False}
    rule = {"aboveCredits": 500, "overBudget": True}
    assert ana.send("PUT", "/approvals/rule", json=rule).json() == {"success": True, **rule}
    assert ana.get("/approvals/rule").json() == {"success": True, **rule}
    status, code, fields = refusal(ana.send("PUT", "/approvals/rule", json=rule | {"aboveCredits": -1}))
    assert (status, code, list(fields or {})) == (422, "invalid_request", ["aboveCredits"])
    assert "awaitingApproval" not in ana.post("/generate", json=ana.order()).json()["generation"]


def test_administrator_sees_no_prompt(ana: Client) -> None:
    """Where nobody but its maker manages, an administrator decides, by price and person alone."""
    ana.send("PUT", "/approvals/rule", json={"aboveCredits": 0, "overBudget": False})
    made = ana.post("/generate", json=ana.order(prompt="secret")).json()["generation"]["id"]
    root = enter(ana, create_admin(db.default()))
    assert root.get("/approvals").json()["approvals"] == []  # a token of one workspace reaches no other
    with db.write_session() as session:
        assert root.person is not None
        token = api_tokens.create(session, root.person.user, name="all", scope=Scope.ADMIN)
    root = replace(root, token=token)
    answer = root.get("/approvals")
    [waiting] = answer.json()["approvals"]
    assert waiting["generation"] is None
    assert "secret" not in answer.text
    assert root.post(f"/approvals/{made}", json={"decision": "approve"}).status_code == 200
    assert load_generation(made).stage == "queued"


def test_token_that_orders_decides_nothing(team: tuple[Client, Client]) -> None:
    """The decision needs a token that manages; one that orders reads the list."""
    ana, cas = team
    made = ana.post("/generate", json=ana.order()).json()["generation"]["id"]
    assert cas.person is not None
    with db.write_session() as session:
        token = api_tokens.create(
            session, cas.person.user, name="orders", scope=Scope.GENERATE, workspace_id=cas.person.workspace_id
        )
    script = replace(cas, token=token)
    assert len(script.get("/approvals").json()["approvals"]) == 1
    assert script.post(f"/approvals/{made}", json={"decision": "approve"}).status_code == 403
    assert load_generation(made).stage == "approval"
