"""What a request handler works with: the installation that the composition root has opened."""

from typing import Annotated

from fastapi import Depends
from starlette.concurrency import run_in_threadpool

from core import installation
from core.catalog.catalogue import Catalogue
from core.installation import Installation


async def _current() -> Installation:
    return installation.current()


CurrentInstallation = Annotated[Installation, Depends(_current)]


async def _catalogue(opened: CurrentInstallation) -> Catalogue:
    """As it was a second ago at most; only who has to ask the database for it leaves the event loop."""
    known = opened.catalogue_cache.known()
    return known if known is not None else await run_in_threadpool(lambda: opened.catalogue)


CurrentCatalogue = Annotated[Catalogue, Depends(_catalogue)]
