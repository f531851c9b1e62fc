import pytest

from core import db
from core.db.enums import ChangeKind
from core.installation import Installation
from tests.api.conftest import Client, refusal
from tests.factories import installations
from tests.factories.catalogue import say, withdraw


def test_models_have_the_published_shape(ana: Client) -> None:
    """Every model tells what it makes, what it costs and whether it can be used here."""
    answer = ana.get("/models").json()

    assert answer["success"] is True
    models = {model["id"]: model for model in answer["models"]}
    assert {
        "id",
        "name",
        "provider",
        "description",
        "defaultDuration",
        "maxDuration",
        "resolutions",
        "aspectRatios",
        "supportsTextToVideo",
        "supportsImageToVideo",
        "supportsNegativePrompt",
        "supportsAudioGeneration",
        "baseCredits",
        "configured",
    } <= set(models["veo3"])
    veo3 = models["veo3"]
    assert (veo3["name"], veo3["provider"], veo3["baseCredits"]) == ("Google Veo 3", "modelslab", 2500)
    assert (veo3["defaultDuration"], veo3["maxDuration"]) == (8, 8)
    assert veo3["configured"] is False
    assert models["demo-film"]["configured"] is True


def test_a_key_makes_a_provider_configured(
    ana: Client, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key in the environment its models can be used; the key itself is told to nobody."""
    monkeypatch.setenv("MODELSLAB_API_KEY", "key-that-stays-inside")
    installations.reopen()

    models, providers = ana.get("/models"), ana.get("/providers")

    assert [m["configured"] for m in models.json()["models"] if m["id"] == "veo3"] == [True]
    assert {p["name"] for p in providers.json()["providers"] if p["configured"]} == {"modelslab", "demo"}
    assert "key-that-stays-inside" not in models.text + providers.text


def test_providers_shape(ana: Client) -> None:
    """Every provider tells its models and what cancelling means."""
    answer = ana.get("/providers").json()

    assert answer["success"] is True
    for provider in answer["providers"]:
        assert set(provider) == {
            "name",
            "displayName",
            "configured",
            "state",
            "sentence",
            "keyWorks",
            "inFlight",
            "successRateWeek",
            "medianSecondsWeek",
            "models",
            "canCancel",
            "cancelNote",
        }
        assert provider["models"]


def test_models_that_have_ended(ana: Client) -> None:
    """They are listed with their price, why they cannot be ordered, and what to order instead; hidden ones are not."""
    say(db.default(), "svd", ChangeKind.LIFE, {"state": "hidden"})
    models = {model["id"]: model for model in ana.get("/models").json()["models"]}

    assert "svd" not in models
    veo3, demo = models["veo3"], models["demo-film"]
    assert (veo3["state"], veo3["successor"], veo3["baseCredits"]) == ("withdrawn", "fal-veo-3.1-fast", 2500)
    assert (veo3["since"], veo3["reason"]) == ("2026-06-30T00:00:00Z", "Google has ended it.")
    assert (demo["state"], demo["successor"], demo["since"], demo["reason"]) == ("available", None, None, "")


def test_order_of_a_model_that_has_ended(ana: Client) -> None:
    """It is refused for good, on its field, with what to order instead; its price can still be asked."""
    withdraw(db.default(), "demo-film", successor="kling-2.5")
    said = "Demo Film has ended. Use Kling 2.5 instead."

    order, estimate = ana.post("/generate", json=ana.order()), ana.post("/estimate-credits", json=ESTIMATE)

    assert refusal(order) == (422, "model_not_offered", {"modelId": said})
    found = estimate.json()["estimate"]
    assert (found["total"], found["feasible"]) == (50, False)
    assert [(reason["field"], reason["message"]) for reason in found["reasons"]] == [("modelId", said)]


ESTIMATE = {"modelId": "demo-film", "resolution": "720p", "duration": 5}
