"""Which providers and models exist; the only way to look one up. It knows no price and no setting."""

import importlib.metadata
import pkgutil
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache, lru_cache

import httpx

from core import errors
from core.messages import N_, message
from core.providers import constraints
from core.providers.contract import Provider
from core.providers.models import VideoModel
from core.startup import StartError

LONGEST_CLIP_SECONDS = 86_400
LONGEST_DEADLINE_SECONDS = 30 * 86_400
"""Beyond these somebody has mistyped, and an order of such a model would be a figure that no column has a place for."""
MOST_PIXELS_A_SIDE = 32_768


@dataclass(frozen=True)
class Access:
    """What it takes to reach a provider; an empty `base_url` means the vendor's own."""

    key: str = field(repr=False)
    base_url: str


class Registry:
    """Providers and their models in the order they were registered."""

    def __init__(self) -> None:
        self._providers: dict[str, type[Provider]] = {}
        self._models: dict[str, VideoModel] = {}
        self._hidden: frozenset[str] = frozenset()

    def register(self, provider_class: type[Provider]) -> None:
        """Add a provider and its models; ValueError for what would be ambiguous or could never be asked for."""
        name = provider_class.name
        if name in self._providers:
            raise ValueError(f"There is already a provider named '{name}'.")
        if not provider_class.models:
            raise ValueError(f"The provider '{name}' has no models.")
        found = dict(self._models)
        for model in provider_class.models:
            if model.id in found:
                raise ValueError(f"There is already a model '{model.id}', of {found[model.id].provider}.")
            check_model(model, provider=name)
            found[model.id] = model
        self._models = found
        self._providers[name] = provider_class

    def put(self, provider_class: type[Provider]) -> None:
        """Register a provider, or put it in the place of the one of its name that it extends; as `register` does."""
        name = provider_class.name
        if name not in self._providers:
            self.register(provider_class)
            return
        others = Registry()
        for known in self._providers.values():
            others.register(provider_class if known.name == name else known)
        self._providers, self._models = others._providers, others._models

    def hide(self, model_ids: Collection[str]) -> None:
        """Offer models to nobody; ValueError for one that there is not."""
        if unknown := sorted(set(model_ids) - set(self._models)):
            raise ValueError(f"There is no model {', '.join(unknown)}. There are: {', '.join(self._models)}.")
        self._hidden |= frozenset(model_ids)

    @property
    def hidden(self) -> frozenset[str]:
        """Ids of models that the installation's own file hides."""
        return self._hidden

    def providers(self) -> tuple[type[Provider], ...]:
        """All providers."""
        return tuple(self._providers.values())

    def provider_class(self, name: str) -> type[Provider]:
        """A provider by name; a stand-in for one that is not here any more, since its clips still are."""
        return self._providers.get(name) or _removed(name)

    def is_registered(self, name: str) -> bool:
        """Whether there is such a provider."""
        return name in self._providers

    def models(self) -> tuple[VideoModel, ...]:
        """All models of all providers."""
        return tuple(self._models.values())

    def model(self, model_id: str) -> VideoModel:
        """A model by id; NotFound names those there are."""
        try:
            return self._models[model_id]
        except KeyError:
            known = ", ".join(self._models)
            raise errors.NotFound(message("no_such_model", model_id=model_id, known=known)) from None

    def find_model(self, model_id: str) -> VideoModel | None:
        """A model by id; None for one that is not here any more."""
        return self._models.get(model_id)

    def connect(self, name: str, *, client: httpx.AsyncClient, access: Access) -> Provider:
        """A provider ready to be called. Raises ProviderRemoved, or ProviderNotConfigured without a usable key."""
        if not self.is_registered(name):
            raise errors.ProviderRemoved(detail=name)
        provider_class = self.provider_class(name)
        if provider_class.needs_key and not access.key:
            raise errors.ProviderNotConfigured
        if not all("!" <= letter <= "~" for letter in access.key):
            # No header may hold it, or not at its end, and the HTTP library's complaint would quote it.
            raise errors.ProviderNotConfigured(message("unusable_provider_key", provider=provider_class.display_name))
        return provider_class(client=client, key=access.key, base_url=access.base_url)


class RemovedProvider(Provider):
    """Stands for a provider that is not here any more: its clips can be shown and decided on, and nothing asked."""

    models = ()
    default_base_url = ""
    cancel_note = N_("This provider is not part of this installation any more, so that it cannot be asked to stop.")


@cache
def _removed(name: str) -> type[Provider]:
    return type("RemovedProvider", (RemovedProvider,), {"name": name, "display_name": name})


def check_model(model: VideoModel, *, provider: str) -> None:
    """ValueError when a model's declaration cannot be offered as it stands."""
    if model.provider != provider:
        raise ValueError(f"The model '{model.id}' says it belongs to '{model.provider}', not to '{provider}'.")
    if not (model.durations and model.resolutions and model.aspect_ratios):
        raise ValueError(f"The model '{model.id}' needs at least one duration, resolution and aspect ratio.")
    if list(model.durations) != sorted(set(model.durations)) or model.durations[0] <= 0:
        raise ValueError(f"The durations of '{model.id}' must be positive and ascending.")
    if model.default_seconds not in model.durations:
        raise ValueError(f"The model '{model.id}' cannot make its own default of {model.default_seconds} s.")
    for name, value, limit_chars in (("id", model.id, 80), ("name", model.name, 120)):
        if not value.strip() or len(value) > limit_chars or not value.isprintable():
            raise ValueError(f"The model '{model.id}' needs a {name} of 1 to {limit_chars} characters.")
    if not _MODEL_ID.fullmatch(model.id):
        raise ValueError(f"The id '{model.id}' of a model may hold letters, digits and . _ : / - only.")
    if not (model.text_to_video or model.start_image):
        raise ValueError(f"The model '{model.id}' makes clips neither from text nor from an image.")
    if model.end_image_needs_start and not (model.start_image and model.end_image):
        raise ValueError(f"The model '{model.id}' cannot need a start image with an end image, since it takes no such.")
    if model.durations[-1] > LONGEST_CLIP_SECONDS:
        raise ValueError(f"The model '{model.id}' makes clips longer than {LONGEST_CLIP_SECONDS} s.")
    if not 0 < model.typical_seconds < model.deadline_seconds <= LONGEST_DEADLINE_SECONDS:
        limit = f"and be at most {LONGEST_DEADLINE_SECONDS} s"
        raise ValueError(f"The deadline of '{model.id}' must lie beyond its typical seconds, {limit}.")
    if model.prompt_limit_chars <= 0:
        raise ValueError(f"The model '{model.id}' must take a prompt of some length.")
    if too_long := next((each for each in (*model.resolutions, *model.aspect_ratios) if len(each) > 10), None):
        raise ValueError(f"The model '{model.id}': '{too_long}' is longer than 10 characters.")
    for pair in ((resolution, ratio) for resolution in model.resolutions for ratio in model.aspect_ratios):
        try:
            size = model.frame_size(*pair)
        except ValueError as wrong:
            raise ValueError(f"The model '{model.id}': {wrong}") from None
        if max(size) > MOST_PIXELS_A_SIDE:
            raise ValueError(f"The model '{model.id}' makes frames of more than {MOST_PIXELS_A_SIDE} pixels a side.")
    if wrongs := constraints.mistakes(model):
        raise ValueError(f"The model '{model.id}': {' '.join(wrongs)}")


_MODEL_ID = re.compile(r"[A-Za-z0-9][\w.:/-]*", re.A)

PROVIDERS = (
    "core.providers.adapters.modelslab:ModelsLab",
    "core.providers.adapters.edenai:EdenAI",
    "core.providers.adapters.replicate:Replicate",
    "core.providers.adapters.fal:Fal",
    "core.providers.adapters.openrouter:OpenRouter",
    "core.providers.adapters.kling:Kling",
    "core.providers.adapters.byteplus:BytePlus",
    "core.providers.adapters.gemini:Gemini",
    "core.providers.adapters.minimax:MiniMax",
    "core.providers.adapters.demo:Demo",
)
"""Every provider that is shipped, one line each, in the order they are listed to people."""

ENTRY_POINTS = "ai_video_generator.providers"
"""The group of entry points under which other packages bring providers; the name of each is the provider's."""


def make() -> Registry:
    """A registry of all `PROVIDERS` and of those of other packages. Raises StartError that names a package's fault."""
    registry = Registry()
    for place in PROVIDERS:
        registry.register(pkgutil.resolve_name(place))
    for entry in sorted(importlib.metadata.entry_points(group=ENTRY_POINTS), key=lambda each: each.name):
        of_package = f"The provider '{entry.name}' of the package {entry.dist.name if entry.dist else entry.value}"
        try:
            provider_class = entry.load()
        except Exception as failure:  # whatever another's package breaks with
            raise StartError(f"{of_package} cannot be loaded: {failure!r}") from failure
        if not (isinstance(provider_class, type) and issubclass(provider_class, Provider)):
            raise StartError(f"{of_package} is no class of providers: {entry.value}.")
        try:
            registry.register(provider_class)
        except ValueError as wrong:
            raise StartError(f"{of_package} cannot be used. {wrong}") from wrong
    return registry


def default() -> Registry:
    """The registry of this process: the one that is in use, else one of `make`, made when first asked for."""
    return _in_use[0] if _in_use else _made()


def use(known: Registry | None) -> None:
    """Let this process have another registry, such as one with further vendors; None: its own again."""
    _in_use[:] = [] if known is None else [known]


@lru_cache(maxsize=1)
def _made() -> Registry:
    return make()


_in_use: list[Registry] = []


def register(provider_class: type[Provider]) -> None:
    """See `Registry.register`."""
    default().register(provider_class)


def providers() -> tuple[type[Provider], ...]:
    """See `Registry.providers`."""
    return default().providers()


def provider_class(name: str) -> type[Provider]:
    """See `Registry.provider_class`."""
    return default().provider_class(name)


def is_registered(name: str) -> bool:
    """See `Registry.is_registered`."""
    return default().is_registered(name)


def find_model(model_id: str) -> VideoModel | None:
    """See `Registry.find_model`."""
    return default().find_model(model_id)


def models() -> tuple[VideoModel, ...]:
    """See `Registry.models`."""
    return default().models()


def model(model_id: str) -> VideoModel:
    """See `Registry.model`."""
    return default().model(model_id)


def connect(name: str, *, client: httpx.AsyncClient, access: Access) -> Provider:
    """See `Registry.connect`."""
    return default().connect(name, client=client, access=access)
