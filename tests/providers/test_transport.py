"""What every call to a vendor goes through, against servers that say anything."""

import asyncio
import gzip
import json
import resource
import time
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import config, errors
from core.providers import connection, registry, transport
from core.providers.contract import JobState
from tests.fixtures import proxies
from tests.fixtures.raw_server import raw_server, saying, whole, without_end
from tests.providers.calls import request

CLIENTS = {"orders": connection.submit_client, "looks": connection.poll_client}
ANSWER = {"status": "processing", "id": 7}
KEPT_BACK_BYTES = 200 * 1024**2
"""So much more memory than before may be in use while a reply is given up."""


@pytest.fixture(params=CLIENTS)
def client_of(request: pytest.FixtureRequest) -> Callable[[config.Settings], httpx.AsyncClient]:
    """Both clients that vendors are spoken to with."""
    return CLIENTS[request.param]


def settings(tmp_path: Path, **variables: str) -> config.Settings:
    """Settings of an installation of its own."""
    return config.load({"DATA_DIR": str(tmp_path / "data"), **variables})


def ask(client: httpx.AsyncClient, url: str, *, max_bytes: int = 1_000_000, seconds: float = 20) -> httpx.Response:
    """One call, with these bounds."""

    async def exchange() -> httpx.Response:
        async with client:
            return await client.post(url, json={"a": 1}, extensions={transport.BOUNDS: (max_bytes, seconds)})

    return asyncio.run(exchange())


def _bomb(bits: int) -> bytes:
    packer = zlib.compressobj(wbits=bits)
    return b"".join(packer.compress(bytes(10**7)) for _ in range(30)) + packer.flush()


GZIP = b"Content-Encoding: gzip"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
TOO_LARGE = {
    "a packed one": saying(whole(_bomb(31), GZIP)),
    "one packed as deflate": saying(whole(_bomb(15), b"Content-Encoding: deflate")),
    "one packed twice": saying(whole(gzip.compress(_bomb(31)), b"Content-Encoding: gzip, gzip")),
    "one without end": without_end(ENDLESS + b"\r\n", b"[" * 65_536),
    "chunks without end": without_end(
        ENDLESS + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"[" * 1024 + b"\r\n"
    ),
    "a long one": saying(whole(b"[" * 2_000_000)),
}


@pytest.mark.parametrize("say", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_reply_without_end_is_given_up(
    client_of: Callable[[config.Settings], httpx.AsyncClient], say: Any, tmp_path: Path
) -> None:
    """However it grows, on the wire or unpacked, it is given up at its limit, and memory stays where it was."""
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with raw_server(say) as vendor, pytest.raises(transport.ReplyTooLarge, match="more than 1,000,000 bytes"):
        ask(client_of(settings(tmp_path)), vendor.url)
    grown_bytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) * 1024
    assert grown_bytes < KEPT_BACK_BYTES


MALFORMED = {
    "no HTTP": saying(b"hello\r\n\r\n"),
    "a strange version": saying(b"HTTP/9.9 200 OK\r\n\r\n"),
    "a strange status": saying(b"HTTP/1.1 9999 OK\r\n\r\n"),
    "a strange length": saying(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}"),
    "two lengths": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "a strange chunk": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    "a header without a name": saying(b"HTTP/1.1 200 OK\r\n: x\r\n\r\n"),
    "bytes within headers": saying(b"HTTP/1.1 200 OK\r\nX: \x00\xff\r\n\r\n"),
    "a long header": saying(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000 + b"\r\n\r\n{}"),
    "headers without end": without_end(b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n" * 1000),
    "interim answers without end": without_end(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 1000),
    "nothing": saying(b""),
    "half an answer": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}"),
    "no gzip": saying(whole(b"{}", GZIP)),
    "half a gzip": saying(whole(gzip.compress(b"{}" * 1000)[:-5], GZIP)),
    "TLS": saying(b"\x16\x03\x01\x00\x05hello"),
}


@pytest.mark.parametrize("say", MALFORMED.values(), ids=MALFORMED)
def test_a_reply_that_is_no_http(
    client_of: Callable[[config.Settings], httpx.AsyncClient], say: Any, tmp_path: Path
) -> None:
    """Whatever comes, it is one of the errors that every caller knows, and never "nothing was sent"."""
    failure, reply = None, httpx.Response(200)
    with raw_server(say) as vendor:
        try:
            reply = ask(client_of(settings(tmp_path)), vendor.url, seconds=2)
        except httpx.HTTPError as broken:
            failure = broken
    assert not isinstance(failure, httpx.ConnectError) or client_of is connection.poll_client
    assert len(reply.content) <= 2, "something was made of it"


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\n", ENDLESS + b"\r\n"])
def test_a_reply_that_takes_too_long(
    client_of: Callable[[config.Settings], httpx.AsyncClient], before: bytes, tmp_path: Path
) -> None:
    """A byte now and then is no answer: the time for all of it is bounded."""

    def drip(peer: Any) -> None:
        peer.sendall(before)
        for _ in range(100):
            peer.sendall(b"x" if before else b"")
            time.sleep(0.05)

    begun = time.monotonic()
    with raw_server(drip) as vendor, pytest.raises(httpx.ReadTimeout, match="no whole answer within"):
        ask(client_of(settings(tmp_path)), vendor.url, seconds=0.5)
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize("coding", [None, "gzip", "deflate"])
def test_a_reply_is_decoded(
    client_of: Callable[[config.Settings], httpx.AsyncClient], coding: str | None, tmp_path: Path
) -> None:
    """What was packed, as we say we take it, is unpacked."""
    body = json.dumps(ANSWER).encode()
    packed = gzip.compress(body) if coding == "gzip" else zlib.compress(body) if coding else body
    headers = [f"Content-Encoding: {coding}".encode()] if coding else []
    with raw_server(saying(whole(packed, *headers))) as vendor:
        assert ask(client_of(settings(tmp_path)), vendor.url).json() == ANSWER
    assert b"accept-encoding: gzip, deflate\r\n" in vendor.requests[0].lower()


# What was sent, and what was not.


def submit(tmp_path: Path, base_url: str, **variables: str) -> errors.ProviderError | str:
    """Order a clip of ModelsLab: the job, or the error."""
    given = settings(tmp_path, MODELSLAB_API_KEY="key-of-the-test", MODELSLAB_BASE_URL=base_url, **variables)

    async def order() -> str:
        async with connection.submit_client(given) as client:
            vendor = connection.connect(given, "modelslab", client)
            return (await vendor.generate_video(request("seedance-t2v"))).id

    try:
        return asyncio.run(order())
    except errors.ProviderError as error:
        return error


@pytest.mark.parametrize(
    ("base_url", "variables"),
    [
        ("http://127.0.0.1:9", {}),
        ("https://no-such-host.invalid", {}),
        ("https://vendor.invalid", {"ALL_PROXY": "http://127.0.0.1:9"}),
        ("https://vendor.invalid", {"ALL_PROXY": "socks5://127.0.0.1:9"}),
        ("http://vendor.invalid", {"HTTP_PROXY": "socks5h://127.0.0.1:9"}),
    ],
)
def test_what_breaks_before_a_connection_is_not_sent(base_url: str, variables: dict[str, str], tmp_path: Path) -> None:
    """No way out: the order is not uncertain, and an administrator reads why."""
    error = submit(tmp_path, base_url, **variables)
    assert isinstance(error, errors.ProviderError)
    assert error.submit_verdict is not errors.SubmitVerdict.UNKNOWN
    assert error.detail


def test_no_tls_at_the_other_side(tmp_path: Path) -> None:
    """A handshake that fails comes before anything is sent."""
    with raw_server(saying(b"HTTP/1.1 400 no TLS here\r\n\r\n")) as vendor:
        error = submit(tmp_path, vendor.url.replace("http:", "https:"))
    assert isinstance(error, errors.ProviderUnavailable)
    assert "SSL" in error.detail


@pytest.mark.parametrize("kind", [proxies.http_proxy, proxies.socks_proxy])
def test_a_proxy_that_refuses(kind: Callable[[int], AbstractContextManager[proxies.Proxy]], tmp_path: Path) -> None:
    """A proxy that leads nobody there has passed nothing on."""
    scheme = "http" if kind is proxies.http_proxy else "socks5"
    with kind(9) as proxy:
        error = submit(tmp_path, f"https://{proxies.REFUSED}", ALL_PROXY=f"{scheme}://{proxy.place}")
    assert isinstance(error, errors.ProviderUnavailable)
    assert proxy.asked == [f"{proxies.REFUSED}:443"]


@pytest.mark.parametrize("kind", [proxies.http_proxy, proxies.socks_proxy])
def test_orders_and_looks_by_a_proxy(
    kind: Callable[[int], AbstractContextManager[proxies.Proxy]],
    client_of: Callable[[config.Settings], httpx.AsyncClient],
    tmp_path: Path,
) -> None:
    """Both leave by the proxy of the environment; this machine and NO_PROXY are reached directly."""
    scheme = "http" if kind is proxies.http_proxy else "socks5"
    with raw_server(saying(whole(json.dumps(ANSWER).encode()))) as vendor, kind(vendor.port) as proxy:
        by = {"all_proxy": f"{scheme}://{proxy.place}", "NO_PROXY": "elsewhere.invalid"}
        assert ask(client_of(settings(tmp_path, **by)), "http://vendor.invalid/x").json() == ANSWER
        assert ask(client_of(settings(tmp_path, **by)), vendor.url).json() == ANSWER
        with pytest.raises((httpx.ConnectError, httpx.ConnectTimeout)):
            ask(client_of(settings(tmp_path, **by)), "http://elsewhere.invalid/x")
        assert [asked.removesuffix(":80") for asked in proxy.asked] == ["vendor.invalid"]


@pytest.mark.parametrize("say", [MALFORMED["nothing"], MALFORMED["half an answer"], MALFORMED["no HTTP"]])
def test_what_breaks_after_it_is_uncertain(say: Any, tmp_path: Path) -> None:
    """The order was sent and no readable answer came: nobody knows."""
    with raw_server(say) as vendor:
        error = submit(tmp_path, vendor.url)
    assert isinstance(error, errors.SubmitUncertain)
    assert len(vendor.requests) == 1


def test_an_order_whose_answer_is_too_large(tmp_path: Path) -> None:
    """An answer without end to an order leaves it uncertain; the same to a look is no news of the job."""
    with raw_server(saying(whole(_bomb(31), GZIP))) as vendor:
        error = submit(tmp_path, vendor.url)
        assert isinstance(error, errors.ReplyTooLarge)
        assert error.submit_verdict is errors.SubmitVerdict.UNKNOWN
        given = settings(tmp_path, MODELSLAB_API_KEY="key-of-the-test", MODELSLAB_BASE_URL=vendor.url)

        async def look() -> None:
            async with connection.poll_client(given) as client:
                await connection.connect(given, "modelslab", client).check_status("7")

        with pytest.raises(errors.ReplyTooLarge):
            asyncio.run(look())


def test_large_replies_are_read_one_at_a_time(tmp_path: Path) -> None:
    """Clips within replies may be large; several at once are taken one after the other, and each arrives."""
    body = json.dumps({"status": "success", "output": {"video": "A" * (9 * 1024**2)}}).encode()
    given = settings(tmp_path, EDENAI_API_KEY="key-of-the-test")
    assert registry.provider_class("edenai").max_look_bytes > len(body)  # type: ignore[attr-defined]

    async def look(base_url: str) -> list[JobState]:
        async with connection.poll_client(given) as client:
            vendor = connection.connect(given, "edenai", client, base_url=base_url)
            looks = [vendor.check_status(str(number)) for number in range(4)]
            return [status.state for status in await asyncio.gather(*looks)]

    with raw_server(saying(whole(body))) as vendor:
        assert asyncio.run(look(vendor.url)) == [JobState.RUNNING] * 4
