"""How a person is told, over REST: the same ways and checks as on the account page."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import standardwebhooks

from core import db
from core.db.enums import Scope
from core.identity import api_tokens
from core.installation import current
from core.notifications import ways
from core.redaction import shown_address
from tests.api.conftest import Client, arrive, refusal
from tests.factories import installations
from tests.factories.notices import send_due
from tests.fixtures import receiver as receivers
from tests.fixtures.receiver import Receiver


@pytest.fixture
def receiver(ana: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Somebody's chat or webhook on loopback, which this installation allows."""
    with receivers.receiver() as running:
        monkeypatch.setenv("WEBHOOK_ALLOW_HOSTS", running.host_port)
        installations.reopen()
        yield running


@pytest.fixture
def mailing(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that sends mail."""
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_FROM", "video@example.org")
    installations.reopen()


def set_up(client: Client, way: str, **more: Any) -> dict[str, Any]:
    """The answer to a way that was set up."""
    answer = client.send("PUT", "/ways", json={"way": way} | more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def listed(client: Client) -> dict[str, dict[str, Any]]:
    """How somebody is told, by way."""
    return {each["way"]: each for each in client.get("/ways").json()["ways"]}


def test_webhook_from_setting_it_up_to_a_message(ana: Client, receiver: Receiver) -> None:
    """Its secret is told once, its address never whole; a test and what follows are signed with it; then it is gone."""
    made = set_up(ana, "webhook", address=receiver.url)
    own = f"/ways/{made['way']['id']}"
    assert made["secret"].startswith("whsec_")
    assert made["way"]["enabled"] is True
    assert made["way"]["address"] == shown_address(receiver.url) != receiver.url
    again = set_up(ana, "webhook", address=receiver.url)
    assert (again["secret"], again["way"]["id"]) == (None, made["way"]["id"])
    assert made["secret"] not in ana.get("/ways").text

    assert ana.post(f"{own}/test").status_code == 202
    assert refusal(ana.post(f"{own}/test"))[0] == 429
    send_due(current().settings)
    [call] = receiver.calls
    said = standardwebhooks.Webhook(made["secret"]).verify(call.body, call.headers)
    assert (said["data"]["kind"], said) == ("test", json.loads(call.body))

    assert ana.send("DELETE", own).status_code == 200
    assert list(listed(ana)) == ["inbox"]
    assert set_up(ana, "webhook", address=receiver.url)["secret"] not in (None, made["secret"])


def test_kinds_that_take_a_way(ana: Client, receiver: Receiver) -> None:
    """Of those that can be switched off just the ones that are named; the inbox, too."""
    way = set_up(ana, "slack", address=receiver.url, kinds=["clips_failed"])["way"]
    assert way["kinds"] == ["clips_failed"]
    ana.finished()
    send_due(current().settings)
    assert receiver.calls == []
    changed = ana.send("PATCH", f"/ways/{way['id']}", json={"kinds": ["clips_done", "clips_failed"]}).json()["way"]
    assert changed["kinds"] == ["clips_done", "clips_failed"]
    ana.finished()
    send_due(current().settings)
    assert len(receiver.calls) == 1
    assert listed(ana)["inbox"]["kinds"] == [kind.value for kind in ways.KINDS]
    set_up(ana, "inbox", kinds=["clips_failed"])
    before = len(ana.get("/notices").json()["notices"])
    ana.finished()
    assert len(ana.get("/notices").json()["notices"]) == before
    inbox = listed(ana)["inbox"]
    assert refusal(ana.send("PATCH", f"/ways/{inbox['id']}", json={"enabled": False}))[0] == 422


def test_way_that_is_turned_off(ana: Client, receiver: Receiver) -> None:
    """Nothing is sent by it until it is on again."""
    way = set_up(ana, "teams", address=receiver.url)["way"]
    for is_on, calls in ((False, 0), (True, 1)):
        answer = ana.send("PATCH", f"/ways/{way['id']}", json={"enabled": is_on})
        assert answer.json()["way"]["enabled"] is is_on
        ana.finished()
        send_due(current().settings)
        assert len(receiver.calls) == calls


@pytest.mark.usefixtures("mailing")
def test_mail_once_a_day(ana: Client) -> None:
    """Mail goes to the address its person signs in with, also once a day in the morning of a time zone."""
    way = set_up(ana, "email")["way"]
    assert (way["address"], way["dailyAt"]) == ("ana@example.org", None)
    own = f"/ways/{way['id']}"
    daily = ana.send("PATCH", own, json={"daily": True, "timeZone": "Asia/Jakarta"}).json()["way"]
    assert daily["dailyAt"].endswith("T01:00:00Z")
    moved = ana.send("PATCH", own, json={"timeZone": "UTC"}).json()["way"]
    assert moved["dailyAt"].endswith("T08:00:00Z")
    assert ana.send("PATCH", own, json={"daily": False}).json()["way"]["dailyAt"] is None
    assert refusal(ana.send("PATCH", own, json={"timeZone": "Mars"}))[0] == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"way": "webhook", "address": "http://169.254.169.254/latest"}, "url"),
        ({"way": "webhook", "address": "https://127.0.0.1/hook"}, "url"),
        ({"way": "slack"}, "url"),
        ({"way": "email", "address": "https://hooks.example.org"}, "address"),
        ({"way": "pigeon"}, "way"),
    ],
)
def test_way_that_cannot_be(ana: Client, body: dict[str, str], field: str) -> None:
    """Private networks are refused as on the page, and so is an address where there is none."""
    status, _, fields = refusal(ana.send("PUT", "/ways", json=body))
    assert (status, list(fields)) == (422, [field])


def test_mail_where_none_is_sent(ana: Client) -> None:
    """It is a conflict, as on the page."""
    assert refusal(ana.send("PUT", "/ways", json={"way": "email"}))[0] == 409


def test_ways_of_others(ana: Client, ben: Client) -> None:
    """They are not there, and a token of less than all workspaces or of a lower scope does not reach them."""
    own = f"/ways/{ana.way()}"
    assert ana.person is not None
    assert [ben.send("PATCH", own, json={"enabled": False}).status_code, ben.post(f"{own}/test").status_code] == [
        404
    ] * 2
    assert ben.send("DELETE", own).status_code == 404
    with db.write_session() as session:
        token = api_tokens.create(
            session, ana.person.user, name="here", scope=Scope.ADMIN, workspace_id=ana.person.workspace_id
        )
    here = replace(ana, token=token)
    assert [here.get("/ways").status_code, here.send("DELETE", own).status_code] == [403, 403]
    assert arrive("eve@example.org", scope=Scope.GENERATE).get("/ways").status_code == 403
