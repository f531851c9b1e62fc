"""What every call to a vendor goes through: the way out, a limit of size and time, and errors that tell what was sent.

Nothing from outside is unbounded: a reply is read as a stream, its coding taken off piece by piece, and given up when
it grows beyond what the call allows or takes too long. Whatever breaks is one of httpx's own errors afterwards.
"""

import asyncio
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from core import content_coding
from core.content_coding import Undecodable
from core.proxies import Proxies

MAX_REPLY_BYTES = 8 * 1024**2
"""Of the body, decoded; more only where a call asks for it, and then one such reply at a time."""
TOTAL_SECONDS = 30.0
"""From the first byte sent to the last one read; other calls ask for other times."""
BOUNDS = "bounds"
"""Name of the request extension that holds `(max_reply_bytes, total_seconds)` of a call."""


class ReplyTooLarge(httpx.HTTPError):
    """A reply that was given up because it went on and on."""


class BoundedTransport(httpx.AsyncBaseTransport):
    """Sends by the proxy or directly, and gives back replies that are read, decoded and within their bounds.

    `direct` carries what needs no proxy; `through` makes the transport for a proxy, once for each.
    """

    def __init__(
        self,
        proxies: Proxies,
        *,
        direct: Callable[[], httpx.AsyncBaseTransport],
        through: Callable[[httpx.URL], httpx.AsyncBaseTransport],
    ) -> None:
        self._proxies = proxies
        self._direct = direct
        self._through = through
        self._ways: dict[str, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The whole reply. Raises httpx.HTTPError and nothing else; ConnectError when surely nothing was sent."""
        max_bytes, seconds = request.extensions.get(BOUNDS, (MAX_REPLY_BYTES, TOTAL_SECONDS))
        trail = _Trail()
        request.extensions = {**request.extensions, "trace": trail.note}
        try:
            way = self._way(request.url)
        except Exception as failure:  # a package that a kind of proxy needs, a file of authorities that is not there
            raise httpx.ConnectError(_said(failure), request=request) from failure
        try:
            async with asyncio.timeout(seconds):
                response = await way.handle_async_request(request)
                try:
                    return await _read(response, request, max_bytes)
                finally:
                    await response.aclose()
        except ReplyTooLarge:
            raise
        except httpx.HTTPError as failure:
            if trail.nothing_sent and not isinstance(failure, httpx.ConnectTimeout | httpx.PoolTimeout):
                raise httpx.ConnectError(_said(failure), request=request) from failure
            raise
        except TimeoutError as failure:
            late = httpx.ConnectTimeout if trail.nothing_sent else httpx.ReadTimeout
            raise late(f"no whole answer within {seconds:g} s", request=request) from failure
        except Exception as failure:
            broken = httpx.ConnectError if trail.nothing_sent else httpx.RemoteProtocolError
            raise broken(_said(failure), request=request) from failure

    async def aclose(self) -> None:
        """Close every connection."""
        for way in self._ways.values():
            await way.aclose()

    def _way(self, url: httpx.URL) -> httpx.AsyncBaseTransport:
        proxy = self._proxies.of(url)
        name = str(proxy or "")
        if name not in self._ways:
            self._ways[name] = self._direct() if proxy is None else self._through(proxy)
        return self._ways[name]


class _Trail:
    """How far an exchange came, by what httpcore tells of it (trace extension); other transports tell nothing."""

    def __init__(self) -> None:
        self._connecting = False
        self._sending = False
        self._refused_to_send = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore at each step."""
        request = info.get("request")
        if request is not None and request.method == b"CONNECT":
            return  # asks the proxy for a way; nothing of ours is in it
        layer, _, step = event.partition(".")
        self._connecting = self._connecting or layer in ("connection", "http_proxy", "socks5", "socks")
        if step == "send_request_headers.started":
            self._sending = True
        if step == "send_request_headers.failed":
            self._refused_to_send = type(info.get("exception")).__name__ == "LocalProtocolError"

    @property
    def nothing_sent(self) -> bool:
        """Whether it is known that nothing of the request left this machine."""
        return self._refused_to_send or (self._connecting and not self._sending)


async def _read(response: httpx.Response, request: httpx.Request, max_bytes: int) -> httpx.Response:
    """The reply with its body read and decoded."""
    decoder = content_coding.decoder_of(response.headers.get("content-encoding", ""))
    body, room = bytearray(), _Room()
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 -- as httpx asserts itself
    try:
        async for chunk in response.stream:
            for piece in (chunk,) if decoder is None else decoder.feed(chunk):
                body += piece
                if len(body) > max_bytes:
                    raise ReplyTooLarge(f"the reply has more than {max_bytes:,} bytes")
                if len(body) > MAX_REPLY_BYTES and not room.taken:
                    await room.take()
        if decoder is not None:
            decoder.close()
    except Undecodable as failure:
        raise httpx.DecodingError(str(failure), request=request) from failure
    finally:
        room.give_back()
    headers = [pair for pair in response.headers.raw if pair[0].lower() not in _OF_THE_WIRE]
    return httpx.Response(
        response.status_code, headers=headers, content=bytes(body), request=request, extensions=response.extensions
    )


_OF_THE_WIRE = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class _Room:
    """Takes part in the queue of large replies, of which one is read at a time."""

    taken = False

    async def take(self) -> None:
        """Wait until no other large reply is being read."""
        self._lock = _large.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        await self._lock.acquire()
        self.taken = True

    def give_back(self) -> None:
        """Let the next one read."""
        if self.taken:
            self._lock.release()


_large: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()


def _said(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}"
