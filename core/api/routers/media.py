"""Stored clips and posters: signed links to them, and the answers to these links and to downloads."""

import logging
import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Query
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from core import audit_log, config, db, errors
from core.analyst_pack import jobs as packs
from core.api.http import addresses, ranges, routing, visitors
from core.api.http.auth import Caller, CurrentMember, PathId
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses, sends_file
from core.api.schemas import requests
from core.db.enums import Status
from core.db.tables import User
from core.files import signed_urls
from core.files.disposition import content_disposition
from core.files.storage import Storage
from core.generations import clip_names, clip_sheet, queries, stored_files, zip_export
from core.generations.clip_sheet import DescribedClip
from core.installation import Installation
from core.messages import plain
from core.workspaces import members

log = logging.getLogger(__name__)

router = routing.router("media")
signed = routing.router("media")

MEDIA_CACHE_SECONDS = 3600
DOWNLOAD_CACHE_SECONDS = 0


class Links:
    """Makes absolute links to stored files: at the address by which the API is reached, or straight to the store."""

    def __init__(self, request: Request, installation: Installation) -> None:
        self._request = request
        self._installation = installation
        self._settings = settings = installation.settings
        # Where people sign in, links of browsers need the session beside them; who comes with a token has none.
        caller: Caller | None = getattr(request.state, "caller", None)
        self._token_id = caller.member.token_id if settings.has_sign_in and caller is not None else None
        self._now = db.clock().now()

    def __call__(self, key: str | None) -> str | None:
        """A link that works for an hour at least; None for None."""
        if key is None:
            return None
        return self._link(key, None)

    def download(self, key: str, name: str) -> str:
        """A link by which a browser saves the file under this name."""
        return self._link(key, name)

    def _link(self, key: str, name: str | None) -> str:
        if direct := self._installation.direct_link(key, now=self._now, download_name=name):
            return direct
        secret = self._settings.secret_key
        path = signed_urls.sign(key, secret=secret, now=self._now, token_id=self._token_id, download_name=name)
        return self._base + path.removeprefix(config.API_PATH)

    @cached_property
    def _base(self) -> str:
        return addresses.base_url(self._request, self._settings)


async def links_of(request: Request, installation: CurrentInstallation) -> Links:
    """Links for one request."""
    return Links(request, installation)


RequestLinks = Annotated[Links, Depends(links_of)]


@signed.head("/media/{key:path}", include_in_schema=False)
@signed.get(
    "/media/{key:path}", response_class=Response, responses=refuses(401, 403, 404) | sends_file("*/*", in_parts=True)
)
def get_media(
    request: Request,
    *,
    installation: CurrentInstallation,
    key: str,
    expires: Annotated[str, Query(alias="e")] = "",
    signature: Annotated[str, Query(alias="s")] = "",
    download_name: Annotated[str | None, Query(alias="n")] = None,
    token_id: Annotated[str | None, Query(alias="t")] = None,
    ahead: Annotated[str, Query(alias=signed_urls.AHEAD, include_in_schema=False)] = "",
) -> Response:
    """Get a stored file by its signed link; byte ranges are supported.

    A link ends with its clip: 404 from the moment in which that is deleted. Where people sign in, it also ends with the
    token that it was made for, and one that was made for a page needs the session of a browser, else 401, whose person
    is in the clip's workspace, else 404.
    """
    now = db.clock().now()
    until = _moment(expires)
    signed_urls.check(
        key,
        until,
        signature,
        download_name,
        secrets=installation.settings.secrets_in_force,
        now=now,
        token_id=token_id,
    )
    if installation.settings.has_sign_in:
        _check_reach(visitors.check_link(request.scope, token_id=token_id), key)
    if _is_of_deleted(key):
        raise errors.NotFound
    cache_seconds = min(MEDIA_CACHE_SECONDS, math.floor(until - now.timestamp()))
    answer = ranges.serve(installation.storage, key, request, download_name=download_name, cache_seconds=cache_seconds)
    if installation.settings.has_sign_in:
        answer.headers.append("Vary", "Cookie")  # what the browser has kept is not shown once its session is over
    if not ahead:
        _note_opened(request, installation, [key])
    return answer


@signed.get("/clips.zip", response_class=Response, responses=refuses(401, 403, 404) | sends_file("application/zip"))
def get_archive(
    request: Request,
    *,
    installation: CurrentInstallation,
    user_id: Annotated[str, Query(alias="u")] = "",
    clips: Annotated[str, Query(alias="c")] = "",
    expires: Annotated[str, Query(alias="e")] = "",
    signature: Annotated[str, Query(alias="s")] = "",
) -> Response:
    """Get several clips as one ZIP by its signed link.

    Clips that are not available are named in a text file inside, and `clips.csv` says what the others are.
    """
    ids = signed_urls.check_archive(
        user_id,
        clips,
        _moment(expires),
        signature,
        secrets=installation.settings.secrets_in_force,
        now=db.clock().now(),
    )
    if installation.settings.has_sign_in:
        visitors.check_link(request.scope, user_id=user_id)
    with db.read_session() as session:
        user = session.get_one(User, user_id)  # the link was signed for them
        if user.deactivated_at is not None:
            raise errors.Forbidden(signed_urls.REFUSAL)
        described = clip_sheet.describe(session, queries.get_many(session, members.at_work(session, user), ids))
    _note_opened(request, installation, [clip.row.output_key for clip in described])
    return _archive(installation.storage, user, described)


@router.post("/generations/zip", response_class=Response, responses=refuses(404) | sends_file("application/zip"))
def download_several(
    request: Request, member: CurrentMember, installation: CurrentInstallation, body: requests.GenerationIds
) -> Response:
    """Download several completed generations as one ZIP.

    They are called as you have chosen, and `clips.csv` inside says what each is. Those without a file are named inside.
    404 when one of them does not exist or is not yours.
    """
    with db.read_session() as session:
        clips = clip_sheet.describe(session, queries.get_many(session, member, body.ids))
        user = session.get_one(User, member.id)  # as they have chosen by now
    if len(clips) != len(set(body.ids)):
        raise errors.NotFound(plain("One of these generations does not exist, or it is not yours."))
    _note_opened(request, installation, [clip.row.output_key for clip in clips])
    return _archive(installation.storage, user, clips)


@router.head("/download/{id}", include_in_schema=False)
@router.get(
    "/download/{id}", response_class=Response, responses=refuses(404, 409) | sends_file("video/mp4", in_parts=True)
)
def download_generation(
    request: Request, member: CurrentMember, installation: CurrentInstallation, generation_id: PathId
) -> Response:
    """Download the MP4 of a completed generation; byte ranges are supported."""
    with db.read_session() as session:
        row = queries.get(session, member, generation_id)
    if row.status is not Status.COMPLETED or row.output_key is None:
        raise errors.Conflict(plain(f"This generation is {row.status}: there is no clip to download."))
    store = installation.storage
    name = queries.file_name(row)
    answer = ranges.serve(store, row.output_key, request, download_name=name, cache_seconds=DOWNLOAD_CACHE_SECONDS)
    _note_opened(request, installation, [row.output_key])
    return answer


def _note_opened(request: Request, installation: Installation, keys: Iterable[str | None]) -> None:
    """Somebody gets these files; who asks for the head alone has seen nothing."""
    if request.method != "HEAD":
        installation.openings.note(keys)


def _check_reach(user: User | None, key: str) -> None:
    """Return when the person of a browser is in the workspace of a file; else NotFound. None: a token's own link."""
    if user is not None and key.startswith("packs/"):
        with db.read_session() as session:
            packs.get(session, members.at_work(session, user), key.split("/")[1])
    elif user is not None:
        with db.read_connection() as connection:
            if not stored_files.is_in_reach(connection, user.id, key):
                raise errors.NotFound


def _is_of_deleted(key: str) -> bool:
    """Whether a file is that of a deleted clip, which is removed soon; without the database its link is believed."""
    try:
        with db.read_connection() as connection:
            return stored_files.is_of_deleted(connection, key)
    except SQLAlchemyError:
        log.warning("The database does not answer; a link is believed without it")
        return False


def _moment(expires: str) -> int:
    """The expiry of a link, in seconds; Forbidden for what `links` cannot have written."""
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16):
        raise errors.Forbidden(signed_urls.REFUSAL)
    return int(expires)


def _archive(store: Storage, user: User, clips: Sequence[DescribedClip]) -> Response:
    """Streamed from a thread (Starlette iterates a plain iterator there); nothing is begun while the store is away."""
    entries = zip_export.entries(clips, clip_names.of_person(user))
    if store.folder is None and (first := next((each.key for each in entries if each.key), None)):
        store.exists(first)
    workspaces = {clip.row.workspace_id for clip in clips}
    where = workspaces.pop() if len(workspaces) == 1 else None
    audit_log.record_export(user, what="clips", workspace_id=where, clips=len(clips))
    headers = {
        "Content-Disposition": content_disposition(f"clips-{db.clock().now():%Y-%m-%d}.zip"),
        "Cache-Control": "private, no-store, no-transform",
        "X-Content-Type-Options": "nosniff",
    }
    chunks = zip_export.stream(store, entries)
    return StreamingResponse(chunks, headers=headers, media_type="application/zip")
