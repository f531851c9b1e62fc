"""The catalogue that counts in this process: what files describe, until an installation says otherwise.

Who shows something asks here. An order asks `core.catalog_changes.current.for_order`, in its own transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.catalog import catalogue
from core.catalog.catalogue import Catalogue, Entry


def current() -> Catalogue:
    """All models; raises as the database of the installation does, where its changes have to be read anew."""
    return _sources[-1]()


def find(model_id: str) -> Entry | None:
    """A model by id; None for one that is not here any more."""
    return current().find(model_id)


@contextmanager
def using(source: Callable[[], Catalogue]) -> Iterator[None]:
    """Let what `source` gives count while the block runs; `core.installation` does, and nobody else."""
    before = list(_sources)
    _sources[:] = [source]
    try:
        yield
    finally:
        _sources[:] = before


_sources: list[Callable[[], Catalogue]] = [catalogue.shipped]
