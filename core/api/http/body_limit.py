"""How large a body may be, enforced while it comes in: nothing larger is ever read, parsed or kept."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.http import error_handlers
from core.assets import intake
from core.files import image_sanitizer
from core.generations.sheets import tables

JSON_LIMIT_BYTES = 1024 * 1024
AROUND_FILE_BYTES = 64 * 1024
"""The multipart lines around a file."""
UPLOAD_LIMIT_BYTES = image_sanitizer.MAX_UPLOAD_BYTES + AROUND_FILE_BYTES
SHEET_LIMIT_BYTES = tables.MAX_FILE_BYTES + AROUND_FILE_BYTES

ASSET_LIMIT_BYTES = intake.MAX_UPLOAD_BYTES + AROUND_FILE_BYTES

UPLOAD_PATH = "/upload-image"
SHEET_PATHS = ("/sheets", "/statements")
ASSET_PATH = "/assets"


class BodyLimitMiddleware:
    """Refuses a body by the length it declares, and one that declares none as soon as it has grown too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = _limit_bytes(scope["path"])
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
            await error_handlers.too_large(limit)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


def _limit_bytes(path: str) -> int:
    if path.endswith(UPLOAD_PATH):
        return UPLOAD_LIMIT_BYTES
    if path.endswith(ASSET_PATH):
        return ASSET_LIMIT_BYTES
    return SHEET_LIMIT_BYTES if path.endswith(SHEET_PATHS) else JSON_LIMIT_BYTES
