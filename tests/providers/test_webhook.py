"""Where each vendor is told to call; the field names are those of the vendors' documentation."""

import asyncio
import json
from typing import Any

import httpx
import pytest
import respx

from core import errors
from core.providers import registry
from core.providers.contract import SourceImage, VideoRequest
from core.providers.registry import Access

HOOK = "https://video.example.org/hooks/g-1/s"
PLACES = [
    ("seedance-t2v", lambda sent: json.loads(sent.content)["webhook"]),
    ("text-to-video-ultra", lambda sent: json.loads(sent.content)["webhook"]),
    ("nova-reel", lambda sent: json.loads(sent.content)["webhook_receiver"]),
    ("replicate-seedance-1-pro", lambda sent: json.loads(sent.content)["webhook"]),
    ("gemini-omni-1.2-flash", lambda sent: json.loads(sent.content)["webhook_config"]["uris"][0]),
    ("minimax-h3", lambda sent: json.loads(sent.content)["callback_url"]),
    ("fal-hailuo-2.3", lambda sent: sent.url.params["fal_webhook"]),
]


def request(model_id: str, webhook_url: str) -> VideoRequest:
    """An order of a model at its defaults."""
    model = registry.model(model_id)
    return VideoRequest(
        reference="g-1",
        model=model,
        prompt="a lake",
        resolution=model.resolutions[0],
        duration_seconds=model.default_seconds,
        aspect_ratio=model.aspect_ratios[0],
        start_image=None if model.text_to_video else SourceImage(b"jpeg"),
        webhook_url=webhook_url,
    )


@pytest.mark.parametrize(("model_id", "told"), PLACES, ids=[model_id for model_id, _ in PLACES])
@pytest.mark.parametrize("webhook_url", [HOOK, ""])
def test_submit_when_we_can_be_called(model_id: str, told: Any, webhook_url: str) -> None:
    """A vendor is told our address where there is one, and nothing of webhooks where there is none."""

    async def submit() -> None:
        async with httpx.AsyncClient() as client:
            name = registry.model(model_id).provider
            provider = registry.connect(name, client=client, access=Access(key="k", base_url=""))
            await provider.generate_video(request(model_id, webhook_url))

    with respx.mock as vendor:
        route = vendor.route().respond(500, text="?")
        with pytest.raises(errors.SubmitUncertain):
            asyncio.run(submit())
        sent = route.calls.last.request
    if webhook_url:
        assert told(sent) == HOOK
    else:
        assert b"webhook_receiver" not in sent.content
        assert "hook" not in str(sent.url)
        assert '"webhook"' not in sent.content.decode()
        assert b"webhook_config" not in sent.content
        assert b"callback_url" not in sent.content
