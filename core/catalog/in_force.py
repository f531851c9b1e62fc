"""The catalogue that counts in this process: what files describe, until an installation says otherwise.

Who shows something asks here. What belongs to an order runs under `core.catalog_changes.current.ordering`, so that it
sees the catalogue of the order's own transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core.catalog import catalogue
from core.catalog.catalogue import Catalogue, Entry
from core.providers.models import VideoModel


def current() -> Catalogue:
    """All models; raises as the database of the installation does, where its changes have to be read anew."""
    return _seen.get() or _sources[-1]()


def find(model_id: str) -> Entry | None:
    """A model by id; None for one that is not here any more."""
    return current().find(model_id)


def find_model(model_id: str) -> VideoModel | None:
    """What `find` finds can make."""
    entry = find(model_id)
    return None if entry is None else entry.model


def model(model_id: str) -> VideoModel:
    """A model by id, whatever its life; NotFound names those there are."""
    return current().get(model_id).model


def models() -> tuple[VideoModel, ...]:
    """All models, whatever their life, in the order they are shown."""
    return current().models()


@contextmanager
def using(source: Callable[[], Catalogue]) -> Iterator[None]:
    """Let what `source` gives count while the block runs; `core.installation` does, and nobody else."""
    before = list(_sources)
    _sources[:] = [source]
    try:
        yield
    finally:
        _sources[:] = before


@contextmanager
def seen(known: Catalogue) -> Iterator[None]:
    """Let this one count for all that is called in the block, and for nobody else."""
    token = _seen.set(known)
    try:
        yield
    finally:
        _seen.reset(token)


_sources: list[Callable[[], Catalogue]] = [catalogue.shipped]
_seen: ContextVar[Catalogue | None] = ContextVar("catalogue_seen", default=None)
