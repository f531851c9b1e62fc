"""Fetches a provider's finished file: safely (guarded connections, limits), whole or not at all, resuming where it can.

It speaks to httpcore directly: no redirect is followed unseen, and a body is taken for what its first bytes are. A
coding that they have comes off; one that is only claimed means nothing.
"""

import email.utils
import hashlib
import itertools
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import httpcore
import httpx

from core import content_coding, errors
from core.egress import AddressRefused, GuardedBackend
from core.files import data_url, sniff
from core.files.resumable_file import PartialFile
from core.messages import message
from core.providers import contract
from core.proxies import DIRECT, Proxies

_PLAIN_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/mp4"})
_GONE = frozenset({401, 403, 404, 410})
_TRY_AGAIN = frozenset({408, 425, 429})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OURS = frozenset({"host", "range", "if-range", "accept", "accept-encoding", "user-agent", "connection"})
_MOST_REDIRECTS = 5
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]*"')
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that is whole, on disk and under its final name; `media_type` is what the server called it."""

    path: Path
    size_bytes: int
    sha256: str
    media_type: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a download may cost.

    `total_seconds` bounds one call with all its tries; an answer has to begin within `head_seconds`;
    `min_bytes_per_second` is the mean over each `rate_window_seconds`, and no more than `read_seconds` may pass without
    a byte; a pause that a server asks for beyond `longest_pause_seconds` ends the call instead.
    """

    max_bytes: int = 2 * 1024**3
    total_seconds: float = 900
    connect_seconds: float = 10
    head_seconds: float = 60
    read_seconds: float = 30
    min_bytes_per_second: int = 8 * 1024
    rate_window_seconds: float = 30
    longest_pause_seconds: float = 30


class _TryAgain(Exception):
    """This try failed in a way that another may not; `after_seconds` is what the server asked for."""

    def __init__(self, why: str, *, after_seconds: float | None = None) -> None:
        super().__init__(why)
        self.after_seconds = after_seconds


def fetch(
    source: contract.VideoSource,
    target: Path,
    *,
    allow: frozenset[str] = frozenset(),
    proxies: Proxies = DIRECT,
    limits: Limits = Limits(),
    heartbeat: Callable[[int], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
    max_tries: int = 6,
) -> Downloaded:
    """Fetch `source` into `target`, which appears only when it is complete and flushed to disk.

    `allow` holds `host:port`s that may be private and plain http. `heartbeat(bytes_so_far)` is called at most about
    once a second and may raise to end it. Raises errors.OutputExpired (ask the provider for a fresh link) and
    errors.DownloadFailed: if `retryable`, what was fetched stays beside `target` and a later call goes on from there;
    in every other case it is removed. errors.DownloadTooSlow, one of these, comes without a second try: whoever drips
    is not to hold up others. Header values never get into an error. The source may be a data URL.
    """
    with PartialFile(target, resource=_resource(source.url)) as partial:
        if source.url.startswith("data:"):
            media_type = data_url.unpack(source.url, partial.write, max_bytes=limits.max_bytes)
        else:
            network = GuardedBackend(allow, deadline=time.monotonic() + limits.total_seconds, proxies=proxies)
            media_type = _Run(source, partial, network, limits, heartbeat).until_complete(pause, max_tries)
        size_bytes, sha256 = partial.publish()
    return Downloaded(target, size_bytes, sha256, media_type)


class _Run:
    """One call of `fetch`: what its tries share."""

    def __init__(
        self,
        source: contract.VideoSource,
        partial: PartialFile,
        network: GuardedBackend,
        limits: Limits,
        heartbeat: Callable[[int], None] | None,
    ) -> None:
        self._headers = _sendable(source)
        self._url = _parsed(source.url)
        self._partial = partial
        self._limits = limits
        self._heartbeat = heartbeat
        self._last_beat = time.monotonic()
        self._deadline = network.deadline
        self._network = network

    def until_complete(self, pause: Callable[[float], None], max_tries: int) -> str | None:
        """Try, pause (full jitter, or what Retry-After says) and try again; the media type when it is all there."""
        for attempt in range(1, max_tries + 1):
            try:
                return self._attempt()
            except AddressRefused as refused:
                raise _refused(f"refused: {refused}") from None
            except httpcore.UnsupportedProtocol:
                raise _refused("refused: not an http(s) address") from None
            except httpcore.LocalProtocolError:
                # Its text quotes the header at fault, and headers hold keys.
                raise _refused("the request could not be formed") from None
            except httpcore.ReadTimeout as idle:
                raise errors.DownloadTooSlow(detail=f"{self._url.host}: {type(idle).__name__}: {idle}") from None
            except (
                httpcore.NetworkError,
                httpcore.TimeoutException,
                httpcore.ProtocolError,
                httpcore.ProxyError,
            ) as failure:
                trouble = _TryAgain(f"{type(failure).__name__}: {failure}")
            except _TryAgain as failure:
                trouble = failure
            # S311 below: jitter is no secret.
            seconds = trouble.after_seconds or random.uniform(0, min(8.0, 0.5 * 2**attempt))  # noqa: S311
            out_of_time = time.monotonic() + seconds >= self._deadline
            if attempt == max_tries or out_of_time or seconds > self._limits.longest_pause_seconds:
                break
            self._beat()
            pause(seconds)
        raise errors.DownloadFailed(detail=f"{self._url.host}: {trouble} (try {attempt} of {max_tries})")

    def _attempt(self) -> str | None:
        """One try from the first address on: signed redirects are often fresh each time."""
        url, headers = self._url, self._headers
        for _ in range(_MOST_REDIRECTS + 1):
            self._network.deadline = min(self._deadline, time.monotonic() + self._limits.head_seconds)
            with self._network.pool(url) as pool, self._stream(pool, url, headers) as response:
                self._network.deadline = self._deadline
                if response.status not in _REDIRECTS:
                    return self._receive(response)
                location = header(response, b"location")
            following = _parsed(location, base=url)
            if (following.scheme, following.host, following.port) != (url.scheme, url.host, url.port):
                headers = {}  # any of them may be a key, and the next host is somebody else
            url = following
        raise _refused("refused: too many redirects")

    def _stream(
        self, pool: httpcore.ConnectionPool, url: httpx.URL, headers: dict[str, str]
    ) -> AbstractContextManager[httpcore.Response]:
        resume = {}
        if self._partial.size_bytes and self._partial.etag:
            resume = {"Range": f"bytes={self._partial.size_bytes}-", "If-Range": self._partial.etag}
        ours = {"Host": url.netloc.decode(), "User-Agent": "ai-video-generator", "Accept": "*/*"}
        waits = dict.fromkeys(("read", "write", "pool"), self._limits.read_seconds)
        return pool.stream(
            "GET",
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=list((ours | headers | resume | {"Accept-Encoding": "identity"}).items()),
            extensions={"timeout": waits | {"connect": self._limits.connect_seconds}},
        )

    def _receive(self, response: httpcore.Response) -> str | None:
        """Write the body to the partial file; the media type when it came to its end."""
        self._accept_status(response)
        media_type = header(response, b"content-type").partition(";")[0].strip().lower()
        if response.status == 206:
            expected: int | None = self._accept_continuation(response)
            body = _Body(self._paced(response), None)
        else:
            stated = header(response, b"content-length")
            expected = int(stated) if stated.isdecimal() else None
            self._accept_size(expected or 0)
            body = self._body(response, media_type)
            self._partial.restart(_strong_etag(response) if body.decoder is None else None)

        for chunk in self._decoded(body):
            self._partial.write(chunk)
            self._accept_size(self._partial.size_bytes)
        if not self._partial.size_bytes:
            raise _TryAgain("the body is empty")
        received = self._partial.size_bytes if body.decoder is None else body.received_bytes
        if expected not in (None, received):
            raise _TryAgain(f"the body ended at {received} of {expected} bytes")
        return media_type or None

    def _paced(self, response: httpcore.Response) -> Iterator[bytes]:
        """The body as it comes, which is heard of once a second and ended when it drips, from its first byte on."""
        window_start, window_bytes = time.monotonic(), 0
        for chunk in response.iter_stream():
            yield chunk
            window_bytes += len(chunk)
            passed = time.monotonic() - window_start
            if passed >= self._limits.rate_window_seconds:
                if window_bytes < passed * self._limits.min_bytes_per_second:
                    detail = f"{self._url.host}: too slow: {window_bytes} bytes in {passed:.0f} s"
                    raise errors.DownloadTooSlow(detail=detail)
                window_start, window_bytes = time.monotonic(), 0
            if time.monotonic() - self._last_beat >= 1:
                self._beat()

    def _body(self, response: httpcore.Response, media_type: str) -> "_Body":
        """The body of a whole answer, as its first bytes have it: some file hosts call a paid clip text or worse.

        A coding that was named, or one that the first bytes have, comes off; then it has to begin as a video does,
        unless the host plainly says that it is one.
        """
        coding = header(response, b"content-encoding")
        is_called_video = media_type in _PLAIN_TYPES or media_type.startswith("video/")
        head, chunks = _peeked(self._paced(response))
        decoder = None if _begins_a_video(head) is None else _decoder(head, coding)
        body = _Body(chunks, decoder)
        if decoder is not None:
            head, body.decoded = _peeked(self._decoded(body))
        must_look = not is_called_video or coding.lower() not in ("", "identity")
        if must_look and (rejection := _begins_a_video(head)):
            what = f"{media_type[:80]} {coding[:80]}".strip()
            raise _refused(f"refused: {self._url.host} sent {what} instead of a video ({rejection.reason})")
        return body

    def _decoded(self, body: "_Body") -> Iterator[bytes]:
        try:
            yield from body.decoded
        except content_coding.Undecodable as failure:
            raise _TryAgain(f"the body is not what its coding says: {failure}") from None

    def _accept_status(self, response: httpcore.Response) -> None:
        status = response.status
        if status in (200, 206):
            return
        if status in _GONE:
            raise errors.OutputExpired(detail=f"{self._url.host}: status {status}")
        if status == 416:  # what we have is not a beginning of what is there now
            self._partial.restart(None)
            raise _TryAgain("status 416 to a resumed download")
        if status in _TRY_AGAIN or status >= 500:
            raise _TryAgain(f"status {status}", after_seconds=retry_after(response))
        raise _refused(f"{self._url.host}: status {status}")

    def _accept_continuation(self, response: httpcore.Response) -> int:
        """The full size, if a 206 goes on exactly where the partial file ends, to the end of the resource."""
        found = _CONTENT_RANGE.fullmatch(header(response, b"content-range"))
        start, end, total = found.groups() if found else ("", "", "")
        if content_coding.decoder_of(header(response, b"content-encoding")) is not None:
            start = ""  # a part of something packed continues nothing
        if start and int(start) == self._partial.size_bytes and total in ("*", str(int(end) + 1)):
            return int(end) + 1
        self._partial.restart(None)
        raise _TryAgain("a 206 that does not go on where the file ends")

    def _accept_size(self, size_bytes: int) -> None:
        if size_bytes > self._limits.max_bytes:
            raise _refused(f"refused: more than {self._limits.max_bytes} bytes")

    def _beat(self) -> None:
        self._last_beat = time.monotonic()
        if self._heartbeat is not None:
            self._heartbeat(self._partial.size_bytes)


class _Body:
    """The body of one answer; counts what came over the wire."""

    def __init__(self, chunks: Iterator[bytes], decoder: content_coding.Decoder | None) -> None:
        self.received_bytes = 0
        self.decoder = decoder
        self.decoded = content_coding.decode(self._counted(chunks), decoder)

    def _counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.received_bytes += len(chunk)
            yield chunk


def _peeked(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, and the same chunks from the beginning on."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= sniff.HEAD_BYTES:
            break
    return head, itertools.chain([head] if head else [], chunks)


def _begins_a_video(head: bytes) -> errors.MediaRejected | None:
    """None when it does, else why it does not."""
    try:
        sniff.container_of(head)
    except errors.MediaRejected as rejection:
        return rejection
    return None


def _decoder(head: bytes, coding: str) -> content_coding.Decoder | None:
    """What takes off the coding that these first bytes have; None where they have none that is known."""
    if "aws-chunked" in coding.lower() and content_coding.AwsChunked.HEAD.match(head):
        return content_coding.AwsChunked()
    return content_coding.decoder_of("gzip" if head.startswith(_GZIP_MARK) else coding)


_GZIP_MARK = b"\x1f\x8b\x08"


def _refused(detail: str) -> errors.DownloadFailed:
    return errors.DownloadFailed(
        message("cannot_fetch_from_there"),
        retryable=False,
        detail=detail,
    )


def _parsed(address: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        return base.join(address) if base is not None else httpx.URL(address)
    except (httpx.InvalidURL, ValueError):
        raise _refused("refused: not an address at all") from None


def _resource(address: str) -> str:
    """A name for what a URL leads to, the same for two signed links to one file, and telling nothing."""
    return hashlib.sha256(address.partition("?")[0].encode("utf-8", "replace")).hexdigest()


def _sendable(source: contract.VideoSource) -> dict[str, str]:
    """The source's headers without those that are ours to set; refuses what no header may hold."""
    for name, value in source.headers.items():
        if not (name.isascii() and value.isascii() and value.isprintable()):
            raise _refused("a header for this download holds characters that no header may hold")
    return {name: value for name, value in source.headers.items() if name.lower() not in _OURS}


def header(response: httpcore.Response, name: bytes) -> str:
    """The first header of this name as text, or nothing."""
    for key, value in response.headers:
        if key.lower() == name:
            return value.decode("latin-1").strip()
    return ""


def _strong_etag(response: httpcore.Response) -> str | None:
    etag = header(response, b"etag")
    return etag if _STRONG_ETAG.fullmatch(etag) else None


def retry_after(response: httpcore.Response) -> float | None:
    """Retry-After in seconds, given as a number or as a date; None if it is neither."""
    value = header(response, b"retry-after")
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
