"""How the tests of the vendors talk to one: a request with its defaults, and one call of one provider."""

import asyncio
from typing import Any

import httpx

from core.providers import registry
from core.providers.contract import VideoRequest
from core.providers.registry import Access

KEY = "key-of-the-test"


def request(model_id: str, **changed: Any) -> VideoRequest:
    """A lake in 720p, as long as the model makes by itself, with changes."""
    model = registry.model(model_id)
    values: dict[str, Any] = {
        "reference": "01JREFERENCE",
        "model": model,
        "prompt": "a lake",
        "resolution": "720p",
        "duration_seconds": model.default_seconds,
        "aspect_ratio": "16:9",
    }
    return VideoRequest(**values | changed)


def run(provider: str, call: str, *arguments: Any, base_url: str = "", key: str = KEY, **keywords: Any) -> Any:
    """What a coroutine of a provider returns; it has two seconds for each answer."""

    async def once() -> Any:
        async with httpx.AsyncClient(timeout=2) as client:
            connected = registry.connect(provider, client=client, access=Access(key=key, base_url=base_url))
            return await getattr(connected, call)(*arguments, **keywords)

    return asyncio.run(once())
