"""Every shipped provider keeps the contract; the rules are those of `core.providers.testing`, tried one by one."""

import pytest

from core.catalog import catalogue
from core.providers import registry
from core.providers.contract import Provider
from core.providers.testing import ProviderContract
from tests.providers.scripts import SCRIPTS

PRICED = {model_id for model_id, entry in catalogue.shipped().entries.items() if entry.prices}


class TestModelsLab(ProviderContract):
    provider = registry.provider_class("modelslab")
    script = SCRIPTS["modelslab"]
    prices = PRICED


class TestEdenAI(ProviderContract):
    provider = registry.provider_class("edenai")
    script = SCRIPTS["edenai"]
    prices = PRICED


class TestReplicate(ProviderContract):
    provider = registry.provider_class("replicate")
    script = SCRIPTS["replicate"]
    prices = PRICED


class TestFal(ProviderContract):
    provider = registry.provider_class("fal")
    script = SCRIPTS["fal"]
    prices = PRICED


class TestOpenRouter(ProviderContract):
    provider = registry.provider_class("openrouter")
    script = SCRIPTS["openrouter"]
    prices = PRICED


class TestBytePlus(ProviderContract):
    provider = registry.provider_class("byteplus")
    script = SCRIPTS["byteplus"]
    prices = PRICED


class TestGemini(ProviderContract):
    provider = registry.provider_class("gemini")
    script = SCRIPTS["gemini"]
    prices = PRICED


class TestMiniMax(ProviderContract):
    provider = registry.provider_class("minimax")
    script = SCRIPTS["minimax"]
    prices = PRICED


class TestKling(ProviderContract):
    provider = registry.provider_class("kling")
    script = SCRIPTS["kling"]
    prices = PRICED


class TestDemo(ProviderContract):
    provider = registry.provider_class("demo")
    script = SCRIPTS["demo"]
    prices = PRICED


@pytest.mark.parametrize("provider", registry.providers(), ids=lambda provider: provider.name)
def test_every_registered_provider_is_tried(provider: type[Provider]) -> None:
    """A provider in the registry has a script of its answers and a class above, and its models are looked up by id."""
    tried = {each.provider for each in ProviderContract.__subclasses__()}
    assert provider in tried
    assert provider.name in SCRIPTS
    assert all(registry.model(model.id) is model for model in provider.models)
