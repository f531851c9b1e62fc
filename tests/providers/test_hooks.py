"""What vendors state is pure: a call is prepared and a reply is read without anything being sent."""

import json
from typing import Any

import httpx
import pytest

from core import errors
from core.messages import N_
from core.providers import http
from core.providers.adapter import Adapter
from core.providers.adapters.edenai import EdenAI
from core.providers.adapters.fal import Fal
from core.providers.adapters.modelslab import ModelsLab
from core.providers.adapters.replicate import Replicate
from core.providers.contract import JobState, JobStatus, SourceImage, VideoRequest
from core.providers.http import ACCOUNT_RULES, DEFAULT_RULES, Call, ErrorFacts, ErrorRules, Reply, Rule
from tests.providers.calls import KEY, request


def _refuse(sent: httpx.Request) -> httpx.Response:
    raise AssertionError(f"unexpected call to {sent.url}")


def _vendor(vendor: type[Adapter]) -> Adapter:
    return vendor(client=httpx.AsyncClient(transport=httpx.MockTransport(_refuse)), key=KEY)


def _reply(status: int = 200, body: dict[str, Any] | None = None, retry_after: str | None = None) -> Reply:
    content = "" if body is None else json.dumps(body)
    headers = {"retry-after": retry_after} if retry_after else {}
    return http.read(httpx.Response(status, content=content.encode(), headers=headers), key=KEY)


@pytest.mark.parametrize(
    ("vendor", "order", "call"),
    [
        (
            Fal,
            request("fal-hailuo-2.3", webhook_url="https://us.example/h"),
            Call(
                "POST",
                "/fal-ai/minimax/hailuo-2.3/standard/text-to-video",
                json={"prompt": "a lake", "duration": "6", "prompt_optimizer": False},
                params={"fal_webhook": "https://us.example/h"},
                headers={"X-Fal-Request-Timeout": "1800"},
            ),
        ),
        (
            Replicate,
            request("replicate-kling-2.5-turbo-pro", start_image=SourceImage(b"x", uploaded="https://r.example/f")),
            Call(
                "POST",
                "/v1/models/kwaivgi/kling-v2.5-turbo-pro/predictions",
                json={
                    "input": {
                        "prompt": "a lake",
                        "duration": 5,
                        "aspect_ratio": "16:9",
                        "start_image": "https://r.example/f",
                    }
                },
                headers={"Cancel-After": "1800s"},
            ),
        ),
        (
            EdenAI,
            request("nova-reel"),
            Call(
                "POST",
                "/v3/universal-ai/async",
                json={
                    "model": "video/generation_async/amazon/amazon.nova-reel-v1:0",
                    "input": {"text": "a lake", "duration": 6, "dimension": "1280x720"},
                    "user_webhook_parameters": {"reference": "01JREFERENCE"},
                },
            ),
        ),
    ],
)
def test_submit_call(vendor: type[Adapter], order: VideoRequest, call: Call) -> None:
    """An order is one call, the key not in it."""
    assert _vendor(vendor).submit_call(order) == call


@pytest.mark.parametrize(
    ("vendor", "job_id", "call"),
    [
        (Fal, "fal-ai/veo3.1|a/b", Call("GET", "/fal-ai/veo3.1/requests/a%2Fb/status")),
        (Replicate, "a?b", Call("GET", "/v1/predictions/a%3Fb")),
        (ModelsLab, "v6:7", Call("POST", "/api/v6/video/fetch/7")),
        (ModelsLab, "7", Call("POST", "/api/v7/video-fusion/fetch/7")),
    ],
)
def test_status_call(vendor: type[Adapter], job_id: str, call: Call) -> None:
    """A look is one call whose path is made of the quoted id."""
    assert _vendor(vendor).status_call(job_id) == call


@pytest.mark.parametrize(
    ("vendor", "headers", "body"),
    [
        (Replicate, {"Authorization": f"Bearer {KEY}"}, {"a": 1}),
        (Fal, {"Authorization": f"Key {KEY}"}, {"a": 1}),
        (ModelsLab, {}, {"key": KEY, "a": 1}),
    ],
)
def test_with_key(vendor: type[Adapter], headers: dict[str, str], body: dict[str, Any]) -> None:
    """The key goes where the vendor wants it, and only when a call is sent."""
    assert _vendor(vendor).with_key(Call("POST", "/x", json={"a": 1})) == Call("POST", "/x", json=body, headers=headers)


def test_parse_status() -> None:
    """A reply is read in one call; None means that it is not about the job."""
    vendor = _vendor(Replicate)
    body: dict[str, Any] = {"id": "p", "status": "processing"}
    assert vendor.parse_status(_reply(body=body)) == JobStatus(JobState.RUNNING, response=body)
    assert vendor.parse_status(_reply(502)) is None


RULES = ErrorRules(
    *ACCOUNT_RULES,
    Rule(http.text("quota") & ~http.status(400), errors.ProviderOutOfCredits),
    Rule(http.code("bad_.*") | http.about("model"), errors.ModelUnavailable, N_("Gone.")),
)


@pytest.mark.parametrize(
    ("facts", "meaning"),
    [
        (ErrorFacts(_reply(429), "your quota"), errors.ProviderRateLimited),
        (ErrorFacts(_reply(500), "Your QUOTA is used up"), errors.ProviderOutOfCredits),
        (ErrorFacts(_reply(400), "quota"), errors.InvalidInput),
        (ErrorFacts(_reply(400), codes=("x", "bad_model")), errors.ModelUnavailable),
        (ErrorFacts(_reply(400), codes=("not_bad_model",)), errors.InvalidInput),
        (ErrorFacts(_reply(422), names=("model",)), errors.ModelUnavailable),
        (ErrorFacts(_reply(404, {})), errors.ModelUnavailable),
        (ErrorFacts(_reply(404)), None),
        (ErrorFacts(_reply(503, retry_after="3")), errors.ProviderRateLimited),
        (ErrorFacts(_reply(503)), None),
        (ErrorFacts(_reply(418)), None),
    ],
)
def test_the_first_row_that_holds_is_the_meaning(facts: ErrorFacts, meaning: type[errors.ProviderError] | None) -> None:
    """Rows are tried in order, the vendor's before what the HTTP status means for everybody."""
    rule = (RULES + DEFAULT_RULES).first(facts)
    assert (rule.error if rule else None) is meaning


def test_rows_among_some_meanings() -> None:
    """A look asks only for what concerns us: a row about the request does not hide one about the key."""
    rules = ErrorRules(Rule(http.text("policy"), errors.ContentRefused)) + DEFAULT_RULES
    rule = rules.first(ErrorFacts(_reply(403), "policy"), among=http.ABOUT_US)
    assert rule is not None
    assert rule.error is errors.BadKey
