import asyncio
import os
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.api.http import ranges
from core.files import storage

KEY = "videos/42/0123456789abcdef.mp4"
POSTER = "posters/42/0123456789abcdef.webp"
DATA = os.urandom(600_000)


class Elsewhere(storage.LocalStorage):
    """A store whose files do not lie on this machine."""

    def local_path(self, key: str) -> Path | None:
        """None."""
        return None


@pytest.fixture(params=[storage.LocalStorage, Elsewhere])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> storage.Storage:
    """A storage with one video and one poster that would shrink if somebody compressed them; here, or elsewhere."""
    local: storage.Storage = request.param(tmp_path)
    local.put_bytes(KEY, DATA, media_type="video/mp4")
    local.put_bytes(POSTER, b"a" * 5000, media_type="image/webp")
    return local


def ask(
    store: storage.Storage,
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    key: str = KEY,
    download_name: str | None = None,
) -> httpx.Response:
    """What a browser gets from the app that stands behind Streamlit's compression."""

    def media(request: Request) -> Response:
        return ranges.serve(store, key, request, download_name=download_name, cache_seconds=600)

    app = Starlette(routes=[Route("/clip", media)], middleware=[Middleware(GZipMiddleware, minimum_size=10)])

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return await client.request(method, "/clip", headers=headers)

    return asyncio.run(send())


def test_whole_file_without_a_range(store: storage.Storage) -> None:
    """All bytes, their number, their type, and what a browser may do with them."""
    answer = ask(store)
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, max-age=600, no-transform"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == "inline"
    modified = parsedate_to_datetime(answer.headers["last-modified"])
    assert modified == store.stat(KEY).modified_at.astimezone(UTC).replace(microsecond=0)


@pytest.mark.parametrize(("key", "size"), [(KEY, len(DATA)), (POSTER, 5000)])
def test_nothing_is_compressed(store: storage.Storage, key: str, size: int) -> None:
    """Compression in front of the app leaves media alone; a range of compressed bytes would be noise."""
    answer = ask(store, {"Accept-Encoding": "gzip"}, key=key)
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == str(size)


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 599_999),
        ("bytes=100-299", 100, 299),
        ("bytes=599990-700000", 599_990, 599_999),
        ("bytes=-500", 599_500, 599_999),
        ("bytes=-9999999", 0, 599_999),
        ("Bytes = 5-9", 5, 9),
    ],
)
def test_single_range(store: storage.Storage, wanted: str, first: int, last: int) -> None:
    """206 with exactly these bytes, also with gzip offered."""
    answer = ask(store, {"Range": wanted, "Accept-Encoding": "gzip"})
    assert (answer.status_code, answer.content) == (206, DATA[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/600000"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("wanted", ["bytes=600000-", "bytes=900000-900001", "bytes=-0"])
def test_range_outside(store: storage.Storage, wanted: str) -> None:
    """416 tells the true size."""
    answer = ask(store, {"Range": wanted})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == "bytes */600000"


@pytest.mark.parametrize(
    "wanted", ["bytes=9-5", "bytes=0-1,9-5", "bytes=-", "bytes=", "bytes=a-b", "items=0-5", "bytes=0-9;5-6"]
)
def test_range_not_understood_is_ignored(store: storage.Storage, wanted: str) -> None:
    """Nonsense gets the whole file, as RFC 9110 wants it (14.2)."""
    answer = ask(store, {"Range": wanted})
    assert (answer.status_code, len(answer.content)) == (200, len(DATA))


def test_several_ranges(tmp_path: Path) -> None:
    """Each part comes with its place and its bytes, and nothing else; parts that touch become one."""
    store = storage.LocalStorage(tmp_path)
    store.put_bytes(KEY, DATA, media_type="video/mp4")
    answer = ask(store, {"Range": "bytes=0-9, 599990-", "Accept-Encoding": "gzip"})
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert (answer.status_code, kind) == (206, "multipart/byteranges")
    assert "content-encoding" not in answer.headers
    parts = [part.partition(b"\r\n\r\n") for part in answer.content.split(f"--{boundary}".encode())[1:-1]]
    assert [body.removesuffix(b"\r\n") for _head, _blank, body in parts] == [DATA[:10], DATA[599_990:]]
    assert [b"bytes 0-9/600000" in parts[0][0], b"bytes 599990-599999/600000" in parts[1][0]] == [True, True]
    assert ask(store, {"Range": "bytes=0-9,10-19"}).content == DATA[:20]


def test_several_ranges_of_a_file_elsewhere(tmp_path: Path) -> None:
    """Who wants several parts of a file that is fetched from elsewhere gets all of it, as they have to be ready for."""
    local = Elsewhere(tmp_path)
    local.put_bytes(KEY, DATA, media_type="video/mp4")
    assert ask(local, {"Range": "bytes=0-9, 599990-"}).content == DATA
    local.put_bytes(KEY, b"", media_type="video/mp4")
    assert (ask(local).status_code, ask(local).content) == (200, b"")
    assert ask(local, {"Range": "bytes=0-"}).status_code == 416


def test_if_range(store: storage.Storage) -> None:
    """A range is served only while the file is still the one that the browser has a part of."""
    etag = store.stat(KEY).etag
    assert ask(store, {"Range": "bytes=0-9", "If-Range": etag}).status_code == 206
    assert ask(store, {"Range": "bytes=0-9", "If-Range": '"older"'}).status_code == 200
    assert ask(store, {"Range": "bytes=0-9", "If-Range": "Sat, 01 Mar 2036 12:00:00 GMT"}).status_code == 200


def test_if_none_match(store: storage.Storage) -> None:
    """What the browser has already is not sent again; anything else is."""
    etag = store.stat(KEY).etag
    for said in (etag, f'"x", W/{etag}', "*"):
        answer = ask(store, {"If-None-Match": said})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
        assert "max-age" in answer.headers["cache-control"]
    assert ask(store, {"If-None-Match": '"x"'}).status_code == 200


def test_head(store: storage.Storage) -> None:
    """The headers of the whole file and no body, also with a range."""
    answer = ask(store, {"Range": "bytes=0-9"}, method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("clip.mp4", "clip.mp4", "clip.mp4"),
        ("Café – klip.mp4", "Caf_ _ klip.mp4", "Caf%C3%A9%20%E2%80%93%20klip.mp4"),
        ('a"b\r\nSet-Cookie: x.mp4', "a-b-Set-Cookie- x.mp4", "a-b-Set-Cookie-%20x.mp4"),
        ("../../etc/passwd", "-..-etc-passwd", "-..-etc-passwd"),
        ("...", "video", "video"),
    ],
)
def test_download_name(store: storage.Storage, name: str, plain: str, encoded: str) -> None:
    """The file is saved under a harmless form of the name, twice as RFC 6266 wants it."""
    answer = ask(store, download_name=name)
    assert answer.headers["content-disposition"] == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
    assert "set-cookie" not in answer.headers
