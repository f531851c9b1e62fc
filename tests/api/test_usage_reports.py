"""Saved views that are sent to their person, over REST."""

from dataclasses import replace
from typing import Any

import pytest

from core import db
from core.db.enums import NoticeWay
from core.identity import api_tokens
from core.notifications import ways
from core.notifications.webhooks import ValidUrl
from tests.api.conftest import Client, arrive, refusal


def view_of(client: Client, **view: Any) -> str:
    """The id of a saved view."""
    return str(client.post("/usage-views", json={"name": f"View {view}", "view": view}).json()["savedView"]["id"])


def by_webhook(client: Client) -> None:
    """Let somebody have a webhook of their own."""
    assert client.person is not None
    with db.write_session() as session:
        ways.set_address(session, client.person, NoticeWay.WEBHOOK, ValidUrl("https://hooks.example.org/told"))


def test_report_is_set_changed_and_stopped(ana: Client) -> None:
    """One for a view and way; the zone is the workspace's unless it is said; nothing was sent yet."""
    by_webhook(ana)
    body = {"viewId": view_of(ana, period="last-month"), "way": "webhook", "every": "monthly"}
    made = ana.send("PUT", "/usage-reports", json=body).json()["usageReport"]
    assert (made["timeZone"], made["isWayOn"], made["lastPeriod"], made["error"]) == ("UTC", True, None, None)
    assert made["nextAt"].endswith("-01T08:00:00Z")
    changed = ana.send("PUT", "/usage-reports", json=body | {"every": "daily", "timeZone": "Asia/Jakarta"}).json()
    assert changed["usageReport"]["id"] == made["id"]
    assert changed["usageReport"]["nextAt"].endswith("T01:00:00Z")
    assert ana.get("/usage-reports").json()["usageReports"] == [changed["usageReport"]]
    assert ana.send("DELETE", f"/usage-reports/{made['id']}").status_code == 200
    assert ana.get("/usage-reports").json()["usageReports"] == []
    assert ana.send("DELETE", f"/usage-reports/{made['id']}").status_code == 404


def test_report_of_somebody_else(ana: Client, ben: Client) -> None:
    """It is not there for others, neither is a view that is not shared."""
    for each in (ana, ben):
        by_webhook(each)
    own = ana.usage_report()
    assert ben.send("DELETE", f"/usage-reports/{own}").status_code == 404
    body = {"viewId": view_of(ana), "way": "webhook", "every": "daily"}
    assert ben.send("PUT", "/usage-reports", json=body).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"way": "slack"}, "way"), ({"every": "hourly"}, "every"), ({"timeZone": "Mars"}, "timeZone")],
)
def test_report_that_cannot_be(ana: Client, changes: dict[str, str], field: str) -> None:
    """It is a field error; a way that is not set up is not there."""
    body = {"viewId": view_of(ana), "way": "webhook", "every": "daily"}
    assert ana.send("PUT", "/usage-reports", json=body).status_code == 404
    by_webhook(ana)
    status, _, fields = refusal(ana.send("PUT", "/usage-reports", json=body | changes))
    assert (status, list(fields)) == (422, [field])


def test_token_of_one_workspace(ana: Client) -> None:
    """It can have that workspace's figures sent, and not those of all of its person's."""
    assert ana.person is not None
    by_webhook(ana)
    with db.write_session() as session:
        token = api_tokens.create(session, ana.person.user, name="here", workspace_id=ana.person.workspace_id)
    here = replace(ana, token=token)
    for whose, status in (("present", 200), ("mine", 403)):
        body = {"viewId": view_of(here, workspaces=whose), "way": "webhook", "every": "daily"}
        assert here.send("PUT", "/usage-reports", json=body).status_code == status
    assert arrive("eve@example.org").get("/usage-reports").json()["usageReports"] == []
