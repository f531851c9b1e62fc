"""The dashboard's own address that an element of a page sends an image to: it is cleaned and kept as any upload.

Scripts have `/upload-image`; this one takes the bytes as they are, answers in the person's language, and only to a
page's own token.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from core import config, db, errors, installation
from core.assets import intake
from core.config import Settings
from core.db import availability
from core.db.tables import Upload
from core.files.image_sanitizer import MAX_UPLOAD_BYTES
from core.files.storage import Storage
from core.identity import page_tokens
from core.messages import Message, message
from core.projects import uploads
from core.workspaces import page_holders
from core.workspaces.access import Member
from pages.ui import language, page_token
from pages.ui.language import translate_message

NAME = "page-images"
PATH = f"{config.API_PATH}/{NAME}"
FILE_NAME = "X-File-Name"
ASSETS_NAME = "page-assets"
ASSETS_PATH = f"{config.API_PATH}/{ASSETS_NAME}"
_PURPOSE = "images"
Keep: TypeAlias = "Callable[..., tuple[Upload, Sequence[Message]]]"
"""Takes in a file, as `core.assets.intake.store` does."""


def token(person: Member) -> str:
    """What an element sends along: it speaks for this person in this workspace for an hour."""
    return page_token.sign(_PURPOSE, person)


def route(api_path: str = config.API_PATH) -> Route:
    """The route beside the REST API that is mounted at `api_path`; mounted by app.py before it."""
    return Route(f"{api_path}/{NAME}", _answer, methods=["POST"])


def assets_route(api_path: str = config.API_PATH) -> Route:
    """The same for whatever can be in the library: an image, a video or a sound."""
    return Route(f"{api_path}/{ASSETS_NAME}", _answer_asset, methods=["POST"])


async def _answer(request: Request) -> JSONResponse:
    return await _answered(request, _image, limit_bytes=MAX_UPLOAD_BYTES)


async def _answer_asset(request: Request) -> JSONResponse:
    return await _answered(request, intake.store, limit_bytes=intake.MAX_UPLOAD_BYTES)


async def _answered(request: Request, keep: Keep, *, limit_bytes: int) -> JSONResponse:
    """`{"key", "name", "notes"}` of the file, else `{"problem": <a sentence>}`; who sends it is asked first."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    settings = installation.current().settings
    try:
        holder = page_tokens.check(_PURPOSE, given, secrets=settings.secrets_in_force, now=db.clock().now())
        data = await _body(request, limit_bytes)
        name = unquote(request.headers.get(FILE_NAME, ""))
        return JSONResponse(await run_in_threadpool(_store, holder, settings, name, data, keep))
    except errors.Unauthorized:
        return JSONResponse({}, 401, {"WWW-Authenticate": "Bearer"})
    except errors.AppError as problem:
        with language.using_language(holder.language):
            return JSONResponse({"problem": translate_message(problem.message)}, problem.http_status)
    except Exception as failure:
        if not availability.is_away(failure):
            raise
        with language.using_language(holder.language):
            said = translate_message(errors.DatabaseUnavailable.sentence)
        return JSONResponse({"problem": said}, errors.DatabaseUnavailable.http_status)


async def _body(request: Request, limit_bytes: int) -> bytes:
    """All that was sent; TooLarge as soon as it is more than it may be."""
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > limit_bytes:
            raise errors.TooLarge(message("image_too_large", limit_mb=limit_bytes // 1024**2))
    return bytes(found)


def _image(
    member: Member, data: bytes, *, file_name: str, storage: Storage, quota_bytes: int
) -> tuple[Upload, Sequence[Message]]:
    return uploads.store_image(
        member,
        identity=data,
        picture=lambda: data,
        file_name=file_name,
        storage=storage,
        quota_bytes=quota_bytes,
    )


def _store(holder: page_tokens.Holder, settings: Settings, name: str, data: bytes, keep: Keep) -> dict[str, Any]:
    here = installation.current()
    with db.read_session() as session:
        member = page_holders.member(session, holder, settings)
    allowance = here.request_limiter.consume(f"images {holder.user_id}")
    if allowance is not None and allowance.wait_seconds > 0:
        raise errors.RateLimited(retry_after_seconds=allowance.wait_seconds)
    upload, notes = keep(member, data, file_name=name, storage=here.storage, quota_bytes=settings.storage_quota_bytes)
    return {"key": upload.storage_key, "name": name, "notes": [note.to_json() for note in notes]}


def notes_of(said: Any) -> list[Message]:
    """What an element tells again of the notes on an image."""
    return [told for each in said or () if (told := Message.from_json(each))]
