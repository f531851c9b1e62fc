"""The free call that tells whether a key works; its shapes are those of the vendors' documentation."""

import asyncio

import httpx
import pytest
import respx

from core import errors
from core.providers import registry
from core.providers.registry import Access

KEY = "key-of-the-test"
WALLET = ("modelslab", "POST", "https://modelslab.com/api/wallet_balance")
JOBS = ("edenai", "GET", "https://api.edenai.run/v3/universal-ai/async")
CALLS = [
    (*WALLET, httpx.Response(200, json={"status": "success", "data": {"balance": 43.6, "currency": "USD"}}), None),
    (*WALLET, httpx.Response(200, json={"status": "error", "message": "Invalid API key"}), errors.BadKey),
    (*WALLET, httpx.Response(401, json={"status": "error", "messege": "Invalid API key"}), errors.BadKey),
    (*WALLET, httpx.Response(502, text="<html>"), errors.ProviderUnavailable),
    (*WALLET, httpx.ReadTimeout("slow"), errors.ProviderUnavailable),
    (*JOBS, httpx.Response(200, json={"results": []}), None),
    (*JOBS, httpx.Response(401, json={"detail": "Invalid", "error_code": "UNAUTHORIZED"}), errors.BadKey),
    (*JOBS, httpx.Response(500, text="?"), errors.ProviderUnavailable),
    (*JOBS, httpx.ConnectError("refused"), errors.ProviderUnavailable),
]


@pytest.mark.parametrize(("name", "method", "url", "reply", "expected"), CALLS)
@respx.mock
def test_check_key_when_answered(
    name: str, method: str, url: str, reply: httpx.Response | Exception, expected: type[Exception] | None
) -> None:
    """Only a refusal of the key says that the key does not work; trouble says nothing about it."""
    respx.route(method=method, url__startswith=url).mock(side_effect=[reply])

    async def check() -> None:
        async with httpx.AsyncClient() as client:
            await registry.connect(name, client=client, access=Access(key=KEY, base_url="")).check_key()

    if expected is None:
        asyncio.run(check())
        return
    with pytest.raises(expected) as raised:
        asyncio.run(check())
    assert KEY not in f"{raised.value} {raised.value.detail}"  # type: ignore[attr-defined]  # errors of ours have it
