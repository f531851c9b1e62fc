"""Files in a bucket of an object store: S3 and what speaks it, Google Cloud Storage, Azure Blob Storage.

HTTP, retries and the three kinds are `obstore`'s. Keys and promises are those of `core.files.storage`: what a store
answers becomes NotFound, or StorageUnavailable for all that an operator or time can mend.
"""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from core import errors
from core.files import object_client
from core.files.disposition import content_disposition
from core.files.storage import CHUNK_BYTES, ObjectInfo, Storage, UnusableStorage, check_type, is_key, media_type_of
from core.signing import STEP_SECONDS
from core.storage_settings import StoreAccess

PART_BYTES = 8 * 1024**2
"""Of this size are the parts of a large file that is put; a store takes 10,000 of them, so 78 GiB."""

PIECE_BYTES = 2 * 1024**2
"""So much is asked for at once. A viewer who pauses holds no connection to the store, and so much memory."""

KEYS_A_CALL = 1000
"""How many keys S3 lists or deletes in one call."""

AT_ONCE = 8
CACHE_SECONDS = 3600
ASKED_EVERY_SECONDS = 5.0

_STATUS = re.compile(r"status: (?P<status>\d{3})")
"""How the client tells what a store has answered to a call that lists."""


_CLOCK_IS_OFF = ("RequestTimeTooSkewed", "Request date header too old")
"""How S3 and Azure say that the time of a request is too far from theirs, in what they answer to a GET."""


class ObjectStorage(Storage):
    """Objects of one bucket, below a prefix."""

    def __init__(self, url: str, access: StoreAccess) -> None:
        self._url = url
        self._store = object_client.client(url, access)
        self._probe = object_client.client(url, access, is_probe=True)
        self._signer = object_client.signer(url, access)
        self._place = object_client.place_for_browsers(url, access)
        public = access.public_url.rstrip("/")
        self._signing = object_client.client(url, access, endpoint=public) if public else self._store
        self._answered = (0.0, True)
        self._asking = threading.Lock()
        self._signed = lru_cache(maxsize=10_000)(self._sign)

    def put_file(self, key: str, path: Path, *, media_type: str) -> ObjectInfo:
        """In parts where it is large; nothing can be seen of it before all of it is there."""
        check_type(key, media_type)
        with path.open("rb") as source:
            if not self._has(key, path.stat().st_size, lambda: iter(lambda: source.read(CHUNK_BYTES), b"")):
                source.seek(0)
                with _asking(is_writing=True):
                    attributes = _attributes(media_type)
                    obstore.put(
                        self._store, key, source, attributes=attributes, chunk_size=PART_BYTES, max_concurrency=4
                    )
        return self.stat(key)

    def put_bytes(self, key: str, data: bytes, *, media_type: str) -> ObjectInfo:
        """In one request."""
        check_type(key, media_type)
        if not self._has(key, len(data), lambda: iter((data,))):
            with _asking(is_writing=True):
                obstore.put(self._store, key, data, attributes=_attributes(media_type), use_multipart=False)
        return self.stat(key)

    def copy_many(self, copies: Iterable[tuple[str, str]]) -> None:
        """The store copies them by itself, several at a time."""

        def copy(pair: tuple[str, str]) -> None:
            with _asking():
                obstore.copy(self._store, *map(_checked, pair))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(copy, pair) for pair in copies]:
                done.result()

    def delete_below(self, prefix: str) -> None:
        """What is listed below it; parts of puts that were killed are for the bucket's own rules."""
        media_type_of(f"{prefix}/any.mp4")
        with _asking():
            for page in obstore.list(self._store, prefix=prefix, chunk_size=KEYS_A_CALL):
                self._delete([found["path"] for found in page])

    def read_bytes(self, key: str) -> bytes:
        """All of a (small) file; raises errors.NotFound."""
        media_type_of(key)
        with _asking():
            return bytes(obstore.get(self._store, key).bytes())

    def stream(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Chunks of `CHUNK_BYTES` at most; a file that is replaced meanwhile ends it with StorageUnavailable."""
        media_type_of(key)
        if start < 0 or (length is not None and length < 0):
            raise ValueError("A range has no negative figures.")
        return self._chunks(key, start, length)

    def stat(self, key: str) -> ObjectInfo:
        """As the store's HEAD says."""
        media_type_of(key)
        with _asking():
            return _info(key, obstore.head(self._store, key))

    def delete(self, key: str) -> None:
        """Remove it; fine if it is not there."""
        media_type_of(key)
        with _asking(), suppress(FileNotFoundError):
            obstore.delete(self._store, key)

    def delete_many(self, keys: Sequence[str]) -> None:
        """Up to a thousand in one call, where the store can do that."""
        for place in range(0, len(keys), KEYS_A_CALL):
            with _asking():
                self._delete([_checked(key) for key in keys[place : place + KEYS_A_CALL]])

    def files(self, *, after: str = "") -> Iterator[ObjectInfo]:
        """A thousand a call, in the store's order."""
        with _asking():
            for page in obstore.list(self._store, offset=after or None, chunk_size=KEYS_A_CALL):
                for found in page:
                    if is_key(found["path"]):
                        yield _info(found["path"], found)

    def direct_link(
        self, key: str, *, now: datetime, lifetime_seconds: int, download_name: str | None = None
    ) -> str | None:
        """None for a named download where the machine's role has the keys, since only a key of ours can sign a name."""
        media_type_of(key)
        return self._signed(key, int(now.timestamp()) // STEP_SECONDS, lifetime_seconds, download_name)

    @property
    def browsers_place(self) -> str:
        """The address of the bucket, as signed links begin."""
        return self._place

    def check(self) -> None:
        """List nothing; that shows a wrong bucket or key. A clock that is off is away: it may be set right any time."""
        failure = self._refusal()
        if failure is None:
            return
        said = _STATUS.search(str(failure))
        status = said["status"] if said else ""
        if _is_of_clock(failure):
            detail = f"{self._url} refuses what is signed by the clock of this machine. Set it right."
            raise errors.StorageUnavailable(detail=detail) from failure
        if isinstance(failure, FileNotFoundError) or status == "404":
            raise UnusableStorage(f"{self._url} is not there. Make the bucket first.") from None
        if isinstance(failure, (PermissionDeniedError, UnauthenticatedError)) or status in ("401", "403"):
            raise UnusableStorage(
                f"{self._url} refuses our keys or does not let them list it, or the clock here is off."
            ) from None
        raise errors.StorageUnavailable(detail=_said(failure)) from failure

    def refuses_clock(self) -> bool | None:
        """Known where a store says why it refuses, as S3 and Azure do."""
        failure = self._refusal()
        return False if failure is None else _is_of_clock(failure) or None

    def _refusal(self) -> Exception | None:
        """What comes of listing nothing."""
        try:
            for _page in obstore.list(self._probe, prefix="check/none", chunk_size=1):
                break
        except (BaseError, FileNotFoundError, TimeoutError) as failure:
            return failure
        return None

    def answers(self) -> bool:
        """Asked of the store every few seconds at most, however many want to know."""
        with self._asking:
            at, answered = self._answered
            if time.monotonic() - at >= ASKED_EVERY_SECONDS or not at:
                try:
                    self.check()
                    answered = True
                except (errors.StorageUnavailable, UnusableStorage):
                    answered = False
                self._answered = (time.monotonic(), answered)
            return answered

    def _sign(self, key: str, quarter: int, lifetime_seconds: int, download_name: str | None) -> str | None:
        if self._signer is None:
            if download_name is not None:
                return None
            with _asking():
                return obstore.sign(self._signing, "GET", key, timedelta(seconds=lifetime_seconds + STEP_SECONDS))
        answer = {"response-content-type": media_type_of(key)}
        if download_name is not None:
            answer["response-content-disposition"] = content_disposition(download_name)
        begun = datetime.fromtimestamp(quarter * STEP_SECONDS, UTC)
        return self._signer.link(self._place + key, now=begun, lifetime_seconds=lifetime_seconds, answer=answer)

    def _has(self, key: str, size_bytes: int, content: Callable[[], Iterator[bytes]]) -> bool:
        """Whether just this lies there already; it is read only where its size is the same."""
        try:
            if self.stat(key).size_bytes != size_bytes:
                return False
            return _sha256(self._chunks(key, 0, None)) == _sha256(content())
        except errors.NotFound:
            return False

    def _chunks(self, key: str, start: int, length: int | None) -> Iterator[bytes]:
        end = None if length is None else start + length
        etag: str | None = None
        while end is None or start < end or etag is None:
            wanted = start + PIECE_BYTES if end is None else min(end, start + PIECE_BYTES)
            piece, etag, size_bytes = self._piece(key, start, wanted, etag)
            for place in range(0, len(piece), CHUNK_BYTES):
                yield piece[place : place + CHUNK_BYTES]
            start += len(piece)
            end = size_bytes if end is None else min(end, size_bytes)
            if not piece:
                return

    def _piece(self, key: str, start: int, end: int, etag: str | None) -> tuple[bytes, str | None, int]:
        """Bytes, ETag and size of the whole; no bytes for what begins behind the end."""
        with _asking():
            if end <= start:
                found = obstore.head(self._store, key)
                return b"", found["e_tag"], found["size"]
            options: Any = {"range": (start, end)} | ({"if_match": etag} if etag else {})
            try:
                got = obstore.get(self._store, key, options=options)
                return bytes(got.bytes()), got.meta["e_tag"], got.meta["size"]
            except BaseError:
                found = obstore.head(self._store, key)  # stores answer a range that begins at the end with a refusal
                if found["size"] > start:
                    raise
                return b"", found["e_tag"], found["size"]

    def _delete(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        if urlsplit(self._url).scheme == "s3":
            obstore.delete(self._store, keys)
            return
        for key in keys:  # the others call a missing one of many an error
            with suppress(FileNotFoundError):
                obstore.delete(self._store, key)


@contextmanager
def _asking(*, is_writing: bool = False) -> Iterator[None]:
    """Turns what the client says into ours; who writes into a bucket that is not there has no place, not no file."""
    try:
        yield
    except FileNotFoundError as missing:
        if is_writing:
            raise errors.StorageUnavailable(detail=_said(missing)) from missing
        raise errors.NotFound from None
    except (BaseError, TimeoutError) as failure:
        raise errors.StorageUnavailable(detail=_said(failure)) from failure


def _is_of_clock(failure: Exception) -> bool:
    return any(words in str(failure) for words in _CLOCK_IS_OFF)


def _said(failure: Exception) -> str:
    return " ".join(str(failure).partition("Debug source")[0].split())[:500]


def _attributes(media_type: str) -> dict[str, str]:
    return {"Content-Type": media_type, "Cache-Control": f"private, max-age={CACHE_SECONDS}"}


def _checked(key: str) -> str:
    media_type_of(key)
    return key


def _info(key: str, found: Any) -> ObjectInfo:
    moment: datetime = found["last_modified"].astimezone(UTC)
    etag = found["e_tag"] or f"{found['size']:x}-{moment.timestamp():.0f}"
    quoted = etag if etag.startswith('"') else f'"{etag}"'
    return ObjectInfo(key, found["size"], quoted, moment, media_type_of(key))


def _sha256(pieces: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()
