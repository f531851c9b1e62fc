"""What vendors list of their models today; shapes are those of the vendors' pages and lists."""

import json
from typing import Any

import httpx
import pytest
import respx

from core import errors
from core.providers import registry
from core.providers.adapters import openrouter_prices
from core.providers.contract import ListedCost, LiveModel
from tests.providers import calls

EDEN_LIST = "https://api.edenai.run/v3/info/video/generation_async"
EDEN = "video/generation_async"
LAB = "https://modelslab.com/api/v6/model-search"
REPLICATE = "https://api.replicate.com/v1/models"


def _priced(price: Any, unit: str, quantity: int = 1) -> dict[str, Any]:
    return {"price": price, "price_unit_quantity": quantity, "price_unit_type": unit}


@respx.mock
def test_eden_ai_lists_models_with_prices() -> None:
    """Names lose the feature they begin with; a unit that is not known leaves a model unpriced."""
    listed = [
        {"model": f"{EDEN}/amazon/amazon.nova-reel-v1:0", "pricing": _priced(0.08, "second")},
        {"model": f"{EDEN}/minimax/T2V/I2V-01-Director", "pricing": _priced("0.43", "request")},
        {"model": f"{EDEN}/bytedance/seedance-1-5-pro-251215", "pricing": _priced(1.2, "token", 1_000_000)},
        {"model": f"{EDEN}/pixverse/v6", "pricing": _priced(0.004, "token")},
        {"model": f"{EDEN}/pruna/p-video", "pricing": _priced(0, "second")},
        {"model": f"{EDEN}/openai", "pricing": None},
        f"{EDEN}/google/veo-3.1-fast-generate-preview",
        17,
    ]
    respx.get(EDEN_LIST).respond(json={"feature": "video", "models": listed})
    found = calls.run("edenai", "live_models")
    assert [(model.upstream_id, model.cost) for model in found] == [
        ("amazon/amazon.nova-reel-v1:0", ListedCost(per_second={"any": 80_000})),
        ("minimax/T2V/I2V-01-Director", ListedCost(per_call=430_000)),
        ("bytedance/seedance-1-5-pro-251215", ListedCost(per_million_tokens={"any": 1_200_000})),
        ("pixverse/v6", None),
        ("pruna/p-video", None),
        ("openai", None),
        ("google/veo-3.1-fast-generate-preview", None),
    ]
    assert found[0].prices == {"price": "0.08", "price_unit_quantity": "1", "price_unit_type": "second"}


@respx.mock
@pytest.mark.parametrize("body", [{"models": []}, {"models": {}}, {"feature": "video"}, {"models": [{}, None]}])
def test_a_list_without_models_is_no_list(body: dict[str, Any]) -> None:
    """Nothing that was read must not look as if every model had ended."""
    respx.get(EDEN_LIST).respond(json=body)
    with pytest.raises(errors.UnreadableReply):
        calls.run("edenai", "live_models")


@respx.mock
@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (httpx.Response(200, json={"data": {"model_id": "veo2", "name": "Veo 2"}}), LiveModel("veo2", "Veo 2")),
        (httpx.Response(200, json={"model_id": "veo2", "model_name": "Veo 2"}), LiveModel("veo2", "Veo 2")),
        (httpx.Response(200, json={"status": "error", "message": "Model not found"}), None),
        (httpx.Response(404, json={"status": "error", "message": "No query results"}), None),
    ],
)
def test_modelslab_tells_of_one_model(reply: httpx.Response, found: LiveModel | None) -> None:
    """Details may stand under `data`; the key goes where the page has it, in the query of a call without a body."""
    route = respx.get(f"{LAB}/veo2").mock(return_value=reply)
    assert calls.run("modelslab", "live_model", registry.model("veo2")) == found
    sent = route.calls.last.request
    assert (sent.url.params["key"], sent.content) == (calls.KEY, b"")


@respx.mock
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (httpx.Response(200, json={"status": "error", "message": "Invalid API key"}), errors.BadKey),
        (httpx.Response(200, json={"data": {"model_id": None}}), errors.UnreadableReply),
        (httpx.Response(404, text="<html>"), errors.UnreadableReply),
        (httpx.Response(500, json={"message": "Model not found"}), errors.ProviderUnavailable),
        (httpx.ConnectError("key-of-the-test"), errors.ProviderUnavailable),
    ],
)
def test_trouble_does_not_end_a_model(reply: httpx.Response | Exception, expected: type[errors.AppError]) -> None:
    """Only the vendor's own word that it has no such model says so."""
    answer = {"side_effect": reply} if isinstance(reply, Exception) else {"return_value": reply}
    respx.get(f"{LAB}/veo2").mock(**answer)
    with pytest.raises(expected) as caught:
        calls.run("modelslab", "live_model", registry.model("veo2"))
    assert calls.KEY not in str(getattr(caught.value, "detail", ""))


@respx.mock
def test_replicate_tells_of_a_model_and_of_a_version() -> None:
    """A model that is asked for by its version is looked up by that."""
    svd = registry.model("svd")
    name, _, version = svd.upstream_id.partition(":")
    respx.get(f"{REPLICATE}/bytedance/seedance-1-pro").respond(json={"owner": "bytedance", "name": "seedance-1-pro"})
    respx.get(f"{REPLICATE}/kwaivgi/kling-v2.5-turbo-pro").respond(404, json={"detail": "not found", "status": 404})
    respx.get(f"{REPLICATE}/{name}/versions/{version}").respond(json={"id": version, "cog_version": "0.9"})
    found = {
        each: calls.run("replicate", "live_model", registry.model(each))
        for each in ("replicate-seedance-1-pro", "replicate-kling-2.5-turbo-pro", "svd")
    }
    assert found == {
        "replicate-seedance-1-pro": LiveModel("bytedance/seedance-1-pro", "seedance-1-pro"),
        "replicate-kling-2.5-turbo-pro": None,
        "svd": LiveModel(svd.upstream_id),
    }


@pytest.mark.parametrize(
    ("prices", "resolutions", "has_sound", "cost"),
    [
        # bytedance/seedance-2.0
        (
            {
                "video_tokens": "0.000007",
                "video_tokens_4k": "0.000004",
                "video_tokens_1080p": "0.0000077",
                "video_tokens_without_audio": "0.000007",
                "video_tokens_with_video_input": "0.0000043",
                "video_tokens_4k_with_video_input": "0.0000024",
            },
            ["720p", "1080p", "4K"],
            True,
            ListedCost(per_million_tokens={"720p": 7_000_000, "1080p": 7_700_000, "4K": 4_000_000}),
        ),
        # bytedance/seedance-1-5-pro
        (
            {"video_tokens": "0.0000024", "video_tokens_without_audio": "0.0000012"},
            ["720p"],
            True,
            ListedCost(per_million_tokens={"720p": 1_200_000, "720p sound": 2_400_000}),
        ),
        # kwaivgi/kling-v3.0-pro
        (
            {
                "duration_seconds": "0.112",
                "duration_seconds_with_audio": "0.168",
                "text_to_video_duration_seconds_720p": "0.112",
                "image_to_video_duration_seconds_720p": "0.112",
                "image_to_video_duration_seconds_1080p": "0.112",
            },
            ["720p"],
            True,
            ListedCost(per_second={"720p": 112_000, "720p sound": 168_000}),
        ),
        # google/veo-3.1-fast
        (
            {
                "duration_seconds_with_audio": "0.12",
                "duration_seconds_with_audio_4k": "0.30",
                "duration_seconds_without_audio": "0.10",
                "duration_seconds_with_audio_720p": "0.10",
                "duration_seconds_without_audio_4k": "0.25",
                "duration_seconds_without_audio_720p": "0.08",
            },
            ["720p", "1080p", "4K"],
            True,
            ListedCost(
                per_second={
                    "720p": 80_000,
                    "720p sound": 100_000,
                    "1080p": 100_000,
                    "1080p sound": 120_000,
                    "4K": 250_000,
                    "4K sound": 300_000,
                }
            ),
        ),
        # alibaba/wan-2.6: from an image it is dearer
        (
            {
                "text_to_video_duration_seconds_480p": "0.04",
                "text_to_video_duration_seconds_720p": "0.08",
                "image_to_video_duration_seconds_720p": "0.10",
            },
            ["720p"],
            True,
            ListedCost(per_second={"720p": 100_000}),
        ),
        # x-ai/grok-imagine-video
        (
            {
                "cents_per_image_input": "0.2",
                "cents_per_video_output_second_480p": "5",
                "cents_per_video_output_second_720p": "7",
            },
            ["480p", "720p"],
            False,
            ListedCost(per_second={"480p": 50_000, "720p": 70_000}, per_image=2_000, per_reference=2_000),
        ),
        # black-forest-labs/flux-3-video, runway/aleph-2, minimax/hailuo-3
        (
            {
                "cents_per_second_output": "17",
                "cents_per_second_output_1080p": "29",
                "cents_per_second_video_continuation_1080p": "53",
            },
            ["720p", "1080p"],
            True,
            ListedCost(per_second={"720p": 170_000, "1080p": 290_000}),
        ),
        (
            {"cents_per_second_output": "28", "minimum_cents_per_generation": "56"},
            [],
            False,
            ListedCost(per_second={"any": 280_000}, minimum=560_000),
        ),
        (
            {"duration_seconds": "0.13", "reference_images": "0.04"},
            ["2K"],
            True,
            ListedCost(per_second={"2K": 130_000}, per_reference=40_000),
        ),
        # A size without a price stays without one.
        ({"duration_seconds_720p": "0.30"}, ["720p", "1080p"], True, ListedCost(per_second={"720p": 300_000})),
    ],
)
def test_openrouter_prices(
    prices: dict[str, str], resolutions: list[str], has_sound: bool, cost: ListedCost | None
) -> None:
    """The five families of names in its list of 2026-08-21, as the models there have them."""
    assert openrouter_prices.cost(prices, resolutions, has_sound=has_sound) == cost


@pytest.mark.parametrize(
    "prices",
    [
        {},
        {"reference_images": "0.04"},
        {"duration_seconds": "0"},
        {"duration_seconds": "-1"},
        {"duration_seconds": "NaN"},
        {"duration_seconds": "free"},
        {"duration_seconds": "0.1", "cents_per_moon": "3"},
        {"cents_per_megapixel_second_precise": "7.5"},
        {"duration_seconds": "0.1", "video_tokens": "0.000001"},
        {"duration_seconds_1024p": "0.5"},
    ],
    ids=json.dumps,
)
def test_a_price_that_is_not_understood_is_none(prices: dict[str, str]) -> None:
    """Never a price of nothing, and never a part of one."""
    assert openrouter_prices.cost(prices, ["720p"], has_sound=True) is None
