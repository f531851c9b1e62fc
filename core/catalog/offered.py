"""Which models can be ordered: those of the registry that have a price. Unpriced is an error, never 0."""

from core.catalog import catalogue
from core.catalog.catalogue import Catalogue
from core.providers.contract import VideoModel
from core.providers.registry import Registry


def models(known: Registry | None = None) -> tuple[VideoModel, ...]:
    """The models to offer, in the order of the registry."""
    return tuple(entry.model for entry in _of(known).entries.values() if entry.prices)


def unpriced(known: Registry | None = None) -> tuple[str, ...]:
    """Ids of the models that are not offered, because nobody has said what they cost."""
    return _of(known).unpriced()


def _of(known: Registry | None) -> Catalogue:
    return catalogue.of_registry(known) if known else catalogue.shipped()
