"""Which models can be ordered: those of the registry that have a price. Unpriced is an error, never 0."""

from core.catalog import price_list
from core.providers import registry
from core.providers.contract import VideoModel
from core.providers.registry import Registry


def models(known: Registry | None = None) -> tuple[VideoModel, ...]:
    """The models to offer, in the order of the registry."""
    return tuple(model for model in (known or registry.default()).models() if model.id in price_list.PRICES)


def unpriced(known: Registry | None = None) -> tuple[str, ...]:
    """Ids of the models that are not offered, because nobody has said what they cost."""
    return tuple(model.id for model in (known or registry.default()).models() if model.id not in price_list.PRICES)
