"""The catalogue over REST: everything said of models, saying something else, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest

from core.catalog import catalogue
from core.clock import utc_now
from core.installation import Installation
from tests.api.conftest import Client, arrive, refusal
from tests.api.test_workspaces import administrator
from tests.unit.test_overlay import ADDED

PRICE = {"modelId": "veo3", "kind": "price", "value": {"base_credits": 2600, "default_seconds": 8}}


@pytest.fixture
def root(installation: Installation) -> Client:
    """An administrator."""
    return administrator("root@example.org")


def said(caller: Client, model_id: str) -> dict[str, Any]:
    """One model of the catalogue."""
    models = caller.get("/catalogue").json()["models"]
    return next(model for model in models if model["id"] == model_id)


def test_catalogue_when_nothing_was_changed(root: Client) -> None:
    """All models of all files stand there, in their order, with what is said of them by day."""
    answer = root.get("/catalogue")

    assert answer.status_code == 200
    assert [model["id"] for model in answer.json()["models"]] == list(catalogue.shipped().entries)
    found = said(root, "veo3")
    assert found["prices"] == [{"since": "2026-11-01T00:00:00+00:00", "base_credits": 2500, "default_seconds": 8}]
    assert (found["added"], found["upstreamId"]) == (False, catalogue.shipped().get("veo3").model.upstream_id)


def test_price_when_it_is_changed_for_later(root: Client) -> None:
    """A coming price is listed, answers its repeat as before, and can be taken back until it begins."""
    begins = (utc_now() + timedelta(days=3)).replace(microsecond=0).isoformat()
    body, key = PRICE | {"since": begins}, {"Idempotency-Key": "one"}

    answers = [root.post("/catalogue/changes", json=body, headers=key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    made = answers[0].json()["change"]
    assert (made["modelId"], made["kind"], made["value"]) == ("veo3", "price", PRICE["value"])
    assert (made["author"], made["takenBack"]) == ("root@example.org", False)
    assert [price["base_credits"] for price in said(root, "veo3")["prices"]] == [2500, 2600]
    assert refusal(root.post("/catalogue/changes", json=body))[:2] == (409, "conflict")

    assert root.send("DELETE", f"/catalogue/changes/{made['id']}").json()["change"]["takenBack"] is True
    assert [price["base_credits"] for price in said(root, "veo3")["prices"]] == [2500]
    assert refusal(root.send("DELETE", f"/catalogue/changes/{made['id']}"))[0] == 409


def test_changes_when_there_are_several(root: Client) -> None:
    """They are listed newest first, a page at a time, of all models or of one; each is in the audit log."""
    for model_id in ("veo3", "veo2", "veo3"):
        body = {"modelId": model_id, "kind": "life", "value": {"state": "hidden"}}
        assert root.post("/catalogue/changes", json=body).status_code == 201

    first = root.get("/catalogue/changes?limit=2").json()
    rest = root.get(f"/catalogue/changes?limit=2&cursor={first['nextCursor']}").json()
    assert [made["modelId"] for made in (*first["changes"], *rest["changes"])] == ["veo3", "veo2", "veo3"]
    assert rest["nextCursor"] is None
    assert len(root.get("/catalogue/changes?modelId=veo2").json()["changes"]) == 1
    assert refusal(root.get("/catalogue/changes?modelId=nobody"))[0] == 404
    log = root.get("/audit-log?action=model").json()
    acts = log["entries"]
    assert [act["action"] for act in acts] == ["model.life_changed"] * 3
    assert {act["targetId"] for act in acts} == {"veo3", "veo2"}


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"modelId": "nobody"}, 404, None),
        ({"kind": "colour"}, 422, "kind"),
        ({"kind": "record"}, 422, "kind"),
        ({"kind": "taken_back"}, 422, "kind"),
        ({"since": "2026-01-01T00:00:00Z"}, 422, "since"),
        ({"since": "tomorrow"}, 422, "since"),
        ({"value": {"base_credits": "2600", "default_seconds": 8}}, 422, "value.base_credits"),
        ({"value": {"base_credits": 2600, "default_seconds": 8, "colour": 1}}, 422, "value.colour"),
        ({"kind": "life", "value": {"state": "hidden", "reason": "\x00"}}, 422, "value.reason"),
    ],
)
def test_change_that_cannot_be(root: Client, changes: dict[str, Any], status: int, field: str | None) -> None:
    """What is wrong is said on its field, and nothing is kept."""
    answer = refusal(root.post("/catalogue/changes", json=PRICE | changes))

    assert (answer[0], list(answer[2])) == (status, [field] if field else [])
    assert root.get("/catalogue/changes").json()["changes"] == []


def test_model_when_one_is_added(root: Client) -> None:
    """A model of a known provider is in the catalogue at once; what is wrong with a record is said on its field."""
    assert root.post("/catalogue/models", json={"record": ADDED}).status_code == 201

    found = said(root, "demo/short")
    assert (found["added"], found["provider"], found["state"]) == (True, "demo", "available")
    wrong = root.post("/catalogue/models", json={"record": ADDED | {"durations": [0]}})
    assert refusal(wrong)[0] == 422
    wrong = root.post("/catalogue/models", json={"record": ADDED | {"resolutions": [720]}})
    assert set(refusal(wrong)[2]) == {"record.resolutions[0]"}
    assert refusal(root.post("/catalogue/models", json={"record": ADDED | {"id": "veo3"}}))[0] == 409


def test_catalogue_is_for_administrators(root: Client, ana: Client) -> None:
    """Nobody else sees or changes it."""
    for caller in (ana, arrive("eve@example.org")):
        assert refusal(caller.get("/catalogue"))[0] == 403
        assert refusal(caller.post("/catalogue/changes", json=PRICE))[0] == 403
        assert refusal(caller.post("/catalogue/models", json={"record": ADDED}))[0] == 403
