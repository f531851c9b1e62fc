"""What a request handler works with: the installation that the composition root has opened."""

from typing import Annotated

from fastapi import Depends

from core import installation
from core.installation import Installation


async def _current() -> Installation:
    return installation.current()


CurrentInstallation = Annotated[Installation, Depends(_current)]
