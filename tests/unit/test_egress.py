import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.egress import READ_BYTES, AddressRefused, GuardedBackend, is_public, port_of, resolve, tls_context
from core.proxies import Proxies

NEVER = time.monotonic() + 3600
INSIDE = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "168.63.129.16/32",
    "::/128",
    "::1/128",
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
]
"""Networks of the registries of special addresses (RFC 6890 and its successors) that no stranger is to lead us to."""


def guard(*found: str, allow: str = "", deadline: float = NEVER) -> GuardedBackend:
    """A guard for which every name has these addresses."""
    return GuardedBackend(frozenset({allow}), deadline=deadline, resolver=lambda _host, _port: list(found))


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """Something that listens on 127.0.0.1 and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def port(listening: socket.socket) -> int:
    """Where it listens."""
    return int(listening.getsockname()[1])


@pytest.mark.parametrize("network", INSIDE)
@given(data=st.data())
def test_is_public_when_inside(network: str, data: st.DataObject) -> None:
    """No address of a special network is public, from its first to its last."""
    known = ipaddress.ip_network(network)
    offset = data.draw(st.one_of(st.just(0), st.just(known.num_addresses - 1), st.integers(0, known.num_addresses - 1)))

    assert not is_public(str(known[offset]))


@given(address=st.ip_addresses(v=4))
def test_is_public_when_an_ipv4_address_hides(address: ipaddress.IPv4Address) -> None:
    """Mapped into IPv6 or behind NAT64 an address is what it is by itself; by a tunnel it is never public."""
    plain = is_public(str(address))
    number = int(address)

    assert is_public(f"::ffff:{address}") == plain
    assert is_public(str(ipaddress.IPv6Address((0x64FF9B << 96) | number))) == plain
    assert not is_public(str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80))))
    assert not is_public(str(ipaddress.IPv6Address(number)))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"])
def test_is_public_when_it_is(address: str) -> None:
    """Ordinary servers can be reached, also by IPv6 and through NAT64."""
    assert is_public(address)


def test_is_public_when_there_is_a_zone() -> None:
    """A zone changes nothing about an address."""
    assert not is_public("fe80::1%eth0")
    assert is_public("2606:4700::1111%1")


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::1", "93.184.216.34"]])
def test_guard_refuses_a_name_with_any_private_address(found: list[str]) -> None:
    """A public name that leads inside is refused, also when only one of its addresses does."""
    with pytest.raises(AddressRefused, match="not a public address"):
        guard(*found).connect_tcp("looks-fine.example", 443)


@pytest.mark.parametrize("number", [0, 22, 79, 444, 6379, 65535])
def test_guard_refuses_other_ports(number: int) -> None:
    """Of a public host only the two ports of the web can be reached, and it is not even looked up for another."""
    looked_up: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        looked_up.append(host)
        return ["93.184.216.34"]

    guarded = GuardedBackend(frozenset(), deadline=NEVER, resolver=resolver)
    with pytest.raises(AddressRefused, match=f"port {number} "):
        guarded.addresses("fine.example", number)
    assert looked_up == []
    assert guarded.addresses("fine.example", 80) == guarded.addresses("fine.example", 443) == ["93.184.216.34"]


@pytest.mark.parametrize("failure", [socket.gaierror(), UnicodeError("label too long"), TimeoutError()])
def test_guard_reports_a_name_without_address(failure: Exception) -> None:
    """A name that cannot be resolved at the moment is a failed connection, which may be tried again."""

    def resolver(_host: str, _port: int) -> list[str]:
        raise failure

    with pytest.raises(httpcore.ConnectError):
        GuardedBackend(frozenset(), deadline=NEVER, resolver=resolver).connect_tcp("gone.example", 443)


def test_guard_when_a_name_has_nothing_at_all() -> None:
    """No address is no connection, and no crash."""
    with pytest.raises(httpcore.ConnectError, match=r"nothing\.example has no address"):
        guard().connect_tcp("nothing.example", 443)


def test_resolve_when_a_name_cannot_be_one() -> None:
    """What the system cannot even ask for is a failed connection, too."""
    with pytest.raises(httpcore.ConnectError):
        GuardedBackend(frozenset(), deadline=NEVER).addresses("a" * 64 + ".example", 443)
    assert resolve("127.0.0.1", 80) == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("allow", "host", "number", "allowed"),
    [
        ("studio.example:9000", "studio.example", 9000, True),
        ("Studio.Example:9000", "STUDIO.example", 9000, True),
        ("[::1]:9000", "::1", 9000, True),
        ("studio.example:9000", "studio.example", 9001, False),
        ("studio.example:9000", "studio.example", 900, False),
        ("studio.example:9000", "a.studio.example", 9000, False),
        ("studio.example:9000", "studio.example.org", 9000, False),
        ("studio.example", "studio.example", 443, False),
        ("", "", 443, False),
    ],
)
def test_allow_is_one_host_and_port(allow: str, host: str, number: int, *, allowed: bool) -> None:
    """What an operator names is exactly that, in any case of letters; brackets are those of the URL."""
    guarded = guard("127.0.0.1", allow=allow)

    assert guarded.allows(host, number) == allowed
    if allowed:
        assert guarded.addresses(host, number) == ["127.0.0.1"]
    else:
        with pytest.raises(AddressRefused):
            guarded.addresses(host, number)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://fine.example/", "not reached by https"),
        ("ftp://studio.example:9000/", "not reached by https"),
        ("http://studio.example:9001/", "not reached by https"),
        ("http://user:word@studio.example:9000/", "user name or password"),
        ("https://:word@fine.example/", "user name or password"),
        ("https:///path", "no host"),
    ],
)
def test_check_when_a_url_is_refused(url: str, why: str) -> None:
    """Only https, or http where an operator said so, and never with a password, which the reason does not quote."""
    with pytest.raises(AddressRefused, match=why) as caught:
        guard(allow="studio.example:9000").check(httpx.URL(url))
    assert "word@" not in str(caught.value)


def test_check_when_a_url_is_fine() -> None:
    """https anywhere, http to the one that was named."""
    guarded = guard(allow="studio.example:80")
    for url in (
        "https://fine.example/a?b=c",
        "https://studio.example/",
        "http://studio.example/",
        "HTTP://STUDIO.example",
    ):
        guarded.check(httpx.URL(url))

    assert [port_of(httpx.URL(url)) for url in ("https://a", "http://a", "http://a:81")] == [443, 80, 81]


def test_guard_connects_to_the_address_it_checked(peer: socket.socket) -> None:
    """The name is resolved once: what a second look-up would say cannot matter."""
    looked_up: list[str] = []

    def resolver(name: str, _port: int) -> list[str]:
        looked_up.append(name)
        return ["127.0.0.1"]

    allow = frozenset({f"studio.example:{port(peer)}"})
    stream = GuardedBackend(allow, deadline=NEVER, resolver=resolver).connect_tcp(
        "studio.example", port(peer), timeout=5
    )
    assert stream.get_extra_info("server_addr") == ("127.0.0.1", port(peer))
    assert looked_up == ["studio.example"]
    stream.close()


def test_guard_when_the_first_address_is_dead(peer: socket.socket) -> None:
    """The next address is tried; the last failure is told when none answers."""
    allow = f"studio.example:{port(peer)}"
    stream = guard("127.0.0.2", "127.0.0.1", allow=allow).connect_tcp("studio.example", port(peer))
    assert stream.get_extra_info("server_addr") == ("127.0.0.1", port(peer))
    stream.close()

    with pytest.raises(httpcore.ConnectError, match="refused"):
        guard("127.0.0.2", "127.0.0.3", allow=allow).connect_tcp("studio.example", port(peer))


def test_guard_when_the_time_is_up(peer: socket.socket) -> None:
    """After the deadline nothing is connected, whatever time a caller would give it."""
    guarded = guard("127.0.0.1", allow=f"studio.example:{port(peer)}", deadline=time.monotonic() - 1)
    with pytest.raises(httpcore.TimeoutException):
        guarded.connect_tcp("studio.example", port(peer), timeout=60)
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.accept()


@pytest.mark.parametrize(
    "wait",
    [
        lambda stream: stream.read(1),
        lambda stream: stream.read(1, timeout=3600),
        lambda stream: stream.write(bytes(50_000_000), timeout=3600),
        lambda stream: stream.start_tls(ssl.create_default_context(), "studio.example", timeout=3600),
    ],
    ids=["read", "patient read", "write", "TLS"],
)
def test_stream_when_the_peer_says_nothing(
    peer: socket.socket, wait: Callable[[httpcore.NetworkStream], object]
) -> None:
    """Every wait ends at the deadline, however long the caller would have waited and whatever it waits for."""
    guarded = guard("127.0.0.1", allow=f"studio.example:{port(peer)}", deadline=time.monotonic() + 0.2)
    with closing(guarded.connect_tcp("studio.example", port(peer))) as stream, pytest.raises(httpcore.TimeoutException):
        wait(stream)


def test_stream_when_the_peer_drips(peer: socket.socket) -> None:
    """A byte now and then, each in time by itself, does not move the deadline."""
    over = threading.Event()

    def drip() -> None:
        connection, _ = peer.accept()
        with connection:
            while not over.wait(0.02):
                connection.sendall(b"x")

    def read_on(stream: httpcore.NetworkStream) -> None:
        while chunk := stream.read(1, timeout=3600):
            received.extend(chunk)

    dripping = threading.Thread(target=drip)
    dripping.start()
    guarded = guard("127.0.0.1", allow=f"studio.example:{port(peer)}", deadline=time.monotonic() + 0.3)
    received = bytearray()
    with closing(guarded.connect_tcp("studio.example", port(peer))) as stream:
        with pytest.raises(httpcore.TimeoutException):
            read_on(stream)
        over.set()
        dripping.join()
    assert set(received) == set(b"x")


def test_stream_reads_much_at_once(peer: socket.socket) -> None:
    """Whatever little a caller asks for, a read takes all that is there; nothing is lost between reads."""
    guarded = guard("127.0.0.1", allow=f"studio.example:{port(peer)}")
    stream = guarded.connect_tcp("studio.example", port(peer))
    connection, _ = peer.accept()
    sent = bytes(range(256)) * (2 * READ_BYTES // 256)
    sending = threading.Thread(target=connection.sendall, args=(sent,))
    sending.start()
    received, most = b"", 0
    with connection, closing(stream):
        while len(received) < len(sent):
            chunk = stream.read(1, timeout=10)
            received, most = received + chunk, max(most, len(chunk))
        sending.join()
    assert received == sent
    assert 1 < most <= READ_BYTES


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("https://files.example/x", False),
        ("https://1.1.1.1/x", False),
        ("https://10.0.0.1/x", True),
        ("https://intranet/x", True),
        ("https://db.internal/x", True),
        ("https://printer.local./x", True),
        ("https://files.example:8443/x", True),
        ("http://files.example/x", True),
        ("http://named.internal:9000/x", False),
    ],
)
def test_a_name_that_only_a_proxy_knows_is_checked_as_far_as_can_be(url: str, *, refused: bool) -> None:
    """A proxy may know names that are not known here; what is plainly inside is refused all the same."""

    def resolver(host: str, _port: int) -> list[str]:
        if host[0].isdigit():
            return [host]
        raise OSError("no such name")

    guarded = GuardedBackend(
        frozenset({"named.internal:9000"}),
        deadline=NEVER,
        proxies=Proxies(all="http://proxy.internal:3128"),
        resolver=resolver,
    )
    for ask in (guarded.pool, guarded.check_reachable):
        try:
            ask(httpx.URL(url))
        except AddressRefused:
            assert refused
        else:
            assert not refused


def test_a_proxy_is_no_way_to_its_own_host() -> None:
    """That connections may go to the proxy does not mean that a link may lead there."""
    guarded = GuardedBackend(
        frozenset(),
        deadline=NEVER,
        proxies=Proxies(all="http://10.0.0.9:443"),
        resolver=lambda host, _port: [host],
    )
    with pytest.raises(AddressRefused):
        guarded.pool(httpx.URL("https://10.0.0.9/x"))


def test_tls_context_is_read_once_and_stays_as_it_is() -> None:
    """All connections share one, which trusts authorities, checks names, and speaks what it was made to speak."""
    context = tls_context()
    assert context is tls_context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.cert_store_stats()["x509_ca"] > 50
    context.set_alpn_protocols(["http/1.1"])
    with pytest.raises(ValueError, match="not \\['h2'\\]"):
        context.set_alpn_protocols(["h2"])
