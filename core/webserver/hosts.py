"""Names and addresses of machines as HTTP headers write them; pure."""

import ipaddress
import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")

_ADDRESS_WORDS = {"ip", "ipv6", "clientip", "realip", "socketip", "addr", "address"}
"""Last words of the headers by which proxies say for whom they ask: X-Real-IP, True-Client-IP, X-Azure-ClientIP, ..."""

_OF_NOBODY = {"proto", "protocol", "scheme", "ssl", "port", "prefix", "path", "uri", "method"}
"""Last words of X-Forwarded headers that say how something was asked, and not by whom."""

_FORWARDED_PAIR = re.compile(r'(for|host)\s*=\s*("[^"]*"|[^;,\s]*)', re.IGNORECASE)


def name_of(host: str) -> str | None:
    """The name in a Host header: without port, case and the dot of the root (RFC 9110, 4.2.3); None for no such."""
    try:
        parts = urlsplit(f"//{host}")
        port_is_usable = parts.port is None or parts.port > 0
    except ValueError:
        return None
    if not port_is_usable or parts.hostname is None or parts.username is not None:
        return None
    if parts.path or parts.query or parts.fragment or re.search(r"[\s\\%,]", host):
        return None
    return parts.hostname.removesuffix(".") or None


def is_local_name(host: str) -> bool:
    """Whether a Host header means this machine by a name that nobody else can give it."""
    name = name_of(host)
    return name is not None and (name in LOCAL_NAMES or is_loopback(name))


def is_address(host: str) -> bool:
    """Whether a Host header has an address in place of a name: no other name can be made to lead to it."""
    name = name_of(host)
    return name is not None and address(name) is not None


def is_listed(host: str, allowed: Collection[str]) -> bool:
    """Whether a Host header means one of these names; `*.example.org` stands for all names below, `*` for all."""
    name = name_of(host)
    if name is None:
        return False
    patterns = [pattern.strip().lower().removesuffix(".") for pattern in allowed]
    return any(
        pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:])) for pattern in patterns
    )


def is_loopback(name: str) -> bool:
    """Whether a text is an address of this machine alone."""
    found = address(name)
    return found is not None and found.is_loopback


def speaks_for_a_stranger(header: str, value: str) -> bool:
    """Whether a header (in lower case) says that a proxy asks for somebody else than this machine.

    What cannot be read counts as somebody else, too.
    """
    words = header.split("-")
    says_for_whom = words[-1] in _ADDRESS_WORDS or header == "x-original-host"
    if not says_for_whom and ("forwarded" not in words or words[-1] in _OF_NOBODY):
        return False
    return not all(is_local_name(_bracketed(said)) for said in _said(header, value))


def address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text is, an IPv4 one also where it is written as IPv6; None for a name."""
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def _said(header: str, value: str) -> Iterator[str]:
    """The names and addresses in the value of a header; Forwarded has pairs (RFC 7239), the others have lists."""
    if header == "forwarded":
        pairs = _FORWARDED_PAIR.findall(value)
        yield from (said.strip('"') for _name, said in pairs or (("for", value),))
    else:
        yield from (said.strip().strip('"') for said in value.split(","))


def _bracketed(said: str) -> str:
    """As a Host header would write it: an IPv6 address in brackets."""
    return f"[{said}]" if said.count(":") > 1 and not said.startswith("[") else said
