import json
from collections.abc import Iterator
from typing import Any

import pytest
import standardwebhooks

from core.api.openapi.sent_events import SentEvent
from core.ids import new_id
from core.installation import current
from core.notifications import outbox, webhook_sender
from tests.api.conftest import Client, refusal
from tests.factories import installations
from tests.fixtures import receiver as receivers
from tests.fixtures.receiver import Receiver


@pytest.fixture
def receiver(ana: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A webhook on loopback that this installation allows."""
    with receivers.receiver() as running:
        monkeypatch.setenv("WEBHOOK_ALLOW_HOSTS", running.host_port)
        installations.reopen()
        yield running


def registered(client: Client, url: str, **more: Any) -> dict[str, Any]:
    """The answer to a new webhook."""
    answer = client.post("/webhooks", json={"url": url} | more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def send() -> None:
    """Deliver what is due, as the dispatcher's process does."""
    for claimed in webhook_sender.claim(100):
        webhook_sender.deliver(current().settings, claimed)


def test_webhook_from_registration_to_delivery(ana: Client, receiver: Receiver) -> None:
    """A registered address gets the end of a generation, signed with the secret that was shown once."""
    made = registered(ana, receiver.url, description="Team")
    webhook = made["webhook"]
    assert (webhook["url"], webhook["description"], webhook["enabled"]) == (receiver.url, "Team", True)
    assert webhook["disabledAt"] is webhook["disabledReason"] is webhook["failingSince"] is None
    row = ana.finished()
    send()

    (call,) = receiver.calls
    event = standardwebhooks.Webhook(made["secret"]).verify(call.body, call.headers)
    assert (event["type"], event["data"]["id"]) == ("generation.completed", row.id)
    (delivery,) = ana.get(f"/webhooks/{webhook['id']}/deliveries").json()["deliveries"]
    assert delivery["eventId"] == call.headers["webhook-id"]
    assert (delivery["event"], delivery["generationId"]) == ("generation.completed", row.id)
    assert (delivery["state"], delivery["attempts"], delivery["lastStatus"]) == ("delivered", 1, 204)
    assert delivery["nextAt"] is delivery["lastError"] is None


def test_webhook_links_lead_to_the_generation(ana: Client, receiver: Receiver) -> None:
    """The paths in an event answer to its person's token."""
    registered(ana, receiver.url)
    row = ana.finished()
    send()
    links = json.loads(receiver.calls[0].body)["data"]["links"]
    assert ana.get(f"http://studio.test{links['generation']}").json()["generation"]["id"] == row.id
    assert ana.get(f"http://studio.test{links['download']}").status_code == 200


def test_secret_is_shown_once(ana: Client, receiver: Receiver) -> None:
    """Only creation and rotation tell a secret; each rotation tells another."""
    made = registered(ana, receiver.url)
    path = f"/webhooks/{made['webhook']['id']}"
    rotated = ana.post(f"{path}/rotate").json()

    assert rotated["secret"] != made["secret"]
    for answer in (ana.get("/webhooks"), ana.get(path), ana.send("PATCH", path, json={"description": "x"})):
        assert answer.status_code == 200
        assert "whsec_" not in answer.text


@pytest.mark.parametrize("url", ["http://93.184.216.34/", "https://127.0.0.1/", "https://169.254.169.254/", "nonsense"])
def test_address_when_it_may_not_be_sent_to(ana: Client, receiver: Receiver, url: str) -> None:
    """The same refusal at creation and at a change, which then changes nothing."""
    made = registered(ana, receiver.url)["webhook"]
    for answer in (
        ana.post("/webhooks", json={"url": url}),
        ana.send("PATCH", f"/webhooks/{made['id']}", json={"url": url, "enabled": False}),
    ):
        status, code, fields = refusal(answer)
        assert (status, code, set(fields)) == (422, "invalid_request", {"url"})
    assert ana.get("/webhooks").json()["webhooks"] == [made]


def test_webhook_stopped_started_deleted(ana: Client, receiver: Receiver) -> None:
    """A stopped one refuses tests with a sentence; a deleted one is gone."""
    made = registered(ana, receiver.url)["webhook"]
    path = f"/webhooks/{made['id']}"
    stopped = ana.send("PATCH", path, json={"enabled": False}).json()["webhook"]
    assert (stopped["enabled"], stopped["disabledReason"]) == (False, "person")
    assert refusal(ana.post(f"{path}/test"))[:2] == (409, "conflict")
    assert ana.send("PATCH", path, json={"enabled": True}).json()["webhook"] == made
    assert ana.post(f"{path}/test").status_code == 202
    send()
    assert json.loads(receiver.calls[0].body)["type"] == "webhook.test"
    assert ana.send("DELETE", path).json() == {"success": True}
    assert refusal(ana.get(path))[0] == 404
    assert ana.get("/webhooks").json()["webhooks"] == []


def test_replay_and_pages(ana: Client, receiver: Receiver) -> None:
    """A replay is a delivery of its own under the same event id; pages carry each delivery once, newest first."""
    path = f"/webhooks/{registered(ana, receiver.url)['webhook']['id']}"
    first = ana.post(f"{path}/test").json()["delivery"]
    send()
    again = ana.post(f"{path}/deliveries/{first['id']}/replay")
    assert again.status_code == 202
    assert again.json()["delivery"]["eventId"] == first["eventId"]
    send()
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert len(receiver.calls) == 2

    newest = ana.get(f"{path}/deliveries", params={"limit": 1}).json()
    rest = ana.get(f"{path}/deliveries", params={"limit": 1, "cursor": newest["nextCursor"]}).json()
    ids = [page["deliveries"][0]["id"] for page in (newest, rest)]
    assert ids == [again.json()["delivery"]["id"], first["id"]]
    assert rest["nextCursor"] is None


def test_foreign_webhook_looks_like_none(ana: Client, ben: Client, receiver: Receiver) -> None:
    """What is somebody else's does not exist, on every route; neither does a delivery of another webhook."""
    path = f"/webhooks/{registered(ana, receiver.url)['webhook']['id']}"
    delivery = ana.post(f"{path}/test").json()["delivery"]["id"]
    own = f"/webhooks/{registered(ben, receiver.url)['webhook']['id']}"
    other = f"/webhooks/{registered(ana, receiver.url)['webhook']['id']}"
    for answer in (
        ben.get(path),
        ben.send("PATCH", path, json={"enabled": False}),
        ben.send("PATCH", path, json={"url": "http://not-looked-at/"}),
        ben.send("DELETE", path),
        ben.post(f"{path}/rotate"),
        ben.post(f"{path}/test"),
        ben.get(f"{path}/deliveries"),
        ben.post(f"{path}/deliveries/{delivery}/replay"),
        ben.post(f"{own}/deliveries/{delivery}/replay"),
        ana.post(f"{other}/deliveries/{delivery}/replay"),
        ana.post(f"{path}/deliveries/{new_id()}/replay"),
        ana.post(f"{path}/deliveries/%00/replay"),
    ):
        assert refusal(answer)[:2] == (404, "not_found")
    assert ben.get("/webhooks").json()["webhooks"][0]["id"] == own.rpartition("/")[2]


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "url"), ({"url": 5}, "url"), ({"url": "https://a.example", "secret": "x"}, "secret")],
)
def test_body_when_it_is_wrong(ana: Client, body: dict[str, Any], field: str) -> None:
    """A missing, mistyped or unknown field is named."""
    status, _code, fields = refusal(ana.post("/webhooks", json=body))
    assert (status, set(fields)) == (422, {field})


def test_events_are_chosen(ana: Client, receiver: Receiver) -> None:
    """Without a choice a webhook is told all events; what it chose is shown and sent, nothing else."""
    every = list(outbox.ALL_EVENTS)
    webhook = registered(ana, receiver.url)["webhook"]
    assert webhook["events"] == every

    path = f"/webhooks/{webhook['id']}"
    changed = ana.send("PATCH", path, json={"events": ["generation.cancelled"]}).json()["webhook"]
    assert changed["events"] == ["generation.cancelled"]
    ana.finished()
    ana.post(f"/generations/{ana.generate()}/cancel")
    send()

    assert [json.loads(call.body)["type"] for call in receiver.calls] == ["generation.cancelled"]
    assert ana.send("PATCH", path, json={"events": every}).json()["webhook"]["events"] == every
    status, _code, fields = refusal(ana.send("PATCH", path, json={"events": ["generation.begun"]}))
    assert (status, set(fields)) == (422, {"events"})


def test_change_when_it_says_nothing(ana: Client, receiver: Receiver) -> None:
    """A change without any field is refused."""
    path = f"/webhooks/{registered(ana, receiver.url)['webhook']['id']}"
    assert refusal(ana.send("PATCH", path, json={}))[0] == 422


def test_event_is_as_the_document_says(ana: Client, nobody: Client, receiver: Receiver) -> None:
    """Every type of event is in the OpenAPI document, and what is sent has exactly the fields that stand there."""
    registered(ana, receiver.url)
    ana.finished()
    ana.post(f"/generations/{ana.generate()}/cancel")
    send()
    document = nobody.get("/openapi.json").json()
    assert set(document["webhooks"]) == set(outbox.ALL_EVENTS)
    shapes = document["components"]["schemas"]
    assert {call.headers["content-type"] for call in receiver.calls} == {"application/json"}
    sent = [json.loads(call.body) for call in receiver.calls]
    assert {event["type"] for event in sent} == {"generation.completed", "generation.cancelled"}
    for event in sent:
        assert set(event) == set(shapes["SentEvent"]["properties"])
        assert set(event["data"]) == set(shapes["SentData"]["properties"])
        assert SentEvent.model_validate(event).data.status == event["type"].rpartition(".")[2]
