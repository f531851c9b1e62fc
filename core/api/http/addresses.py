"""Addresses as whoever asks can reach them again: below PUBLIC_URL, else below the one they have used."""

from starlette.requests import Request

from core import config
from core.config import Settings


def base_url(request: Request, settings: Settings) -> str:
    """Scheme, host and path of the API, without a slash at its end; it may run alone, below no path."""
    mounted_at: str = request.scope.get("root_path", "")
    if settings.public_url:
        return f"{settings.public_url}{config.API_PATH if mounted_at.endswith(config.API_PATH) else ''}"
    return f"{request.url.scheme}://{request.url.netloc}{mounted_at}"


def page_url(request: Request, settings: Settings, page: str) -> str:
    """The address of a page beside the API."""
    return f"{base_url(request, settings).removesuffix(config.API_PATH)}/{page}"
