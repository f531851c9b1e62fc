"""Asks identity providers and fronts for what they publish: by the installation's proxies, within time and size.

The operator has chosen whom to ask, so a private address is as good as any other.
"""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from core import content_coding, egress, errors
from core.proxies import Proxies

MAX_BYTES = 1024**2
TOTAL_SECONDS = 8.0
"""From the first byte sent to the last one read; somebody is looking at a blank page meanwhile."""

_TIMEOUT = httpx.Timeout(4.0)
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


def get_json(url: str, *, proxies: Proxies, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at an address; SignInUnavailable when it does not answer with one."""
    answer = send("GET", url, proxies=proxies, headers=headers)
    if answer.status_code != httpx.codes.OK:
        raise errors.SignInUnavailable(detail=f"{url} answered {answer.status_code}")
    try:
        found = answer.json()
    except ValueError as wrong:
        raise errors.SignInUnavailable(detail=f"{url} answered no JSON: {wrong}") from None
    if not isinstance(found, dict):
        raise errors.SignInUnavailable(detail=f"{url} answered JSON that is no object")
    return found


def send(
    method: str,
    url: str,
    *,
    proxies: Proxies,
    headers: Mapping[str, str] | None = None,
    content: str | bytes = b"",
) -> httpx.Response:
    """The whole answer, whatever its status; SignInUnavailable when none came in time, or too much of one."""
    ends = time.monotonic() + TOTAL_SECONDS
    try:
        proxy = proxies.of(httpx.URL(url))
        with (
            httpx.Client(verify=egress.tls_context(), proxy=proxy, trust_env=False, timeout=_TIMEOUT) as client,
            client.stream(method, url, headers=_HEADERS | dict(headers or {}), content=content) as answer,
        ):
            body = bytearray()
            decoder = content_coding.decoder_of(answer.headers.get("content-encoding", ""))
            for piece in content_coding.decode(answer.iter_raw(), decoder):
                body += piece
                if len(body) > MAX_BYTES or time.monotonic() > ends:
                    raise errors.SignInUnavailable(detail=f"{url} answered too much, or too slowly")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, content_coding.Undecodable) as failure:
        raise errors.SignInUnavailable(detail=f"{url}: {failure!r}") from failure
    return httpx.Response(answer.status_code, headers={"Content-Type": "application/json"}, content=bytes(body))
