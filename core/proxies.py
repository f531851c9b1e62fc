"""Which proxy a request leaves by: one set of rules for orders, looks, files and webhooks; it sends nothing."""

import ipaddress
import re
from dataclasses import dataclass

import httpx

from core.redaction import shown_address

SCHEMES = ("http", "https", "socks5", "socks5h")


def proxy_address(value: str) -> str:
    """A proxy as it is given in HTTP_PROXY and the like, with its scheme. ValueError, without its password, for others.

    One without a scheme is an http proxy, as everywhere.
    """
    address = value.strip()
    if address and "://" not in address:
        address = f"http://{address}"
    try:
        url = httpx.URL(address)
        usable = not address or (url.scheme in SCHEMES and url.host != "" and url.path in ("", "/"))
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        schemes = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise ValueError(f"'{shown_address(value)}' is not the address of a proxy, as {schemes} with host and port.")
    return address


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of an installation, each empty where there is none; `all` is for what the other two do not name.

    `no_proxy` are hosts that are reached directly, separated by commas: `*`, a domain (and all below it), an IP address
    or network; each may name a port. This machine itself is never reached by a proxy.
    """

    http: str = ""
    https: str = ""
    all: str = ""
    no_proxy: str = ""

    def of(self, url: httpx.URL) -> httpx.URL | None:
        """The proxy for a URL; None to go directly."""
        found = {"http": self.http, "https": self.https}.get(url.scheme, "") or self.all
        if not found or is_loopback(url.host) or self._is_exempt(url):
            return None
        return httpx.URL(found)

    def _is_exempt(self, url: httpx.URL) -> bool:
        port = url.port or {"http": 80, "https": 443}.get(url.scheme)
        entries = (entry for part in self.no_proxy.split(",") if (entry := part.strip().lower()))
        return any(_covers(entry, url.host.lower().rstrip("."), port) for entry in entries)


DIRECT = Proxies()
"""No proxy at all."""


def is_loopback(host: str) -> bool:
    """Whether a host as written in a URL is this machine itself."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


_PORT = re.compile(r"(.*?):(\d{1,5})")


def _covers(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY names a host."""
    if entry == "*":
        return True
    with_port = _PORT.fullmatch(entry) if entry.count(":") == 1 or "]:" in entry else None
    if with_port is not None and int(with_port[2]) != port:
        return False
    name = (with_port[1] if with_port else entry).strip("[]").removeprefix("*")
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False)
    except ValueError:
        name = name.strip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
