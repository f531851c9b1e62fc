"""Which providers this installation can use and how they are reached: settings meet the registry here."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from core import config, content_coding, egress
from core.config import Settings
from core.providers import registry
from core.providers.contract import Provider
from core.providers.transport import BoundedTransport

SUBMIT_TIMEOUT = httpx.Timeout(45, connect=10)
POLL_TIMEOUT = httpx.Timeout(20, connect=5)


def summary(settings: Settings) -> str:
    """Which providers can be used and where each is, without any key: `fal at queue.fal.run, demo on this machine`."""
    found = []
    for provider in registry.providers():
        if provider.name in configured(settings):
            address = settings.provider_base_urls.get(provider.name, provider.default_base_url)
            host = "on this machine" if provider.is_local else f"at {urlsplit(address).netloc.rpartition('@')[2]}"
            found.append(f"{provider.name} {host}")
    return ", ".join(found)


def configured(settings: Settings) -> frozenset[str]:
    """Names of the providers that can be used: those with a key, and of those that need none the ones with an address.

    An adapter's default address only says where such a server usually is, not that there is one.
    """
    return frozenset(
        provider.name
        for provider in registry.providers()
        if provider.is_local
        or (not provider.needs_key and provider.given_address)
        or provider.name in (settings.provider_keys if provider.needs_key else settings.provider_base_urls)
    )


def secrets(settings: Settings) -> frozenset[str]:
    """What must not be seen in a log: the secrets of settings, and those that a file of vendors holds."""
    found = {*settings.secrets}
    for provider in registry.providers():
        if provider.from_file:
            found.add(config.password_of(provider.default_base_url))
            headers = provider.options.get("headers", {})
            found |= {value for name, value in headers.items() if _HOLDS_A_KEY.search(name)}
    return frozenset(found - {""})


_HOLDS_A_KEY = re.compile("authorization|key|token|secret|passw|cookie", re.I)


def connect(settings: Settings, name: str, client: httpx.AsyncClient, *, base_url: str | None = None) -> Provider:
    """A provider ready to be called; `base_url` is the one a job was submitted to, when there is one.

    Raises NotFound for an unknown provider, ProviderNotConfigured without a key.
    """
    today = settings.provider_base_urls.get(name, "")
    address = today if registry.provider_class(name).is_local else base_url or today
    access = registry.Access(key=settings.provider_keys.get(name, ""), base_url=address)
    return registry.connect(name, client=client, access=access)


def connect_where_it_moved(
    settings: Settings, name: str, client: httpx.AsyncClient, *, base_url: str | None
) -> Provider | None:
    """The provider at today's address, for a job whose own address has moved; None when there is no other."""
    today = settings.provider_base_urls.get(name)
    return None if today in (None, base_url) else connect(settings, name, client, base_url=today)


def download_allow(settings: Settings, name: str, base_url: str | None) -> frozenset[str]:
    """The `host:port`s that a provider's files may come from though private or unencrypted, those of all its servers.

    `base_url` is where the job was submitted to.
    """
    further = registry.provider_class(name).further_addresses
    return settings.download_allow(name, base_url) | {config.host_port(address) for address in further}


def submit_client(settings: Settings) -> httpx.AsyncClient:
    """For calls that spend money: plain httpx, whose errors tell "never connected" from "connection lost".

    The aiohttp transport reports a server that hung up as ConnectTimeout (httpx-aiohttp 0.2, transport.py), which
    would be taken for "nothing was sent" and so be sent again.
    """

    def direct() -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(verify=egress.tls_context(), trust_env=False)

    return _client(BoundedTransport(settings.proxies, direct=direct, through=_through), SUBMIT_TIMEOUT)


def poll_client(settings: Settings) -> httpx.AsyncClient:
    """For looks, which may be repeated: measured 30 times cheaper than plain httpx at 100 connections.

    It has no limit of its own, which all providers would share: whoever looks limits how many of each are under way.
    """
    from httpx_aiohttp import AiohttpTransport  # large, and only who polls needs it

    limits = httpx.Limits(max_connections=0, max_keepalive_connections=100)  # to aiohttp 0 is none; None means its 100

    def direct() -> httpx.AsyncBaseTransport:
        return AiohttpTransport(verify=egress.tls_context(), trust_env=False, limits=limits)

    return _PlainClient(BoundedTransport(settings.proxies, direct=direct, through=_through), POLL_TIMEOUT)


def _through(proxy: httpx.URL) -> httpx.AsyncBaseTransport:
    """By a proxy, for orders and looks alike: aiohttp knows no SOCKS."""
    return httpx.AsyncHTTPTransport(
        verify=egress.tls_context(),
        trust_env=False,
        proxy=httpx.Proxy(proxy),
        limits=httpx.Limits(max_connections=None),
    )


def _client(transport: BoundedTransport, timeout: httpx.Timeout) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=transport, timeout=timeout, headers=_HEADERS, follow_redirects=False, trust_env=False
    )


_url = lru_cache(maxsize=4096)(httpx.URL)  # a job is asked about at the same address again and again
_HEADERS = {"Accept-Encoding": content_coding.ACCEPTED}


class _PlainClient(httpx.AsyncClient):
    """Sends a request as it is: no cookies are kept, nothing is merged or followed.

    That costs httpx more than half of what a look costs, and looks are by far the most that is sent.
    """

    def __init__(self, transport: BoundedTransport, timeout: httpx.Timeout) -> None:
        super().__init__(transport=transport, headers=_HEADERS, trust_env=False)
        self._bounded = transport
        self._always = {name.decode(): value.decode() for name, value in self.headers.raw}
        self._timeouts = timeout.as_dict()

    def build_request(self, method: str, url: httpx.URL | str, **parts: Any) -> httpx.Request:
        """A request to this very address, with the headers that all have."""
        timeout = parts.pop("timeout", httpx.USE_CLIENT_DEFAULT)
        timeouts = self._timeouts if timeout is httpx.USE_CLIENT_DEFAULT else httpx.Timeout(timeout).as_dict()
        headers = self._always | dict(parts.pop("headers", None) or {})
        extensions = {"timeout": timeouts, **(parts.pop("extensions", None) or {})}
        known = _url(url) if isinstance(url, str) else url
        return httpx.Request(method, known, headers=headers, extensions=extensions, **parts)

    async def send(self, request: httpx.Request, **_options: Any) -> httpx.Response:
        """The whole reply; raises as the transport does."""
        return await self._bounded.handle_async_request(request)
