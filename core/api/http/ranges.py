"""Answers a request for a stored file: whole, in parts or "not modified"; who may see it is decided before."""

import re
from datetime import datetime
from email.utils import format_datetime

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from core.files import storage
from core.files.disposition import content_disposition

_RANGE = re.compile(r"(?P<first>\d{1,18})-(?P<last>\d{0,18})|-\d{1,18}")
_UNSAFE_IN_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


def serve(
    store: storage.Storage, key: str, request: Request, *, download_name: str | None = None, cache_seconds: int
) -> Response:
    """The response to a GET or HEAD for a stored file (RFC 9110 ranges and conditions, RFC 6266 file name).

    With `download_name` it is saved under that name, else shown. Of a file that does not lie on this machine one range
    at a time is sent, and the whole file to who wants several. It looks at the disk, or asks the store, so call it from
    a plain `def` route (a thread), not from the event loop. Raises errors.NotFound, errors.StorageUnavailable, and
    ValueError for a bad key.
    """
    info = store.stat(key)
    headers = {
        "ETag": info.etag,
        "Last-Modified": _http_date(info.modified_at),
        # no-transform: a proxy that compressed it would break ranges. GZipMiddleware leaves video, JPEG, PNG and WebP
        # alone by itself since Starlette 1.5.
        "Cache-Control": f"private, max-age={cache_seconds}, no-transform",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": content_disposition(download_name),
    }
    wanted_tags = request.headers.get("if-none-match")
    if wanted_tags is not None and matches(info.etag, wanted_tags):
        return Response(status_code=304, headers=headers)
    path = store.local_path(key)
    if path is not None:
        return _LocalFile(path, headers=headers, media_type=info.media_type, stat_result=path.stat())
    headers["Accept-Ranges"] = "bytes"
    part = _wanted_part(request, info)
    start, end = part or (0, info.size_bytes)
    if part is not None:
        if start >= end:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{info.size_bytes}"})
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{info.size_bytes}"
    headers["Content-Length"] = str(end - start)
    # Starlette iterates a plain iterator in a thread.
    body = () if request.method == "HEAD" else store.stream(key, start=start, length=end - start)
    return StreamingResponse(body, status_code=206 if part else 200, headers=headers, media_type=info.media_type)


def _wanted_part(request: Request, info: storage.ObjectInfo) -> tuple[int, int] | None:
    """From where to where one range is wanted, cut to the file; None where all of it is to be sent.

    Nothing is left of a range that begins behind the end. With If-Range, only if the file is still that one.
    """
    wanted = request.headers.get("range", "")
    if request.method != "GET" or "," in wanted or not _are_ranges(wanted):
        return None
    if request.headers.get("if-range", info.etag) not in (info.etag, _http_date(info.modified_at)):
        return None
    first, _, last = wanted.partition("=")[2].strip().partition("-")
    if not first:
        return max(0, info.size_bytes - int(last)), info.size_bytes
    return int(first), min(info.size_bytes, int(last) + 1 if last else info.size_bytes)


class _LocalFile(FileResponse):
    """A file whose ranges are those of RFC 9110, 14.2: for GET alone, and ignored where they cannot be understood.

    Starlette (1.10) applies them to HEAD as well and answers 400 to the others.
    """

    chunk_size = storage.CHUNK_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or the parts of it that are asked for."""
        if scope["method"] != "GET" or not _are_ranges(Headers(scope=scope).get("range", "")):
            scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"range"]}
        await super().__call__(scope, receive, send)


def _are_ranges(wanted: str) -> bool:
    """Whether a Range header names ranges of bytes, none of which runs backwards."""
    unit, _, ranges = wanted.partition("=")
    found = [_RANGE.fullmatch(one.strip()) for one in ranges.split(",")]
    return unit.strip().lower() == "bytes" and all(
        one is not None and (not one["last"] or int(one["first"] or 0) <= int(one["last"])) for one in found
    )


def matches(etag: str, wanted: str) -> bool:
    """Whether If-None-Match names this ETag; the comparison is the weak one (RFC 9110, 13.1.2)."""
    named = (tag.strip().removeprefix("W/") for tag in wanted.split(","))
    return wanted.strip() == "*" or etag.removeprefix("W/") in named


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
