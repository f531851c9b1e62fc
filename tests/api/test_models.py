import pytest

from core.installation import Installation
from tests.api.conftest import Client
from tests.factories import installations


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
