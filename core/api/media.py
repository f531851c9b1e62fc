"""Stored clips and posters: signed links to them, and the answers to these links and to downloads."""

import math
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from core import config, db, errors, generations, links, storage
from core.api import ranges
from core.api.auth import PathId, Person
from core.models import Status, utc_now

router = APIRouter(tags=["media"])
signed = APIRouter(tags=["media"])

MEDIA_CACHE_SECONDS = 3600
DOWNLOAD_CACHE_SECONDS = 0


class Links:
    """Makes absolute links to stored files, at the address by which this request came in."""

    def __init__(self, request: Request) -> None:
        # root_path is where the API is mounted; links are written for that place, and hold when it runs alone, too.
        self._base = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}/media"
        self._now = utc_now()
        self._secret = config.settings().secret_key

    def __call__(self, key: str | None) -> str | None:
        """A link that works for an hour at least; None for None."""
        if key is None:
            return None
        return self._base + links.sign(key, secret=self._secret, now=self._now).removeprefix(links.MEDIA_PATH)


async def links_of(request: Request) -> Links:
    """Links for one request."""
    return Links(request)


RequestLinks = Annotated[Links, Depends(links_of)]


@signed.head("/media/{key:path}", include_in_schema=False)
@signed.get("/media/{key:path}", response_class=Response)
def serve_media(
    request: Request,
    key: str,
    expires: Annotated[str, Query(alias="e")] = "",
    signature: Annotated[str, Query(alias="s")] = "",
    download_name: Annotated[str | None, Query(alias="n")] = None,
) -> Response:
    """A stored file by its signed link, with byte ranges."""
    settings = config.settings()
    now = utc_now()
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16):
        raise errors.Forbidden(links.REFUSAL)
    links.check(key, int(expires), signature, download_name, secret=settings.secret_key, now=now)
    cache_seconds = min(MEDIA_CACHE_SECONDS, math.floor(int(expires) - now.timestamp()))
    store = storage.open_storage(settings.storage_url)
    return ranges.serve(store, key, request, download_name=download_name, cache_seconds=cache_seconds)


@router.head("/download/{id}", include_in_schema=False)
@router.get("/download/{id}", response_class=Response)
def download(request: Request, person: Person, generation_id: PathId) -> Response:
    """The MP4 of a completed generation, to be saved, with byte ranges."""
    with db.session(read_only=True) as session:
        row = generations.get(session, person, generation_id)
    if row.status is not Status.COMPLETED or row.output_key is None:
        raise errors.Conflict(f"This generation is {row.status}: there is no clip to download.")
    store = storage.open_storage(config.settings().storage_url)
    name = generations.file_name(row)
    return ranges.serve(store, row.output_key, request, download_name=name, cache_seconds=DOWNLOAD_CACHE_SECONDS)
