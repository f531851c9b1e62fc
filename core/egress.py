"""Connects out to public addresses only: the check *is* the connect, so no redirect and no DNS trick gets around it.

Where a proxy leads out, the proxy connects; then the name is checked as far as it can be looked up here.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

from core.messages import Message, message, plain
from core.proxies import DIRECT, Proxies

_NOT_FOR_STRANGERS = (
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's host agent: a public address, but of the machine's own cloud
    ipaddress.ip_network("192.0.0.0/24"),  # RFC 6890; Oracle's metadata service was at 192.0.0.192
    ipaddress.ip_network("192.88.99.0/24"),  # 6to4 relays, RFC 7526
)
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


_INSIDE_NAMES = (".local", ".localdomain", ".localhost", ".internal", ".intranet", ".private", ".corp", ".home", ".lan")
"""Ends of names that no public name has (RFC 6762, appendix G; ICANN, `.internal`); and so has one without a dot."""

READ_BYTES = 256 * 1024
"""More at once than httpcore asks for (64 KiB): measured a tenth faster, for no memory to speak of."""


class AddressRefused(Exception):
    """A connection that must not be made; the message says why, as a part of a sentence."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def reason(failure: httpcore.ConnectError) -> Message:
    """Why no connection came about, as a part of a sentence."""
    told = failure.args[0] if failure.args else ""
    return told if isinstance(told, Message) else plain(str(told))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also when it hides an IPv4 address inside."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)))
        if parsed.sixtofour is not None or parsed.teredo is not None:
            return False
        return parsed in _GLOBAL_UNICAST and parsed.is_global
    refused = any(parsed in network for network in _NOT_FOR_STRANGERS)
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved and not refused


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host in the system's order, each once; OSError if there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def port_of(url: httpx.URL) -> int:
    """The port of a URL, the scheme's own filled in."""
    return url.port or (443 if url.scheme == "https" else 80)


@cache
def tls_context() -> SSLContext:
    """Whom to trust: the system's authorities, certifi's, and those of SSL_CERT_FILE; for all connections out.

    Read once a process, since that takes 20 to 30 ms of CPU: as much as everything else of an order. Threads may share
    it, and no caller may change it.
    """
    context = httpcore.default_ssl_context()
    context.set_alpn_protocols(_PROTOCOLS)
    context.__class__ = _SharedContext
    return context


_PROTOCOLS = ("http/1.1",)


class _SharedContext(SSLContext):
    """One that says what it speaks once and for all.

    httpcore says it anew for each connection, which frees what another thread may be about to copy.
    """

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Nothing, as it is said; ValueError for anything else."""
        if tuple(alpn_protocols) != _PROTOCOLS:
            raise ValueError(f"all connections speak {_PROTOCOLS}, not {alpn_protocols}")


class GuardedBackend(httpcore.NetworkBackend):
    """A network for httpcore that reaches public addresses on ports 80 and 443, and what `allow` names.

    `allow` holds `host:port` as written in a URL. A host is refused if *any* of its addresses is not public, and the
    connection goes to the very address that was checked. Nothing lasts beyond `deadline` (of `time.monotonic`), so a
    peer that drips a byte now and then cannot hold a connection open for ever; it may be moved while one is open.
    """

    def __init__(
        self,
        allow: frozenset[str],
        *,
        deadline: float,
        proxies: Proxies = DIRECT,
        resolver: Callable[[str, int], list[str]] = resolve,
    ) -> None:
        self._allow = frozenset(entry.lower().replace("[", "").replace("]", "") for entry in allow)
        self.deadline = deadline
        self._proxies = proxies
        self._resolver = resolver
        self._network = httpcore.SyncBackend()

    def pool(self, url: httpx.URL) -> httpcore.ConnectionPool:
        """Connections for a URL, directly or by its proxy; raises AddressRefused for what must not be asked for."""
        self.check(url)
        context = tls_context() if url.scheme == "https" else None
        proxy = self._proxies.of(url)
        if proxy is None:
            return httpcore.ConnectionPool(ssl_context=context, network_backend=self)
        self._check_name(url.host, port_of(url))
        auth = (proxy.username, proxy.password) if proxy.userinfo else None
        address = httpcore.URL(scheme=proxy.raw_scheme, host=proxy.raw_host, port=_proxy_port(proxy), target=b"/")
        return httpcore.ConnectionPool(
            ssl_context=context,
            proxy=httpcore.Proxy(address, auth=auth),
            network_backend=_ToProxy(self, proxy.host),
        )

    def check_reachable(self, url: httpx.URL) -> None:
        """Everything that can be said of a URL without connecting.

        Raises AddressRefused, and httpcore.ConnectError for a name that nobody knows and no proxy could.
        """
        self.check(url)
        if self._proxies.of(url) is None:
            self.addresses(url.host, port_of(url))
        else:
            self._check_name(url.host, port_of(url))

    def allows(self, host: str, port: int) -> bool:
        """Whether an operator has named this very host and port."""
        return f"{host}:{port}".lower() in self._allow

    def check(self, url: httpx.URL) -> None:
        """What can be said of a URL before its host is looked up; raises AddressRefused."""
        named = self.allows(url.host, port_of(url))
        if url.scheme != "https" and not (named and url.scheme == "http"):
            raise AddressRefused(message("host_without_https", host=url.host))
        if url.userinfo:
            raise AddressRefused(message("address_has_password"))
        if not url.host:
            raise AddressRefused(message("address_without_host"))

    def _check_name(self, host: str, port: int) -> None:
        """What can be said of a host that a proxy connects to: it may know names that are not known here."""
        try:
            self.addresses(host, port)
        except httpcore.ConnectError:
            name = host.lower().rstrip(".")
            if not self.allows(host, port) and ("." not in name or name.endswith(_INSIDE_NAMES)):
                raise AddressRefused(message("host_not_public", host=host)) from None

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses that a connection may go to; raises AddressRefused, and httpcore.ConnectError for none."""
        allowed = self.allows(host, port)
        if not allowed and port not in (80, 443):
            raise AddressRefused(message("port_refused", port=port, host=host))
        found = self._resolve(host, port)
        if not allowed and not all(map(is_public, found)):
            raise AddressRefused(message("host_not_public", host=host))
        return found

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Raises AddressRefused, httpcore.ConnectError or httpcore.ConnectTimeout."""
        return self._connect(host, port, self.addresses(host, port), timeout)

    def connect_to_proxy(self, host: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
        """To a proxy of the operator's, which may well be inside; raises as `connect_tcp` does."""
        return self._connect(host, port, self._resolve(host, port), timeout)

    def _resolve(self, host: str, port: int) -> list[str]:
        try:
            return self._resolver(host, port)
        except (OSError, UnicodeError) as failure:  # UnicodeError: a label too long for DNS
            raise httpcore.ConnectError(message("host_has_no_address", host=host)) from failure

    def _connect(self, host: str, port: int, addresses: Sequence[str], timeout: float | None) -> httpcore.NetworkStream:
        unreachable: Exception = httpcore.ConnectError(message("host_has_no_address", host=host))
        for address in addresses:
            try:
                stream = self._network.connect_tcp(address, port, _within(self.deadline, timeout))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                unreachable = failure
            else:
                return _DeadlineStream(stream, self)
        raise unreachable


class _ToProxy(httpcore.NetworkBackend):
    """A network whose connections all go to one proxy."""

    def __init__(self, guard: GuardedBackend, host: str) -> None:
        self._guard = guard
        self._host = host

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Raises httpcore.ConnectError or httpcore.ConnectTimeout."""
        return self._guard.connect_to_proxy(self._host, port, timeout)


class _DeadlineStream(httpcore.NetworkStream):
    """A stream on which every single wait ends at the deadline at the latest."""

    def __init__(self, stream: httpcore.NetworkStream, guard: GuardedBackend) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max(max_bytes, READ_BYTES), _within(self._guard.deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _within(self._guard.deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _within(self._guard.deadline, timeout))
        return _DeadlineStream(secured, self._guard)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _proxy_port(proxy: httpx.URL) -> int:
    return proxy.port or {"http": 80, "https": 443}.get(proxy.scheme, 1080)


def _within(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for this exchange is used up")
    return left if timeout is None else min(left, timeout)
