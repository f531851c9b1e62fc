"""Answers at the address of a link for people outside: the page, its password, the media and downloads it allows.

A stranger needs nothing but the address. What is not there, or not any more, is 404 and looks the same in every case.
"""

import logging
import math
import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import db, errors, installation
from core.api.http import ranges, reader
from core.api.share_page import admission
from core.api.share_page.documents import ROBOTS, WRONG_PASSWORD, Document, Pages
from core.db import availability
from core.db.enums import VisitKind
from core.generations import share_visits
from core.generations.share_links import MAX_CLIPS
from core.generations.share_visits import SharedClip, SharedSet, Visitor
from core.messages import N_, Source, Writer

log = logging.getLogger(__name__)

SOURCE_LANGUAGE = "en"
FORM_LIMIT_BYTES = 4096

_ON_EVERY_ANSWER = {
    "X-Robots-Tag": ROBOTS,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A clip that is opened by itself is shown by the browser in a page of its own, which falls under this.
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
}

_REFUSALS: Mapping[int, tuple[Source, Source]] = {
    404: (
        N_("This link does not work"),
        N_("It has expired, was taken back, or was not copied whole. Ask whoever sent it for a new one."),
    ),
    403: (N_("This is not allowed"), N_("What this link shows can be watched, but not downloaded.")),
    405: (N_("This is not allowed"), N_("This address cannot be used in this way.")),
    413: (N_("This is too large"), N_("Type the password only.")),
    503: (N_("This cannot be shown now"), N_("Something is busy or away. Try again in a minute.")),
    500: (N_("This cannot be shown"), N_("Something went wrong on our side. Try again later.")),
}


def mounted(path: str, writers: Mapping[str, Writer]) -> Mount:
    """The pages at a path of a larger app, in the languages of `writers`, by tag; English where they have none."""
    mount = Mount(path, app=build(writers))
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)  # a line break in it leads nowhere else
    return mount


def build(writers: Mapping[str, Writer]) -> Starlette:
    """The pages as an application of their own."""
    words = {SOURCE_LANGUAGE: Writer(), **writers}
    app = Starlette(
        routes=[
            Route("/{token}", page),
            Route("/{token}/password", unlock, methods=["POST"]),
            Route("/{token}/{place:int}", clip_page),
            Route("/{token}/media/{place:int}/video", video),
            Route("/{token}/media/{place:int}/poster", poster),
            Route("/{token}/media/{place:int}/download", download),
        ],
        middleware=[Middleware(_Answers)],
        exception_handlers={errors.AppError: _refused, HTTPException: _refused},
    )
    app.router.redirect_slashes = False  # behind a front it would name an address that is not ours
    app.state.pages = {tag: Pages(tag, writer) for tag, writer in words.items()}
    return app


def page(request: Request) -> Response:
    """The set, or the clip where there is but one; the form where a password is needed first."""
    token = request.path_params["token"]
    shared = _look(token)
    if not _is_admitted(request, shared):
        return _form(request, action=f"{token}/password")
    alone = shared.clips[0] if len(shared.clips) == 1 else None
    shared = _seen(request, shared, token, generation_id=alone.generation_id if alone else None)
    pages, address = _pages(request), _public_address(token)
    if alone is not None:
        return _html(pages.clip(shared, alone, root=token, public_address=address))
    return _html(pages.collection(shared, root=token, public_address=address))


def clip_page(request: Request) -> Response:
    """One clip of a set."""
    token = request.path_params["token"]
    shared = _look(token)
    if not _is_admitted(request, shared):
        return _form(request, action="password")
    places = [clip.place for clip in shared.clips]
    if request.path_params["place"] not in places:
        raise errors.NotFound
    here = places.index(request.path_params["place"])
    beside = (places[here - 1] if here else None, places[here + 1] if here + 1 < len(places) else None)
    clip = shared.clips[here]
    shared = _seen(request, shared, token, generation_id=clip.generation_id)
    return _html(
        _pages(request).clip(
            shared, clip, root=".", back=f"../{token}", beside=beside, public_address=_public_address(token)
        )
    )


async def unlock(request: Request) -> Response:
    """Take a password: back to the page with a cookie for the right one, the form again for others."""
    password = await _password_of(request)
    return await run_in_threadpool(_unlock, request, password)


def video(request: Request) -> Response:
    """The clip, whole or in parts."""
    _shared, clip = _media(request)
    answer = ranges.serve(installation.current().storage, clip.output_key, request, cache_seconds=0)
    _note_opened(request, clip)
    return answer


def poster(request: Request) -> Response:
    """The picture of a clip."""
    _shared, clip = _media(request)
    if clip.thumbnail_key is None:
        raise errors.NotFound
    return ranges.serve(installation.current().storage, clip.thumbnail_key, request, cache_seconds=0)


def download(request: Request) -> Response:
    """The clip as a file, where its link allows that."""
    shared, clip = _media(request)
    if not shared.allow_download:
        raise errors.Forbidden
    store = installation.current().storage
    answer = ranges.serve(store, clip.output_key, request, download_name=_file_name(shared, clip), cache_seconds=0)
    _note_opened(request, clip)
    if request.method == "GET" and request.headers.get("range", "bytes=0-").startswith("bytes=0-"):
        with db.write_session() as session:
            share_visits.note_visit(
                session, shared, VisitKind.DOWNLOAD, _visitor(request), generation_id=clip.generation_id
            )
    return answer


def _note_opened(request: Request, clip: SharedClip) -> None:
    """Somebody outside gets the clip: it was not made in vain."""
    if request.method == "GET":
        installation.current().openings.note([clip.output_key])


def _look(token: str, *, place: int | None = None) -> SharedSet:
    with db.read_session() as session:
        return share_visits.look(session, token, place=place)


def _is_admitted(request: Request, shared: SharedSet) -> bool:
    keys = installation.current().settings.secrets_in_force
    return admission.is_admitted(shared, request.cookies.get(admission.COOKIE, ""), secrets=keys, now=db.clock().now())


def _seen(request: Request, shared: SharedSet, token: str, *, generation_id: str | None) -> SharedSet:
    """Count a visit of what is still there, and return that; a HEAD sees nothing."""
    if request.method != "GET":
        return shared
    with db.write_session() as session:
        shared = share_visits.look(session, token)
        share_visits.note_visit(session, shared, VisitKind.VIEW, _visitor(request), generation_id=generation_id)
    return shared


def _media(request: Request) -> tuple[SharedSet, SharedClip]:
    """The clip of an address, for whom the link lets see it."""
    place = request.path_params["place"]
    if place > MAX_CLIPS:
        raise errors.NotFound
    shared = _look(request.path_params["token"], place=place)
    if not _is_admitted(request, shared):
        raise errors.NotFound
    return shared, shared.clips[0]


async def _password_of(request: Request) -> str:
    """The password of the form; TooLarge for a body that holds more than one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT_BYTES:
            raise errors.TooLarge
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return fields.get("password", [""])[0]


def _unlock(request: Request, password: str) -> Response:
    token = request.path_params["token"]
    try:
        with db.write_session() as session:
            shared = share_visits.begin_try(session, token)
    except errors.RateLimited as limited:
        wait = max(1, math.ceil(limited.retry_after_seconds))
        return _form(request, action="password", status=429, wait_seconds=wait)
    here = RedirectResponse(f"../{token}", status_code=303)
    if shared.password_hash is None:
        return here
    was_right = share_visits.is_password(shared, password)
    with db.write_session() as session:
        share_visits.end_try(session, shared, _visitor(request), was_right=was_right)
    if not was_right:
        return _form(request, action="password", status=403, wrong=WRONG_PASSWORD)
    settings = installation.current().settings
    here.set_cookie(
        admission.COOKIE,
        admission.admission(shared, secret=settings.secret_key, now=db.clock().now()),
        path=None,  # by itself that of the link, as the browser sees it below a front (RFC 6265, 5.1.4)
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https" or settings.public_url.startswith("https:"),
    )
    return here


def _form(
    request: Request, *, action: str, status: int = 200, wrong: Source | None = None, wait_seconds: int = 0
) -> Response:
    headers = {"Retry-After": str(wait_seconds)} if wait_seconds else {}
    document = _pages(request).password(action=action, wrong=wrong, wait_seconds=wait_seconds)
    return _html(document, status=status, headers=headers)


def _visitor(request: Request) -> Visitor:
    agent = "".join(filter(str.isprintable, request.headers.get("user-agent", "")))
    return Visitor(request.client.host if request.client else "", agent)


def _pages(request: Request) -> Pages:
    known: Mapping[str, Pages] = request.app.state.pages
    wanted = request.headers.get("accept-language", "")
    return known[reader.language(wanted, known, otherwise=SOURCE_LANGUAGE)]


def _public_address(token: str) -> str:
    """The link as others reach it; empty where nobody has said how they do."""
    public_url = installation.current().settings.public_url
    return f"{public_url}{share_visits.path_of(token)}" if public_url else ""


def _file_name(shared: SharedSet, clip: SharedClip) -> str:
    """A name to save a clip under, which tells no more than the page."""
    suffix = clip.output_key.rpartition(".")[2]
    return f"{shared.title[:80] or 'video'}-{clip.place}.{suffix}"


def _html(document: Document, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    policy = {
        "Content-Security-Policy": document.policy,
        "Cache-Control": "private, no-store",
        "Vary": "Accept-Language, Cookie",
    }
    return HTMLResponse(document.html, status_code=status, headers=policy | dict(headers or {}))


async def _refused(request: Request, failure: Exception) -> Response:
    if isinstance(failure, errors.AppError):
        status = failure.http_status
    else:
        status = failure.status_code if isinstance(failure, HTTPException) else 500
    if status >= 500:
        return _failed(request, failure)
    return _refusal(request, status if status in _REFUSALS else 404)


def _failed(request: Request, failure: Exception) -> Response:
    """What should not happen; a database or storage that is away comes back."""
    if availability.is_away(failure) or isinstance(failure, errors.StorageUnavailable):
        away = errors.DatabaseUnavailable
        return _refusal(request, away.http_status, {"Retry-After": str(away.retry_after_seconds)})
    log.error("A page for people outside failed", exc_info=failure)
    return _refusal(request, 500)


def _refusal(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    title, text = _REFUSALS[status]
    return _html(_pages(request).refusal(title, text), status=status, headers=headers)


class _Answers:
    """Adds to every answer what keeps robots out and tells nobody of the address; a failure is answered, too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, look at the head of its answer, answer in its place when it breaks before that."""
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                for name, value in _ON_EVERY_ANSWER.items():
                    headers.setdefault(name, value)
                message = {**message, "headers": headers.raw}
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as failure:
            if started or scope["type"] != "http":
                raise
            await _failed(Request(scope), failure)(scope, receive, send_with_headers)
