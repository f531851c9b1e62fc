import base64
import gzip
import hashlib
import os
import shutil
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from core import egress, errors
from core.files import download
from core.providers import contract
from core.proxies import Proxies
from tests.fixtures import file_host, proxies
from tests.fixtures.file_host import FileHost

DATA = os.urandom(1_000_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def host() -> Iterator[FileHost]:
    """A file host with a megabyte."""
    with file_host.file_host(DATA) as running:
        yield running


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file is to lie, in a folder of its own."""
    return tmp_path / "downloads" / "clip.mp4"


def fetch(host: FileHost, target: Path, **options: Any) -> download.Downloaded:
    """Fetch the host's file without real pauses."""
    headers = options.pop("headers", {})
    source = contract.VideoSource(options.pop("url", host.url), headers)
    options.setdefault("allow", frozenset({host.host_port}))
    options.setdefault("pause", lambda _: None)
    return download.fetch(source, target, **options)


def failure_of(host: FileHost, target: Path, **options: Any) -> errors.DownloadFailed:
    """The error with which fetching ends; it never quotes a signature or a key."""
    with pytest.raises(errors.DownloadFailed) as caught:
        fetch(host, target, **options)
    assert "Secret" not in f"{caught.value} {caught.value.detail} {caught.value.__cause__}"
    return caught.value


def left_behind(target: Path) -> list[str]:
    """The files in the target's folder."""
    return sorted(path.name for path in target.parent.iterdir())


def test_fetch_writes_the_whole_file(host: FileHost, target: Path) -> None:
    """Bytes, size, hash and type are right, and nothing else is left."""
    done = fetch(host, target, headers={"Authorization": "Bearer SecretKey", "Range": "bytes=5-"})
    assert done == download.Downloaded(target, len(DATA), SHA256, "video/mp4")
    assert target.read_bytes() == DATA
    assert left_behind(target) == ["clip.mp4"]
    (call,) = host.calls
    assert (call["authorization"], call["accept-encoding"]) == ("Bearer SecretKey", "identity")
    assert "range" not in call


def test_fetch_resumes_where_a_connection_dropped(host: FileHost, target: Path) -> None:
    """Two drops: the rest is asked for by range and version, and the hash is that of the whole."""
    host.answers = [file_host.drop_after(400_000), file_host.whole]
    assert fetch(host, target).sha256 == SHA256
    assert (host.calls[1]["range"], host.calls[1]["if-range"]) == ("bytes=400000-", file_host.ETAG)


@pytest.mark.parametrize("weak", ['W/"version-1"', "", "version-1"])
def test_fetch_starts_again_without_a_strong_etag(host: FileHost, target: Path, weak: str) -> None:
    """What cannot be told apart from another version is not continued."""
    host.answers = [file_host.drop_after(400_000, ETag=weak)]
    assert fetch(host, target).sha256 == SHA256
    assert "range" not in host.calls[1]


def test_fetch_starts_again_when_the_file_changed(host: FileHost, target: Path) -> None:
    """Another version on the server: the old half is thrown away."""
    host.answers = [file_host.drop_after(400_000, ETag='"version-0"')]
    assert fetch(host, target).sha256 == SHA256
    assert host.calls[1]["if-range"] == '"version-0"'


def test_fetch_starts_again_where_ranges_are_ignored(host: FileHost, target: Path) -> None:
    """A server that answers a range with everything is taken at its word."""
    host.answers = [file_host.drop_after(400_000)]
    host.otherwise = file_host.without_ranges
    assert fetch(host, target).sha256 == SHA256


def test_fetch_does_not_trust_a_wrong_continuation(host: FileHost, target: Path) -> None:
    """A 206 for other bytes than asked is not appended."""

    def wrong(exchange: file_host.Exchange) -> None:
        exchange.send(206, DATA[500_000:], Content_Range="bytes 500000-999999/1000000", ETag=file_host.ETAG)

    host.answers = [file_host.drop_after(400_000), wrong]
    assert fetch(host, target).sha256 == SHA256


def test_fetch_leaves_the_part_for_a_later_call(host: FileHost, target: Path) -> None:
    """After the last try the part stays; the next call, with a link signed anew, fetches only the rest."""
    host.answers = [file_host.drop_after(300_000), file_host.status(503)]
    failure = failure_of(host, target, max_tries=2)
    assert (failure.retryable, failure.detail) == (True, "127.0.0.1: status 503 (try 2 of 2)")
    assert left_behind(target) == ["clip.mp4.part", "clip.mp4.part.json"]
    assert "Secret" not in target.with_name("clip.mp4.part.json").read_text()
    assert fetch(host, target, url=host.url.replace("Signature", "Anew")).sha256 == SHA256
    assert host.calls[2]["range"] == "bytes=300000-"
    assert left_behind(target) == ["clip.mp4"]


def test_fetch_does_not_go_on_from_a_part_of_another_file(host: FileHost, target: Path) -> None:
    """What was fetched from one link is not continued from a link to something else."""
    host.answers = [file_host.drop_after(300_000)]
    failure_of(host, target, max_tries=1)
    assert fetch(host, target, url=host.url.replace("clip", "other")).sha256 == SHA256
    assert "range" not in host.calls[1]


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_fetch_reports_an_expired_link_at_once(host: FileHost, target: Path, code: int) -> None:
    """A link that is over is asked once; a fresh one has to come from the provider."""
    host.otherwise = file_host.status(code)
    assert isinstance(failure_of(host, target), errors.OutputExpired)
    assert len(host.calls) == 1
    assert left_behind(target) == []


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (file_host.reply(b"<html>", Content_Type="text/html; charset=utf-8"), "text/html instead of a video"),
        (file_host.reply(b"{}", Content_Type="application/json"), "application/json instead"),
        (file_host.reply(b"\x89PNG" + DATA, Content_Type="image/png"), "image/png instead of a video (image)"),
        (file_host.reply(b"\xee" + DATA, Content_Type="text/plain"), "text/plain instead of a video (not_a_video)"),
        (file_host.reply(gzip.compress(DATA), Content_Encoding="gzip"), "video/mp4 gzip instead of a video"),
        (file_host.reply(DATA, Content_Encoding="br"), "video/mp4 br instead of a video"),
        (file_host.reply(b"", Content_Length="9000000000"), "more than 2147483648 bytes"),
        (file_host.status(400), "status 400"),
        (file_host.redirect("ftp://127.0.0.1/x"), "not reached by https"),
        (file_host.redirect("http://127.0.0.1:9/x"), "not reached by https"),
        (file_host.redirect("https://127.0.0.1/x"), "not a public address"),
        (file_host.redirect("https://[::1]:6379/x"), "port 6379"),
        (file_host.redirect("https://user:Secret@example.org/x"), "user name or password"),
        (file_host.redirect("https://[::1/x"), "not an address"),
        (file_host.redirect("/again"), "too many redirects"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_fetch_refuses(host: FileHost, target: Path, answer: file_host.Answer, detail: str) -> None:
    """What another try cannot mend is refused at the first, and nothing stays on disk."""
    host.otherwise = answer
    failure = failure_of(host, target)
    assert not failure.retryable
    assert detail in failure.detail
    assert len(host.calls) == (6 if "redirects" in detail else 1)
    assert left_behind(target) == []


@pytest.mark.parametrize("called", ["text/plain", "text/html", "image/gif", "application/json"])
@pytest.mark.parametrize("start", [b"\0\0\0\x20ftypisom", b"\x1a\x45\xdf\xa3"])
def test_fetch_when_a_video_is_called_something_else(host: FileHost, target: Path, called: str, start: bytes) -> None:
    """A clip that was paid for is fetched whole whatever its host calls it: the bytes decide."""
    video = start + DATA
    host.otherwise = file_host.reply(video, Content_Type=called)
    assert fetch(host, target).sha256 == hashlib.sha256(video).hexdigest()
    assert target.read_bytes() == video


def test_fetch_stops_a_body_that_grows_too_large(host: FileHost, target: Path) -> None:
    """A size that was never stated is counted as it comes."""
    host.otherwise = lambda exchange: _send_chunked(exchange, DATA)
    failure = failure_of(host, target, limits=download.Limits(max_bytes=500_000))
    assert (failure.retryable, failure.detail) == (False, "refused: more than 500000 bytes")
    assert left_behind(target) == []


def _send_chunked(exchange: file_host.Exchange, data: bytes) -> None:
    exchange.send_response(200)
    exchange.send_header("Transfer-Encoding", "chunked")
    exchange.end_headers()
    for start in range(0, len(data), 50_000):
        part = data[start : start + 50_000]
        exchange.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
    exchange.wfile.write(b"0\r\n\r\n")


def test_fetch_accepts_chunks_without_a_type(host: FileHost, target: Path) -> None:
    """No stated size and no stated type are fine within the limit."""
    host.otherwise = lambda exchange: _send_chunked(exchange, DATA)
    assert fetch(host, target) == download.Downloaded(target, len(DATA), SHA256, None)


def test_fetch_pauses_as_the_server_asks(host: FileHost, target: Path) -> None:
    """Retry-After is kept to; without one the pauses are short and random."""
    host.answers = [file_host.status(429, Retry_After="7"), file_host.status(500), file_host.status(502)]
    pauses: list[float] = []
    assert fetch(host, target, pause=pauses.append).sha256 == SHA256
    assert pauses[0] == 7
    assert all(0 <= seconds <= 4 for seconds in pauses[1:])
    assert len(pauses) == 3


def test_fetch_does_not_wait_for_a_long_retry_after(host: FileHost, target: Path) -> None:
    """A worker is not put to sleep for minutes: the call ends, and the next one may come later."""
    host.otherwise = file_host.status(503, Retry_After="600")
    pauses: list[float] = []
    assert failure_of(host, target, pause=pauses.append).retryable
    assert (pauses, len(host.calls)) == ([], 1)


def test_fetch_gives_up_after_its_tries(host: FileHost, target: Path) -> None:
    """Six tries by default, then a failure that may be tried again."""
    host.otherwise = file_host.reply(b"")
    failure = failure_of(host, target)
    assert (failure.retryable, len(host.calls)) == (True, 6)
    assert "the body is empty" in failure.detail


def test_fetch_survives_an_unreachable_host(host: FileHost, target: Path) -> None:
    """Where nothing listens now, something may listen later."""
    failure = failure_of(host, target, url="http://127.0.0.1:1/clip.mp4", allow=frozenset({"127.0.0.1:1"}))
    assert failure.retryable
    assert "ConnectError" in failure.detail


def test_fetch_ends_a_slow_drip(host: FileHost, target: Path) -> None:
    """A connection below the minimum rate is given up instead of being held for hours."""
    host.otherwise = file_host.drip(100, 0.02)
    limits = download.Limits(min_bytes_per_second=50_000, rate_window_seconds=0.2)
    failure = failure_of(host, target, limits=limits, max_tries=1)
    assert failure.retryable
    assert "too slow" in failure.detail


def test_fetch_ends_a_drip_of_the_first_bytes(host: FileHost, target: Path) -> None:
    """That holds from the first byte on, while too few came to tell what they are; the caller hears of it meanwhile."""
    host.otherwise = file_host.drip(1, 0.02)
    heard: list[int] = []
    limits = download.Limits(min_bytes_per_second=50_000, rate_window_seconds=1.2)
    failure = failure_of(host, target, limits=limits, max_tries=1, heartbeat=heard.append)
    assert "too slow" in failure.detail
    assert heard != []


def test_fetch_ends_at_its_total_time(host: FileHost, target: Path) -> None:
    """The time for all tries together is kept to, even while bytes keep coming."""
    host.otherwise = file_host.drip(5_000, 0.02)
    failure = failure_of(host, target, limits=download.Limits(total_seconds=0.5))
    assert failure.retryable
    assert "time for this download is used up" in failure.detail or "ReadTimeout" in failure.detail


def test_fetch_keeps_keys_from_another_host(host: FileHost, target: Path) -> None:
    """A redirect off the origin gets none of the source's headers; one within it gets all."""
    with file_host.file_host(DATA) as other:
        host.answers = [file_host.redirect("/same"), file_host.redirect(other.url)]
        allow = frozenset({host.host_port, other.host_port})
        assert fetch(host, target, allow=allow, headers={"X-Api-Key": "SecretKey"}).sha256 == SHA256
        assert [call.get("x-api-key") for call in host.calls + other.calls] == ["SecretKey", "SecretKey", None]


@pytest.mark.parametrize("value", ["Secret\r\nX: y", "Secret\x00", "Secreté"])
def test_fetch_never_quotes_a_bad_header(host: FileHost, target: Path, value: str) -> None:
    """A key that cannot be sent is refused without showing it."""
    assert not failure_of(host, target, headers={"Authorization": value}).retryable
    assert host.calls == []


def test_fetch_ignores_proxies_of_the_environment(
    host: FileHost, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would resolve names by itself and void the guard."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch(host, target).sha256 == SHA256


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with the openssl command")
def test_fetch_checks_the_name_in_the_certificate(
    host: FileHost, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Connecting to a checked address does not weaken TLS: the certificate must still be that of the URL's host."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    making = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [*making.split(), "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    host.socket = context.wrap_socket(host.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    egress.tls_context.cache_clear()
    request.addfinalizer(egress.tls_context.cache_clear)
    right = f"https://localhost:{host.server_address[1]}/clip.mp4"
    wrong = right.replace("localhost", "127.0.0.1")
    allow = frozenset({right.split("/")[2], wrong.split("/")[2]})
    assert fetch(host, target, url=right, allow=allow).sha256 == SHA256
    failure = failure_of(host, target, url=wrong, allow=allow, max_tries=1)
    assert "certificate verify failed" in failure.detail


class Cancelled(Exception):
    pass


def test_heartbeat_sees_progress_and_may_end_it(host: FileHost, target: Path) -> None:
    """About once a second the caller hears how much is there; what it raises ends the download and cleans up."""
    host.otherwise = file_host.drip(20_000, 0.05)
    seen: list[int] = []

    def beat(size_bytes: int) -> None:
        seen.append(size_bytes)
        if len(seen) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch(host, target, heartbeat=beat)
    assert 0 < seen[0] < seen[1] < len(DATA)
    assert left_behind(target) == []


def test_fetch_of_one_target_twice_at_once(host: FileHost, target: Path) -> None:
    """While one process fetches a file, another one for the same target is sent away and spoils nothing."""
    host.answers = [file_host.drip(50_000, 0.02)]
    results: list[download.Downloaded] = []
    first = threading.Thread(target=lambda: results.append(fetch(host, target)))
    first.start()
    while not host.calls:
        first.join(0.01)
    failure = failure_of(host, target)
    first.join()
    assert (failure.retryable, failure.detail) == (True, "clip.mp4 is already being fetched")
    assert [done.sha256 for done in results] == [SHA256]
    assert target.read_bytes() == DATA


@pytest.mark.parametrize(
    "host_name",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[2001:db8::1]",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.100.100.200",
        "198.18.0.1",
        "203.0.113.7",
        "0.0.0.0",  # noqa: S104 - a target here, not something to bind
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
    ],
)
def test_fetch_connects_to_no_private_address(target: Path, host_name: str) -> None:
    """However a private address is written, it is refused before anything is sent, and at once."""
    with pytest.raises(errors.DownloadFailed) as caught:
        download.fetch(contract.VideoSource(f"https://{host_name}/clip.mp4"), target)
    assert not caught.value.retryable
    assert caught.value.detail.startswith("refused: ")
    assert "address" in caught.value.detail


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://93.184.216.34/clip.mp4", "not reached by https"),
        ("https://93.184.216.34:6379/", "port 6379"),
        ("https://user@93.184.216.34/", "user name or password"),
        ("https://user:word@93.184.216.34/", "user name or password"),
        ("file:///etc/passwd", "not reached by https"),
        ("gopher://93.184.216.34/", "not reached by https"),
        ("https:///clip.mp4", "no host"),
        ("clip.mp4", "not reached by https"),
        ("", "not reached by https"),
        ("https://[::1", "not an address"),
        ("https://example.org:99999/", "port 99999"),
    ],
)
def test_fetch_accepts_only_plain_https(target: Path, url: str, detail: str) -> None:
    """No other scheme, port or form of address gets as far as a connection."""
    with pytest.raises(errors.DownloadFailed) as caught:
        download.fetch(contract.VideoSource(url), target)
    assert not caught.value.retryable
    assert detail in caught.value.detail


VIDEO = b"\0\0\0\x18ftypisom" + DATA


def framed(data: bytes) -> bytes:
    """As a store has it that keeps the frames of a signed upload."""
    mark = b";chunk-signature=" + b"0" * 64 + b"\r\n"
    parts = [data[start : start + 65_536] for start in range(0, len(data), 65_536)]
    return b"".join(f"{len(part):x}".encode() + mark + part + b"\r\n" for part in parts) + b"0" + mark + b"\r\n"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (VIDEO, {"Content_Encoding": "aws-chunked"}),
        (framed(VIDEO), {"Content_Encoding": "aws-chunked"}),
        (gzip.compress(VIDEO), {"Content_Encoding": "gzip"}),
        (gzip.compress(VIDEO), {"Content_Encoding": "aws-chunked, gzip"}),
        (gzip.compress(VIDEO), {"Content_Type": "application/gzip"}),
        (gzip.compress(VIDEO), {}),
        (zlib.compress(VIDEO), {"Content_Encoding": "deflate"}),
        (VIDEO, {"Content_Encoding": "gzip"}),
        (VIDEO, {"Content_Encoding": "br", "Content_Type": "text/html"}),
        (VIDEO, {"Content_Encoding": "utf-8"}),
    ],
)
def test_fetch_takes_a_body_for_what_it_is(host: FileHost, target: Path, body: bytes, headers: dict[str, str]) -> None:
    """A coding that is there comes off, one that is not there is not looked for; the file is the video."""
    host.otherwise = file_host.reply(body, **headers)
    assert fetch(host, target).sha256 == hashlib.sha256(VIDEO).hexdigest()


def test_fetch_does_not_go_on_with_a_packed_body(host: FileHost, target: Path) -> None:
    """The rest of something packed continues nothing: it is fetched anew, and one cut short is noticed."""
    packed = gzip.compress(VIDEO)
    cut = file_host.reply(packed[:-500], Content_Encoding="gzip", ETag=file_host.ETAG)
    host.answers = [cut, file_host.reply(packed, Content_Encoding="gzip", ETag=file_host.ETAG)]
    assert fetch(host, target).size_bytes == len(VIDEO)
    assert "range" not in host.calls[1]


def test_fetch_of_a_body_that_unpacks_without_end(host: FileHost, target: Path) -> None:
    """A small body that becomes a large file is given up at the limit."""
    host.otherwise = file_host.reply(gzip.compress(VIDEO + bytes(3_000_000)), Content_Encoding="gzip")
    assert "more than 2000000 bytes" in failure_of(host, target, limits=download.Limits(max_bytes=2_000_000)).detail


def test_fetch_when_the_file_drips(host: FileHost, target: Path) -> None:
    """Whoever drips gets no second try in this call; what came is kept for the next one, which goes on from there."""
    host.answers = [file_host.drip(1000, 0.02)]
    slow = download.Limits(rate_window_seconds=0.2, min_bytes_per_second=10**8)
    with pytest.raises(errors.DownloadTooSlow) as caught:
        fetch(host, target, limits=slow)
    assert caught.value.retryable
    assert len(host.calls) == 1
    assert fetch(host, target).sha256 == SHA256
    assert host.calls[1]["range"].startswith("bytes=")


def silent(before: bytes) -> file_host.Answer:
    """Send this and then nothing more for a while."""

    def answer(exchange: file_host.Exchange) -> None:
        exchange.wfile.write(before)
        exchange.wfile.flush()
        time.sleep(1)

    return answer


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"])
def test_fetch_when_nothing_comes(host: FileHost, target: Path, before: bytes) -> None:
    """Silence before or within an answer ends the call as slowness does, at the first try."""
    host.otherwise = silent(before)
    with pytest.raises(errors.DownloadTooSlow):
        fetch(host, target, limits=download.Limits(head_seconds=0.3, read_seconds=0.3))
    assert len(host.calls) == 1


@pytest.mark.parametrize(
    ("written", "media_type"),
    [
        ("data:video/mp4;base64," + base64.b64encode(VIDEO).decode(), "video/mp4"),
        ("data:;base64," + base64.urlsafe_b64encode(VIDEO).decode().rstrip("="), None),
        ("data:video/mp4;base64," + base64.encodebytes(VIDEO).decode(), "video/mp4"),
        ("data:application/octet-stream," + quote(VIDEO), "application/octet-stream"),
    ],
)
def test_fetch_of_a_data_url(target: Path, written: str, media_type: str | None) -> None:
    """A clip that lies in the address itself is taken out of it."""
    done = download.fetch(contract.VideoSource(written), target)
    assert done == download.Downloaded(target, len(VIDEO), hashlib.sha256(VIDEO).hexdigest(), media_type)


@pytest.mark.parametrize("written", ["data:,", "data:", "data:video/mp4;base64,????", "data:;base64,QUFB"])
def test_fetch_of_a_data_url_that_holds_nothing(target: Path, written: str) -> None:
    """An empty, broken or too large one ends the call, and nothing is left."""
    with pytest.raises(errors.DownloadFailed, match="where the provider put it"):
        download.fetch(contract.VideoSource(written), target, limits=download.Limits(max_bytes=2))
    assert left_behind(target) == []


@pytest.mark.parametrize(("kind", "scheme"), [(proxies.http_proxy, "http"), (proxies.socks_proxy, "socks5")])
def test_fetch_by_a_proxy(host: FileHost, target: Path, kind: Callable[[int], Any], scheme: str) -> None:
    """Where only a proxy leads out, the file comes through it, redirects too, and each of them is looked at."""
    with kind(host.server_address[1]) as proxy:
        by = Proxies(all=f"{scheme}://{proxy.place}")
        allow = frozenset({"files.invalid:80", "cdn.invalid:80"})
        host.answers = [file_host.redirect("http://cdn.invalid/clip.mp4")]
        assert fetch(host, target, url="http://files.invalid/clip.mp4", allow=allow, proxies=by).sha256 == SHA256
        assert [place.removesuffix(":80") for place in proxy.asked] == ["files.invalid", "cdn.invalid"]

        for place in (
            "https://10.0.0.1/x",
            "https://127.1/x",
            "https://metadata/x",
            "https://db.internal/x",
            "http://x.y/",
        ):
            host.answers = [file_host.redirect(place)]
            failure = failure_of(host, target, url="http://files.invalid/clip.mp4", allow=allow, proxies=by)
            assert failure.detail.startswith("refused: "), place
        assert set(proxy.asked[2:]) <= {"files.invalid", "files.invalid:80"}


def test_fetch_by_a_proxy_that_refuses(host: FileHost, target: Path) -> None:
    """A proxy that is not there or leads nobody there is trouble that may pass."""
    with proxies.http_proxy(host.server_address[1]) as proxy:
        by = Proxies(all=f"http://{proxy.place}")
        failure = failure_of(host, target, url=f"https://{proxies.REFUSED}/x", proxies=by, max_tries=1)
        assert failure.retryable
    assert failure_of(host, target, url="https://files.invalid/x", proxies=by, max_tries=1).retryable
