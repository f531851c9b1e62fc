"""The list of providers there are; each is one line here."""

import pkgutil

from core.providers import registry

PROVIDERS = (
    "core.providers.modelslab:ModelsLab",
    "core.providers.edenai:EdenAI",
    "core.providers.replicate:Replicate",
    "core.providers.fal:Fal",
    "core.providers.demo:Demo",
)

for place in PROVIDERS:
    registry.register(pkgutil.resolve_name(place))
