"""Answers a request for a stored file: whole, one byte range or "not modified"; who may see it is decided before."""

import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from core.files import storage

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_UNSAFE_IN_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


def serve(
    store: storage.Storage, key: str, request: Request, *, download_name: str | None = None, cache_seconds: int
) -> Response:
    """The response to a GET or HEAD for a stored file (RFC 9110 ranges and conditions, RFC 6266 file name).

    With `download_name` it is saved under that name, else shown. It looks at the disk, so call it from a plain `def`
    route (a thread), not from the event loop. Raises errors.NotFound, and ValueError for a bad key.
    """
    info = store.stat(key)
    headers = {
        "Accept-Ranges": "bytes",
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
    if request.method == "HEAD":  # ranges are defined for GET alone
        return Response(headers=headers | {"Content-Length": str(info.size_bytes)}, media_type=info.media_type)

    span = None
    # An If-Range with another tag, or with a date (too coarse to be sure), asks for the whole file.
    if request.headers.get("if-range", info.etag) == info.etag:
        span = _span(request.headers.get("range", ""), info.size_bytes)
    if span is None:
        return _body(store.stream(key), 200, headers, info.size_bytes, info.media_type)
    start, length = span
    if not length:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{info.size_bytes}"})
    headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{info.size_bytes}"
    return _body(store.stream(key, start=start, length=length), 206, headers, length, info.media_type)


def content_disposition(download_name: str | None) -> str:
    """`inline`, or `attachment` with the name twice: plain ASCII for old readers, UTF-8 for all others (RFC 6266)."""
    if download_name is None:
        return "inline"
    name = _UNSAFE_IN_NAME.sub("-", download_name).strip(". ")[:150] or "video"
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace("%", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"


def _body(chunks: Iterator[bytes], status: int, headers: dict[str, str], length: int, media_type: str) -> Response:
    """Streamed from a thread (Starlette iterates a plain iterator there)."""
    headers = headers | {"Content-Length": str(length)}
    return StreamingResponse(chunks, status_code=status, headers=headers, media_type=media_type)


def _span(wanted: str, size: int) -> tuple[int, int] | None:
    """(start, length) of a single byte range; length 0 if it lies outside; None for whatever else is to be ignored."""
    found = _RANGE.fullmatch(wanted.replace(" ", "").lower())
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        return size - length, length
    start = int(first)
    end = int(last) if last else size - 1
    if last and end < start:
        return None
    return start, max(0, min(end, size - 1) - start + 1)


def matches(etag: str, wanted: str) -> bool:
    """Whether If-None-Match names this ETag; the comparison is the weak one (RFC 9110, 13.1.2)."""
    named = (tag.strip().removeprefix("W/") for tag in wanted.split(","))
    return wanted.strip() == "*" or etag.removeprefix("W/") in named


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
