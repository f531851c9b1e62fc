"""What each vendor answers, as its documentation shows it; the contract suite plays it back to the shipped adapters."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx

from core import errors
from core.providers.contract import JobState, ReportedCost
from core.providers.testing import BASE_URL, IMAGE, ODD_WORD, PROMPT, REFERENCE, SENT_AT, Answer, Listing, VendorScript

ELSEWHERE = "https://elsewhere.example"
CLIP = "https://cdn.example/clips/a.mp4"

_DEMO_ID = "0123456789abcdef01234567"
_DEMO = {"id": _DEMO_ID, "status": "running", "progress": 0.4, "video_url": None, "error": None}


def _studio_list(asked: httpx.Request) -> Answer:
    """The studio lists the jobs of one reference."""
    known = asked.url.params.get("reference") == REFERENCE
    return Answer(json={"jobs": [_DEMO] if known else []})


def _studio_error(status: int, code: str, **more: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": "no", **more}})


DEMO = VendorScript(
    needs_key=False,
    submits=r"POST /v1/jobs",
    looks=r"GET /v1/jobs/[^/]+",
    stops=r"POST /v1/jobs/[^/]+/cancel",
    searches=r"GET /v1/jobs",
    accepted=Answer(201, _DEMO | {"status": "queued"}),
    job_id=_DEMO_ID,
    vendor_id=_DEMO_ID,
    under_way=[
        ([Answer(json=_DEMO | {"status": "queued", "progress": 0})], JobState.QUEUED),
        ([Answer(json=_DEMO)], JobState.RUNNING),
        ([Answer(json=_DEMO | {"progress": 7})], JobState.RUNNING),
        ([Answer(json=_DEMO | {"progress": None})], JobState.RUNNING),
    ],
    succeeded=[Answer(json=_DEMO | {"status": "succeeded", "progress": 1, "video_url": CLIP})],
    video_url=CLIP,
    unknown_word=[Answer(json=_DEMO | {"status": ODD_WORD})],
    failures=[([Answer(json=_DEMO | {"status": "failed", "error": {"message": "no"}})], errors.GenerationFailed)],
    lost=[_studio_error(404, "unknown_job")],
    look_errors=[(Answer(500, _DEMO), errors.ProviderUnavailable)],
    refusals=[
        (_studio_error(401, "unauthorized"), errors.BadKey, None),
        (_studio_error(413, "too_large"), errors.InvalidInput, None),
        (_studio_error(422, "invalid_order", field="seconds"), errors.InvalidInput, "duration"),
        (_studio_error(422, "invalid_order", field="end_image"), errors.InvalidInput, "endImagePath"),
        (_studio_error(503, "cannot_store"), errors.ProviderUnavailable, None),
        (Answer(500, _DEMO), errors.SubmitUncertain, None),
        (Answer(201, _DEMO | {"id": "../x"}), errors.SubmitUncertain, None),
    ],
    cancels=[
        ([Answer(json=_DEMO | {"status": "cancelled"})], JobState.CANCELLED),
        ([Answer(json=_DEMO)], JobState.RUNNING),
        ([Answer(json=_DEMO | {"status": "succeeded", "video_url": CLIP})], JobState.SUCCEEDED),
        ([Answer(json=_DEMO | {"status": "failed"})], JobState.FAILED),
    ],
    listings=[
        Listing(_studio_list, exact=(_DEMO_ID,)),
        Listing(Answer(json={"jobs": []})),
    ],
    unreadable_lists=[Answer(json={"jobs": [{"id": 5}]}), Answer(json={"jobs": ["a"]}), Answer(json={"jobs": {}})],
    file_needs_key=True,
    takes_webhooks=False,
)

_LAB_ID = "155262350"
_LAB = {
    "status": "processing",
    "id": 155262350,
    "eta": 10,
    "message": "Try to fetch request after seconds estimated",
    "fetch_result": f"{ELSEWHERE}/api/v7/video-fusion/fetch/{_LAB_ID}",
    "output": [],
    "future_links": ["https://cdn.example/future.mp4"],
}


def _lab_error(status: int, said: Any, word: str = "error") -> Answer:
    return Answer(status, {"status": word, "message": said})


def _key_in_body(sent: httpx.Request, key: str) -> bool:
    if sent.method == "GET":
        return bool(sent.url.params.get("key") == key) and key not in str(sent.headers)
    return bool(json.loads(sent.content)["key"] == key) and key not in str(sent.headers)


MODELSLAB = VendorScript(
    has_key=_key_in_body,
    looks_of={"text-to-video-ultra": r"POST /api/v6/video/fetch/[^/]+"}
    | dict.fromkeys(("veo3", "veo2", "wan-2.2-t2v", "seedance-t2v"), r"POST /api/v7/video-fusion/fetch/[^/]+"),
    looks=r"POST /api/(v7/video-fusion|v6/video)/fetch/[^/]+",
    tries_key=r"POST /api/wallet_balance",
    submits=r"POST /api/(v7/video-fusion/(text|image)-to-video|v6/video/text2video_ultra)",
    accepted=Answer(json=_LAB),
    job_id=_LAB_ID,
    vendor_id=_LAB_ID,
    under_way=[
        ([Answer(json=_LAB)], JobState.RUNNING),
        ([Answer(json=_LAB | {"status": "queued"})], JobState.QUEUED),
    ],
    succeeded=[Answer(json=_LAB | {"status": "success", "output": [CLIP], "proxy_links": [CLIP]})],
    video_url=CLIP,
    unknown_word=[Answer(json=_LAB | {"status": ODD_WORD})],
    failures=[
        ([_lab_error(200, "Video generation failed", "failed")], errors.GenerationFailed),
        ([_lab_error(200, "Something went wrong")], errors.GenerationFailed),
        ([_lab_error(200, "NSFW content detected", "failed")], errors.ContentRefused),
        ([_lab_error(200, "Model not found: veo3", "failed")], errors.ModelUnavailable),
        ([_lab_error(200, "Unable to fetch image from provided URL")], errors.InvalidInput),
    ],
    lost=[_lab_error(200, "Request not found", "failed")],
    look_errors=[
        (_lab_error(200, "Invalid API key"), errors.BadKey),
        (_lab_error(200, "Insufficient credits"), errors.ProviderOutOfCredits),
        (_lab_error(200, "Rate limit exceeded"), errors.ProviderRateLimited),
        (_lab_error(200, "try again in 2 minutes", "failed"), errors.ProviderRateLimited),
        (_lab_error(500, "Server Error"), errors.ProviderUnavailable),
    ],
    refusals=[
        (_lab_error(200, "Invalid API key"), errors.BadKey, None),
        (_lab_error(401, "Invalid API key"), errors.BadKey, None),
        (_lab_error(200, "Insufficient credits. Please add more."), errors.ProviderOutOfCredits, None),
        (_lab_error(402, "Your monthly limit exceeded"), errors.ProviderOutOfCredits, None),
        (_lab_error(200, "Rate limit exceeded"), errors.ProviderRateLimited, None),
        (_lab_error(200, "try again in 30 minutes"), errors.ProviderRateLimited, None),
        (_lab_error(400, "NSFW content detected"), errors.ContentRefused, None),
        (_lab_error(404, "Model not found: veo3"), errors.ModelUnavailable, None),
        (_lab_error(200, "prompt is required"), errors.InvalidInput, "prompt"),
        (_lab_error(400, {"duration": ["must be one of 5, 10"]}), errors.InvalidInput, "duration"),
        (_lab_error(400, "Unable to fetch image from provided URL"), errors.InvalidInput, "startImagePath"),
        (_lab_error(500, "Failed to start"), errors.ProviderError, None),
        (_lab_error(503, "Service Unavailable"), errors.ProviderUnavailable, None),
    ],
    delays=[
        (_lab_error(200, "Too many requests. Please try again in 30 minutes"), 1800),
        (_lab_error(429, "try again in 20 seconds"), 20),
        (Answer(429, {"status": "error", "message": "Rate limit exceeded", "retry_after": 7}), 7),
    ],
    model_id="seedance-t2v",
    uploads=r"POST /api/v6/base64_to_url",
    uploaded=Answer(json={"status": "success", "id": 7, "output": ["https://cdn.example/i.jpg"]}),
    uploaded_name="https://cdn.example/i.jpg",
    key_accepted=Answer(json={"status": "success", "data": {"balance": 43.6}}),
    key_refused=[_lab_error(200, "Invalid API key"), _lab_error(401, "Unauthenticated")],
    same_resolution=frozenset({"text-to-video-ultra"}),
    looks_up_models=r"GET /api/v6/model-search/[^/]+",
    model_shown=Answer(json={"status": "success", "data": {"model_id": "veo3", "name": "Veo 3"}}),
    models_gone=[_lab_error(200, "Model not found"), _lab_error(404, "Model not found")],
)

_EDEN_ID = "550e8400-e29b-41d4-a716-446655440000"
_EDEN = {
    "public_id": _EDEN_ID,
    "status": "processing",
    "cost": "0",
    "created_at": "2026-06-10T12:00:00Z",
    "links": {"self": f"{ELSEWHERE}/v3/{_EDEN_ID}"},
    "output": None,
    "error": None,
}


def _eden_failed(said: str) -> list[Answer]:
    return [Answer(json=_EDEN | {"status": "fail", "error": {"message": said}})]


def _eden_list(*items: dict[str, Any], page: int = 1, pages: int = 1) -> Answer:
    """A page of its jobs, newest first, as its OpenAPI has it."""
    job = {"public_id": _EDEN_ID, "status": "processing", "feature": "video", "subfeature": "generation_async"}
    job |= {"provider": "kling", "model": "kling-v2-5-turbo", "created_at": "2026-11-21T12:00:03.907244Z"}
    listed = [job | item for item in items]
    return Answer(json={"items": listed, "total": len(items), "page": page, "limit": 1000, "total_pages": pages})


EDENAI = VendorScript(
    submits=r"POST /v3/universal-ai/async",
    looks=r"GET /v3/universal-ai/async/[^/]+",
    tries_key=r"GET /v3/universal-ai/async",
    searches=r"GET /v3/universal-ai/async",
    accepted=Answer(202, _EDEN),
    job_id=_EDEN_ID,
    vendor_id=_EDEN_ID,
    under_way=[
        ([Answer(json=_EDEN)], JobState.RUNNING),
        ([Answer(json=_EDEN | {"status": "pending"})], JobState.QUEUED),
    ],
    succeeded=[
        Answer(
            json=_EDEN | {"status": "success", "cost": "0.48", "output": {"video": "QUFB", "video_resource_url": CLIP}}
        )
    ],
    video_url=CLIP,
    unknown_word=[Answer(json=_EDEN | {"status": ODD_WORD})],
    failures=[
        (_eden_failed("Provider failed"), errors.GenerationFailed),
        (_eden_failed("violates our content policy"), errors.ContentRefused),
        (_eden_failed("The model is no longer available"), errors.ModelUnavailable),
        (
            [Answer(json={"status": "finished", "results": {"amazon": {"final_status": "fail", "error": "no"}}})],
            errors.GenerationFailed,
        ),
    ],
    lost=[Answer(404, {"detail": "Job not found"})],
    look_errors=[
        (Answer(401, {"detail": "x", "error_code": "UNAUTHORIZED"}), errors.BadKey),
        (Answer(402, {"error": "Insufficient credits"}), errors.ProviderOutOfCredits),
        (Answer(500, _EDEN | {"status": "fail"}), errors.ProviderUnavailable),
        (Answer(429, {"detail": "x", "retry_after": 1.5}), errors.ProviderRateLimited),
    ],
    refusals=[
        (Answer(401, {"detail": "no", "error_code": "UNAUTHORIZED"}), errors.BadKey, None),
        (Answer(402, {"detail": "no", "error_code": "INSUFFICIENT_CREDIT"}), errors.ProviderOutOfCredits, None),
        (Answer(400, {"error": "Insufficient credits"}), errors.ProviderOutOfCredits, None),
        (Answer(429, {"error_code": "RATE_LIMITED", "retry_after": 1.5}), errors.ProviderRateLimited, None),
        (Answer(400, {"detail": "Unknown", "error_code": "INVALID_MODEL"}), errors.ModelUnavailable, None),
        (Answer(422, {"detail": [{"loc": ["body", "model"], "msg": "bad"}]}), errors.ModelUnavailable, None),
        (Answer(422, {"detail": [{"loc": ["body", "text"], "msg": "bad"}]}), errors.InvalidInput, "prompt"),
        (Answer(422, {"detail": [{"loc": ["body", "file"], "msg": "bad"}]}), errors.InvalidInput, "startImagePath"),
        (Answer(400, {"detail": "Blocked by our content policy"}), errors.ContentRefused, None),
        (Answer(502, {"detail": "no", "error_code": "PROVIDER_ERROR"}), errors.ProviderError, None),
        (Answer(503, {"detail": "Service temporarily unavailable"}), errors.ProviderUnavailable, None),
        (Answer(404, {"detail": "Not Found"}), errors.ProviderError, None),
    ],
    delays=[(Answer(429, {"error_code": "RATE_LIMITED", "retry_after": 1.5}), 1.5)],
    cost=ReportedCost(Decimal("0.48"), "USD"),
    not_kept=["QUFB"],
    uploads=r"POST /v3/upload",
    uploaded=Answer(json={"file_id": "f-1"}),
    uploaded_name="f-1",
    key_accepted=Answer(json={"results": []}),
    key_refused=[Answer(401, {"detail": "Invalid", "error_code": "UNAUTHORIZED"})],
    model_id="kling-2.5",
    listings=[
        Listing(_eden_list()),
        Listing(_eden_list({}), candidates=(_EDEN_ID,)),
        Listing(_eden_list({"model": None}), candidates=(_EDEN_ID,)),
        Listing(_eden_list({"created_at": "an hour ago"}), candidates=(_EDEN_ID,)),
        Listing(_eden_list({"provider": "minimax"})),
        Listing(_eden_list({"model": "kling-v3"})),
        Listing(_eden_list({"created_at": "2026-11-21T11:00:00Z"})),
        Listing(_eden_list({"created_at": "2026-11-21T13:00:00Z"})),
        Listing([_eden_list({"model": "x"}, pages=2), _eden_list({}, page=2, pages=2)], candidates=(_EDEN_ID,)),
        Listing(_eden_list({"model": "x"}, pages=99), complete=False),
    ],
    unreadable_lists=[Answer(json={"items": []}), Answer(json={"results": []}), Answer(text="<html>")],
    lists_models=r"GET /v3/info/video/generation_async",
    model_list=Answer(
        json={
            "models": [
                {
                    "model": "video/generation_async/amazon/amazon.nova-reel-v1:0",
                    "pricing": {"price": 0.08, "price_unit_quantity": 1, "price_unit_type": "second"},
                },
                "video/generation_async/kling/kling-v2-5-turbo",
            ]
        }
    ),
    models_listed=("amazon/amazon.nova-reel-v1:0", "kling/kling-v2-5-turbo"),
    unreadable_model_lists=[Answer(json={"models": []}), Answer(json={"models": [5, {"model": None}]})],
)

_FAL_ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
_FAL = {
    "status": "IN_QUEUE",
    "request_id": _FAL_ID,
    "response_url": f"{ELSEWHERE}/requests/1",
    "status_url": f"{ELSEWHERE}/requests/1/status",
    "cancel_url": f"{ELSEWHERE}/requests/1/cancel",
}
_FAL_DONE = Answer(json=_FAL | {"status": "COMPLETED"})
_FAL_RESULT = Answer(json={"video": {"url": CLIP, "content_type": "video/mp4"}, "seed": 1})

_FAL_GATEWAY = Answer(502, text="<html><h1>502 Bad Gateway</h1><hr>nginx</html>")


def _fal_mistake(status: int, reason: str, *place: str) -> Answer:
    return Answer(status, {"detail": [{"loc": ["body", *place], "msg": "no", "type": reason}]})


FAL = VendorScript(
    has_key=lambda sent, key: sent.headers.get("authorization") == f"Key {key}",
    submits=r"POST /fal-ai/(?!.*/requests/).*",
    looks=r"GET /fal-ai/[\w.-]+/requests/[^/]+(/status)?",
    looks_of={
        "fal-kling-2.5-turbo": r"GET /fal-ai/kling-video/requests/[^/]+/status",
        "fal-veo-3.1-fast": r"GET /fal-ai/veo3.1/requests/[^/]+/status",
        "fal-hailuo-2.3": r"GET /fal-ai/minimax/requests/[^/]+/status",
    },
    stops=r"PUT /fal-ai/[\w.-]+/requests/[^/]+/cancel",
    accepted=Answer(json=_FAL),
    job_id=f"fal-ai/kling-video|{_FAL_ID}",
    vendor_id=_FAL_ID,
    under_way=[
        ([Answer(202, _FAL | {"queue_position": 3})], JobState.QUEUED),
        ([Answer(202, _FAL | {"status": "IN_PROGRESS"})], JobState.RUNNING),
    ],
    succeeded=[_FAL_DONE, _FAL_RESULT],
    video_url=CLIP,
    unknown_word=[Answer(json=_FAL | {"status": ODD_WORD})],
    failures=[
        ([_FAL_DONE, _fal_mistake(422, "content_policy_violation", "prompt")], errors.ContentRefused),
        ([_FAL_DONE, _fal_mistake(422, "no_media_generated")], errors.GenerationFailed),
        ([_FAL_DONE, _fal_mistake(504, "generation_timeout")], errors.GenerationFailed),
        ([_FAL_DONE, _fal_mistake(500, "internal_server_error")], errors.GenerationFailed),
        ([_FAL_DONE, _fal_mistake(422, "image_too_large", "image_url")], errors.InvalidInput),
        ([_FAL_DONE, Answer(503, {"detail": "x", "error_type": "runner_disconnected"})], errors.GenerationFailed),
        ([_FAL_DONE, Answer(422, {"detail": "Could not generate"})], errors.GenerationFailed),
        (
            [
                Answer(json=_FAL | {"status": "COMPLETED", "error": "x", "error_type": "runner_x"}),
                Answer(502, text="<"),
            ],
            errors.GenerationFailed,
        ),
        ([_FAL_DONE, Answer(404, {"detail": "Request not found"})], errors.ExpiredAtProvider),
    ],
    lost=[Answer(404, {"detail": "Request not found"})],
    look_errors=[(Answer(500, _FAL), errors.ProviderUnavailable)],
    refusals=[
        (Answer(401, {"detail": "Invalid Key"}), errors.BadKey, None),
        (Answer(403, {"detail": "Access denied"}), errors.BadKey, None),
        (Answer(403, {"detail": "User is locked. Reason: Exhausted balance."}), errors.ProviderOutOfCredits, None),
        (Answer(404, {"detail": "Application not found"}), errors.ModelUnavailable, None),
        (_fal_mistake(422, "content_policy_violation", "prompt"), errors.ContentRefused, None),
        (_fal_mistake(422, "one_of", "duration"), errors.InvalidInput, "duration"),
        (_fal_mistake(422, "image_load_error", "tail_image_url"), errors.InvalidInput, "endImagePath"),
        (_fal_mistake(422, "file_too_large", "something"), errors.InvalidInput, "startImagePath"),
        (Answer(400, {"detail": "Bad request", "error_type": "bad_request"}), errors.InvalidInput, None),
        (Answer(500, {"request_id": _FAL_ID}), errors.SubmitUncertain, None),
        (Answer(504, {"detail": "x", "error_type": "request_timeout"}), errors.SubmitUncertain, None),
        (_FAL_GATEWAY, errors.ProviderUnavailable, None),
        (replace(_FAL_GATEWAY, status=504), errors.SubmitUncertain, None),
        (replace(_FAL_GATEWAY, text="<h1>Bad gateway</h1>"), errors.SubmitUncertain, None),
    ],
    cancels=[
        ([Answer(json={"status": "OK"})], JobState.CANCELLED),
        ([Answer(404, {"status": "NOT_FOUND"})], JobState.CANCELLED),
        ([Answer(202, {"status": "CANCELLATION_REQUESTED"})], JobState.RUNNING),
        ([Answer(400, {"status": "ALREADY_COMPLETED"}), _FAL_DONE, _FAL_RESULT], JobState.SUCCEEDED),
        ([Answer(400, {"status": "ALREADY_COMPLETED"}), _FAL_DONE, _fal_mistake(422, "one_of")], JobState.FAILED),
    ],
)

_PREDICTION_ID = "gm3qorzdhgbfurvjtvhg6dckhu"
_INPUT = {"prompt": PROMPT, "duration": 5, "resolution": "720p", "aspect_ratio": "16:9"}
_PREDICTION = {
    "id": _PREDICTION_ID,
    "model": "bytedance/seedance-1-pro",
    "version": "hidden",
    "source": "api",
    "status": "starting",
    "input": _INPUT,
    "output": None,
    "error": None,
    "data_removed": False,
    "created_at": "2026-11-21T12:00:03.907244Z",
    "urls": {"get": f"{ELSEWHERE}/v1/predictions/x", "cancel": f"{ELSEWHERE}/v1/predictions/x/cancel"},
}


def _prediction(word: str, **more: Any) -> list[Answer]:
    return [Answer(json=_PREDICTION | {"status": word} | more)]


def _problem(status: int, title: str, detail: str = "") -> Answer:
    return Answer(status, {"title": title, "detail": detail, "status": status})


def _listed(*items: dict[str, Any], following: str | None = None) -> Answer:
    return Answer(json={"previous": None, "next": following, "results": [_PREDICTION | item for item in items]})


_FILE = f"{BASE_URL}/v1/files/abc"
_WITH_IMAGE = _listed({"input": _INPUT | {"image": _FILE}})


def _checksum(data: bytes) -> Answer:
    return Answer(json={"id": "abc", "checksums": {"sha256": hashlib.sha256(data).hexdigest()}})


REPLICATE = VendorScript(
    submits=r"POST /v1/(models/[\w-]+/[\w.-]+/)?predictions",
    looks=r"GET /v1/predictions/[^/]+",
    stops=r"POST /v1/predictions/[^/]+/cancel",
    tries_key=r"GET /v1/account",
    searches=r"GET /v1/(predictions|files/[^/]+)",
    accepted=Answer(201, _PREDICTION),
    job_id=_PREDICTION_ID,
    vendor_id=_PREDICTION_ID,
    under_way=[(_prediction("starting"), JobState.QUEUED), (_prediction("processing"), JobState.RUNNING)],
    succeeded=_prediction("succeeded", output=CLIP),
    video_url=CLIP,
    unknown_word=_prediction(ODD_WORD),
    failures=[
        (_prediction("failed", error="The output was flagged as sensitive. (E005)"), errors.ContentRefused),
        (_prediction("failed", error="CUDA out of memory (E1001)"), errors.GenerationFailed),
        (_prediction("failed", error="Input validation error: input.image is no image"), errors.InvalidInput),
        (_prediction("failed", error=None), errors.GenerationFailed),
        (_prediction("succeeded", data_removed=True), errors.ExpiredAtProvider),
    ],
    lost=[_problem(404, "Not found", "The requested resource could not be found.")],
    look_errors=[(Answer(500, _PREDICTION | {"status": "failed"}), errors.ProviderUnavailable)],
    refusals=[
        (_problem(401, "Unauthenticated"), errors.BadKey, None),
        (_problem(402, "Insufficient credit"), errors.ProviderOutOfCredits, None),
        (_problem(404, "Not found"), errors.ModelUnavailable, None),
        (_problem(422, "Invalid version or not permitted"), errors.ModelUnavailable, None),
        (_problem(422, "Input validation failed", "- input.duration: no"), errors.InvalidInput, "duration"),
        (_problem(422, "Input validation failed", "- input.image: no"), errors.InvalidInput, "startImagePath"),
        (_problem(400, "flagged as sensitive (E005)"), errors.ContentRefused, None),
        (Answer(500, {"id": _PREDICTION_ID}), errors.SubmitUncertain, None),
        (Answer(504, {"detail": "Your rate limit resets in ~30s."}), errors.SubmitUncertain, None),
    ],
    delays=[
        (Answer(429, {"detail": "Your rate limit resets in ~12s."}), 12),
        (Answer(429, {"detail": "Your rate limit resets in 2 minutes."}), 120),
    ],
    model_id="replicate-seedance-1-pro",
    uploads=r"POST /v1/files",
    uploaded=Answer(201, {"id": "f1", "urls": {"get": f"{BASE_URL}/v1/files/f1"}}),
    uploaded_name=f"{BASE_URL}/v1/files/f1",
    upload_from_bytes=256_000,
    cancels=[
        (_prediction("canceled"), JobState.CANCELLED),
        (_prediction("processing"), JobState.RUNNING),
        ([_problem(422, "already finished"), *_prediction("succeeded", output=CLIP)], JobState.SUCCEEDED),
        ([_problem(404, "Not found"), *_prediction("failed")], JobState.FAILED),
    ],
    key_accepted=Answer(json={"type": "organization", "username": "acme"}),
    key_refused=[_problem(401, "Unauthenticated")],
    listings=[
        Listing(_listed({}), exact=(_PREDICTION_ID,)),
        Listing(_listed({}, {"id": "other", "input": _INPUT | {"prompt": "a hill"}}), exact=(_PREDICTION_ID,)),
        Listing(_listed({"input": {}, "data_removed": True}), candidates=(_PREDICTION_ID,)),
        Listing(_listed({"input": _INPUT | {"duration": 10}})),
        Listing(_listed({"model": "bytedance/seedance-1-lite"})),
        Listing(_listed({"source": "web"})),
        Listing(_listed({"created_at": "2026-11-21T11:00:00Z"})),
        Listing(_listed({"created_at": "2026-11-21T13:00:00Z"})),
        Listing(_listed({"webhook": "https://studio.example/hooks/another/x"})),
        Listing(_listed()),
        Listing([_listed(following=f"{ELSEWHERE}/v1/predictions?cursor=c2"), _listed({})], exact=(_PREDICTION_ID,)),
        Listing(_listed({"created_at": "2026-11-21T12:05:00Z", "model": "a/b"}, following="?cursor=c"), complete=False),
        Listing(_listed({"input": _INPUT | {"image": _FILE}})),
        Listing([_WITH_IMAGE, _checksum(IMAGE.data)], exact=(_PREDICTION_ID,), image=IMAGE),
        Listing([_WITH_IMAGE, _checksum(b"another")], image=IMAGE),
        Listing([_WITH_IMAGE, Answer(404, {"detail": "expired"})], candidates=(_PREDICTION_ID,), image=IMAGE),
        Listing(_listed({}), candidates=(_PREDICTION_ID,), image=IMAGE),
    ],
    unreadable_lists=[Answer(json={"results": ["p1"]}), Answer(json={"results": [{"id": 5}]})],
    file_hosts=("replicate.com", "replicate.delivery"),
    file_needs_key=True,
    looks_up_models=r"GET /v1/models/[\w-]+/[\w.-]+(/versions/\w+)?",
    model_shown=Answer(json={"owner": "bytedance", "name": "seedance-1-pro", "id": "v", "latest_version": {"id": "v"}}),
    models_gone=[_problem(404, "Not found", "The requested resource could not be found.")],
)
_ROUTED_ID = "job-abc123"
_ROUTED = {"id": _ROUTED_ID, "polling_url": f"{ELSEWHERE}/api/v1/videos/{_ROUTED_ID}", "status": "pending"}
_ROUTED_CONTENT = f"{BASE_URL}/api/v1/videos/{_ROUTED_ID}/content?index=0"


def _routed(word: str, **more: Any) -> list[Answer]:
    return [Answer(json=_ROUTED | {"status": word} | more)]


def _routed_error(status: int, said: str) -> Answer:
    return Answer(status, {"error": {"code": status, "message": said}})


OPENROUTER = VendorScript(
    submits=r"POST /api/v1/videos",
    looks=r"GET /api/v1/videos/[^/]+",
    tries_key=r"GET /api/v1/key",
    accepted=Answer(202, _ROUTED),
    job_id=_ROUTED_ID,
    vendor_id=_ROUTED_ID,
    under_way=[(_routed("pending"), JobState.QUEUED), (_routed("in_progress"), JobState.RUNNING)],
    succeeded=_routed(
        "completed", unsigned_urls=[_ROUTED_CONTENT], generation_id="gen-1", usage={"cost": 0.7623, "is_byok": False}
    ),
    video_url=_ROUTED_CONTENT,
    unknown_word=_routed(ODD_WORD),
    failures=[
        (_routed("failed", error="The provider returned an error"), errors.GenerationFailed),
        (_routed("failed", error="Output blocked by content moderation"), errors.ContentRefused),
        (_routed("failed", error="The model is no longer available"), errors.ModelUnavailable),
        (_routed("failed", error=None), errors.GenerationFailed),
        (_routed("expired"), errors.JobLost),
    ],
    lost=[_routed_error(404, "Job not found")],
    look_errors=[
        (_routed_error(402, "Insufficient credits"), errors.ProviderOutOfCredits),
        (Answer(500, _ROUTED | {"status": "failed"}), errors.ProviderUnavailable),
    ],
    refusals=[
        (_routed_error(401, "User not found."), errors.BadKey, None),
        (_routed_error(402, "Insufficient credits. Add more."), errors.ProviderOutOfCredits, None),
        (_routed_error(403, "Your input was flagged by moderation"), errors.ContentRefused, None),
        (_routed_error(403, "This key may not do that"), errors.BadKey, None),
        (_routed_error(400, "duration must be one of 4, 6, 8"), errors.InvalidInput, "duration"),
        (_routed_error(400, "frame_images[0]: image too small"), errors.InvalidInput, "startImagePath"),
        (_routed_error(400, "alibaba/wan-9 is not a valid model ID"), errors.ModelUnavailable, None),
        (_routed_error(404, "No endpoints found for alibaba/wan-2.7."), errors.ModelUnavailable, None),
        (_routed_error(413, "Request body too large"), errors.InvalidInput, None),
        (Answer(200, {"error": {"code": 500, "message": "Internal Server Error"}}), errors.SubmitUncertain, None),
        (_routed_error(500, "Internal Server Error"), errors.SubmitUncertain, None),
        (_routed_error(502, "Provider returned an error: flagged"), errors.SubmitUncertain, None),
    ],
    cost=ReportedCost(Decimal("0.7623"), "USD"),
    key_accepted=Answer(json={"data": {"label": "sk-or-v1-abc...123", "limit": None, "usage": 12.5}}),
    key_refused=[_routed_error(401, "No auth credentials found")],
    file_needs_key=False,  # only the content of a job, which its own tests try
    lists_models=r"GET /api/v1/videos/models",
    model_list=Answer(
        json={
            "data": [
                {
                    "id": "alibaba/wan-2.7",
                    "name": "Alibaba: Wan 2.7",
                    "supported_resolutions": ["720p", "1080p"],
                    "generate_audio": True,
                    "pricing_skus": {"duration_seconds": "0.1"},
                },
                {"id": "heygen/avatar-iv", "name": "HeyGen: Avatar IV", "pricing_skus": None},
            ]
        }
    ),
    models_listed=("alibaba/wan-2.7", "heygen/avatar-iv"),
    unreadable_model_lists=[Answer(json={"data": []}), Answer(json={"data": {}}), Answer(json={"data": [{"id": 5}]})],
)
_TASK_ID = "cgt-20261121200000-6bbjd"
_TASK = {"id": _TASK_ID, "model": "dreamina-seedance-2-5-260628", "status": "queued"}
_TASK_LINK = "https://ark-content.example/a.mp4?X-Tos-Expires=86400"
_TASK_OURS = hashlib.sha256(REFERENCE.encode()).hexdigest()[:32]
_MADE_AT = int(SENT_AT.timestamp())
_ALIKE = {"resolution": "480p", "duration": 4, "generate_audio": False}


def _task(word: str, **more: Any) -> list[Answer]:
    return [Answer(json=_TASK | {"status": word} | more)]


def _task_failed(code: str) -> list[Answer]:
    return _task("failed", error={"code": code, "message": "The request failed."})


def _task_refused(status: int, code: str, said: str = "The request failed.", param: str = "") -> Answer:
    return Answer(status, {"error": {"code": code, "message": said, "param": param, "type": "BadRequest"}})


def _tasks(*items: dict[str, Any], total: int | None = None) -> Answer:
    made = {"created_at": _MADE_AT, "status": "running"}
    return Answer(
        json={"total": len(items) if total is None else total, "items": [_TASK | made | item for item in items]}
    )


BYTEPLUS = VendorScript(
    submits=r"POST /api/v3/contents/generations/tasks",
    looks=r"GET /api/v3/contents/generations/tasks/[^/]+",
    stops=r"DELETE /api/v3/contents/generations/tasks/[^/]+",
    tries_key=r"GET /api/v3/contents/generations/tasks",
    searches=r"GET /api/v3/contents/generations/tasks",
    accepted=Answer(json={"id": _TASK_ID}),
    job_id=_TASK_ID,
    vendor_id=_TASK_ID,
    under_way=[(_task("queued"), JobState.QUEUED), (_task("running"), JobState.RUNNING)],
    succeeded=_task("succeeded", content={"video_url": _TASK_LINK}, usage={"completion_tokens": 108900}),
    video_url=_TASK_LINK,
    unknown_word=_task(ODD_WORD),
    failures=[
        (_task_failed("InternalServiceError"), errors.GenerationFailed),
        (_task_failed("OutputVideoSensitiveContentDetected"), errors.ContentRefused),
        (_task_failed("InputImageSensitiveContentDetected.PrivacyInformation"), errors.ContentRefused),
        (_task_failed("ModelNotOpen"), errors.ModelUnavailable),
        (_task("failed", error=None), errors.GenerationFailed),
        (_task("expired"), errors.GenerationFailed),
    ],
    lost=[_task_refused(404, "ResourceNotFound", "The specified task is not found.")],
    look_errors=[
        (_task_refused(403, "AccountOverdueError"), errors.ProviderOutOfCredits),
        (_task_refused(500, "InternalServiceError"), errors.ProviderUnavailable),
    ],
    refusals=[
        (_task_refused(401, "AuthenticationError"), errors.BadKey, None),
        (_task_refused(403, "AccessDenied"), errors.BadKey, None),
        (_task_refused(403, "AccountOverdueError"), errors.ProviderOutOfCredits, None),
        (_task_refused(404, "ModelNotOpen"), errors.ModelUnavailable, None),
        (_task_refused(404, "InvalidEndpointOrModel.NotFound"), errors.ModelUnavailable, None),
        (_task_refused(400, "InputTextSensitiveContentDetected"), errors.ContentRefused, None),
        (_task_refused(400, "SensitiveContentDetected.Violence"), errors.ContentRefused, None),
        (_task_refused(400, "InputImageSensitiveContentDetected.PrivacyInformation"), errors.ContentRefused, None),
        (_task_refused(400, "InvalidParameter", param="duration"), errors.InvalidInput, "duration"),
        (_task_refused(400, "InvalidParameter", param="content[1].image_url"), errors.InvalidInput, "startImagePath"),
        (_task_refused(400, "MissingParameter", "content[0].text is required"), errors.InvalidInput, "prompt"),
        (_task_refused(500, "InternalServiceError"), errors.SubmitUncertain, None),
        (_task_refused(503, "ServerOverloaded"), errors.SubmitUncertain, None),
        (_task_refused(429, "QuotaExceeded", "Your free trial is used up."), errors.ProviderOutOfCredits, None),
    ],
    cancels=[
        ([*_task("queued"), Answer(json={}), *_task("cancelled")], JobState.CANCELLED),
        ([*_task("queued"), _task_refused(409, "InvalidAction.RunningTask"), *_task("running")], JobState.RUNNING),
        (_task("running"), JobState.RUNNING),
        (_task("succeeded", content={"video_url": _TASK_LINK}), JobState.SUCCEEDED),
        (_task("cancelled"), JobState.CANCELLED),
    ],
    key_accepted=_tasks(),
    key_refused=[_task_refused(401, "AuthenticationError")],
    listings=[
        Listing(_tasks({"safety_identifier": _TASK_OURS}), exact=(_TASK_ID,)),
        Listing(_tasks({"safety_identifier": _TASK_OURS, "created_at": 0}), exact=(_TASK_ID,)),
        Listing(_tasks({"safety_identifier": "another"} | _ALIKE)),
        Listing(_tasks({"safety_identifier": "x"}, {"id": "cgt-2", "safety_identifier": _TASK_OURS}), exact=("cgt-2",)),
        Listing(_tasks({}), candidates=(_TASK_ID,)),
        Listing(_tasks({"duration": 99})),
        Listing(_tasks({"created_at": _MADE_AT - 3600})),
        Listing(_tasks({"created_at": _MADE_AT + 3600})),
        Listing(_tasks()),
        Listing(_tasks(total=900), complete=False),
        Listing(_tasks({"created_at": _MADE_AT + 3600}, {"created_at": _MADE_AT - 3600}, total=900)),
        Listing(_tasks({"created_at": _MADE_AT - 3600}, {"created_at": _MADE_AT + 3600}, total=900), complete=False),
        Listing(Answer(json={"items": []}), complete=False),
    ],
    unreadable_lists=[Answer(json={"items": {}}), Answer(json={"items": [{"id": 5}]}), Answer(json={"total": 0})],
)

_OMNI_ID = "v1_ChdQdHU2YXBLVUlNMk1rZFVQb3RMbHlRaxIX"
_OMNI = {"id": _OMNI_ID, "model": "gemini-omni-1.2-flash", "status": "in_progress", "created": "2026-11-21T12:00:00Z"}
_OMNI_FILE = f"{BASE_URL}/v1beta/files/abc123def:download?alt=media"
_OMNI_USAGE = {
    "total_input_tokens": 100,
    "total_output_tokens": 46_436,
    "output_tokens_by_modality": [{"modality": "video", "tokens": 46_336}],
}


def _omni(word: str, *content: dict[str, Any], **more: Any) -> Answer:
    steps = [{"type": "thought", "signature": "c2lnbmVk"}, {"type": "model_output", "content": list(content)}]
    return Answer(json=_OMNI | {"status": word} | ({"steps": steps} if content else {}) | more)


def _google_error(status: int, said: str, word: str = "INVALID_ARGUMENT") -> Answer:
    return Answer(status, {"error": {"code": status, "message": said, "status": word}})


_OMNI_DONE = _omni(
    "completed", {"type": "video", "mime_type": "video/mp4", "uri": _OMNI_FILE, "data": "QUFBQQ"}, usage=_OMNI_USAGE
)
_OMNI_READY = Answer(json={"name": "files/abc123def", "state": "ACTIVE", "uri": f"{ELSEWHERE}/v1beta/files/abc123def"})

GEMINI = VendorScript(
    has_key=lambda sent, key: sent.headers.get("x-goog-api-key") == key and "authorization" not in sent.headers,
    submits=r"POST /v1beta/interactions",
    looks=r"GET /v1beta/(interactions|files)/[^/]+",
    stops=r"POST /v1beta/interactions/[^/]+/cancel",
    tries_key=r"GET /v1beta/models",
    accepted=Answer(json=_OMNI),
    job_id=_OMNI_ID,
    vendor_id=_OMNI_ID,
    under_way=[
        ([Answer(json=_OMNI | {"status": "queued"})], JobState.QUEUED),
        ([Answer(json=_OMNI)], JobState.RUNNING),
    ],
    succeeded=[_OMNI_DONE, _OMNI_READY],
    video_url=_OMNI_FILE,
    unknown_word=[Answer(json=_OMNI | {"status": ODD_WORD})],
    failures=[
        ([_omni("failed", errors=[{"code": "internal", "message": "Try again"}])], errors.GenerationFailed),
        ([_omni("failed", errors=[{"message": "Blocked by the safety filters"}])], errors.ContentRefused),
        ([_omni("failed", errors=[{"code": "too_many_requests", "message": "No"}])], errors.GenerationFailed),
        ([_omni("incomplete")], errors.GenerationFailed),
        ([_omni("budget_exceeded")], errors.GenerationFailed),
        ([_omni("completed", {"type": "text", "text": "I can't generate this video."})], errors.ContentRefused),
        ([_omni("completed", {"type": "text", "text": "A lake is a body of water."})], errors.GenerationFailed),
        ([_OMNI_DONE, Answer(json={"name": "files/abc123def", "state": "FAILED"})], errors.GenerationFailed),
        ([_OMNI_DONE, _google_error(404, "File abc123def not found.", "NOT_FOUND")], errors.ExpiredAtProvider),
        (
            [_OMNI_DONE, _google_error(403, "You do not have permission, or it may not exist.", "PERMISSION_DENIED")],
            errors.ExpiredAtProvider,
        ),
    ],
    lost=[_google_error(404, "Interaction not found", "NOT_FOUND")],
    look_errors=[
        (_google_error(400, "API key not valid. Please pass a valid API key."), errors.BadKey),
        (
            _google_error(429, "Your prepayment credits are depleted.", "RESOURCE_EXHAUSTED"),
            errors.ProviderOutOfCredits,
        ),
        (Answer(json={"error": {"code": "too_many_requests", "message": "Please retry"}}), errors.ProviderRateLimited),
        (Answer(500, _OMNI | {"status": "failed"}), errors.ProviderUnavailable),
    ],
    refusals=[
        (_google_error(400, "API key not valid. Please pass a valid API key."), errors.BadKey, None),
        (_google_error(400, "API key expired. Please renew the API key."), errors.BadKey, None),
        (_google_error(403, "Permission denied", "PERMISSION_DENIED"), errors.BadKey, None),
        (_google_error(429, "Your prepayment credits are depleted."), errors.ProviderOutOfCredits, None),
        (_google_error(429, "Quota exceeded for metric: x, limit: 0"), errors.ProviderOutOfCredits, None),
        (_google_error(400, "Please enable billing on the project"), errors.ProviderOutOfCredits, None),
        (_google_error(429, "You exceeded your current quota"), errors.ProviderRateLimited, None),
        (_google_error(400, "The prompt was blocked for safety reasons"), errors.ContentRefused, None),
        (_google_error(404, "models/gemini-omni-9 is not found", "NOT_FOUND"), errors.ModelUnavailable, None),
        (_google_error(400, "The model gemini-omni-9 is not supported"), errors.ModelUnavailable, None),
        (_google_error(400, "Invalid value at 'response_format.duration'"), errors.InvalidInput, "duration"),
        (_google_error(400, "Unable to process input image"), errors.InvalidInput, "startImagePath"),
        (_google_error(400, "Unknown parameter 'safety_settings'"), errors.InvalidInput, None),
        (_google_error(500, "Internal error", "INTERNAL"), errors.SubmitUncertain, None),
        (_google_error(503, "The model is overloaded", "UNAVAILABLE"), errors.SubmitUncertain, None),
    ],
    delays=[(_google_error(429, "You exceeded your current quota. Please retry in 23.5s."), 23.5)],
    cost=ReportedCost(Decimal("0.568666"), "USD"),
    not_kept=["QUFBQQ", "c2lnbmVk"],
    cancels=[
        ([Answer(json=_OMNI | {"status": "cancelled"})], JobState.CANCELLED),
        ([_google_error(400, "It cannot be cancelled"), _OMNI_DONE, _OMNI_READY], JobState.SUCCEEDED),
        ([_google_error(400, "It cannot be cancelled"), Answer(json=_OMNI | {"status": "failed"})], JobState.FAILED),
        ([Answer(json=_OMNI)], JobState.RUNNING),
    ],
    key_accepted=Answer(json={"models": [{"name": "models/gemini-3-flash"}]}),
    key_refused=[
        _google_error(400, "API key not valid. Please pass a valid API key."),
        _google_error(403, "Permission denied", "PERMISSION_DENIED"),
    ],
    file_hosts=("generativelanguage.googleapis.com",),
    file_needs_key=True,
    lists_models=r"GET /v1beta/models",
    model_list=Answer(
        json={
            "models": [
                {"name": "models/gemini-3-flash", "displayName": "Gemini 3 Flash"},
                {"name": "models/gemini-omni-1.2-flash", "displayName": "Gemini Omni 1.2 Flash"},
                {"name": "models/gemini-omni-1.1-flash"},
            ]
        }
    ),
    models_listed=("gemini-omni-1.2-flash", "gemini-omni-1.1-flash"),
    unreadable_model_lists=[
        Answer(json={"models": []}),
        Answer(json={"models": {}}),
        Answer(json={"models": [{"name": "models/gemini-3-flash"}, {"name": 5}]}),
    ],
)

_H3_ID = "424010985738629"
_H3_TASK: dict[str, Any] = {
    "id": _H3_ID,
    "model": "MiniMax-H3",
    "status": "running",
    "created_at": 1795262415,
    "updated_at": 1795262425,
    "resolution": "768P",
    "duration": 5,
    "ratio": "16:9",
    "task_type": "generation",
}
_H3_CREATED = 1795262415
"""15 seconds after `SENT_AT`."""


def _h3(word: str, **more: Any) -> list[Answer]:
    return [Answer(json={"task": _H3_TASK | {"status": word} | more})]


def _h3_error(status: int, kind: str, said: str) -> Answer:
    error = {"type": kind, "message": said, "http_code": str(status)}
    return Answer(status, {"type": "error", "error": error, "request_id": "021785"})


def _h3_list(*items: dict[str, Any], total: int | None = None) -> Answer:
    """Its tasks of the last week, newest first."""
    listed = [_H3_TASK | item for item in items]
    return Answer(json={"items": listed, "total": len(listed) if total is None else total})


MINIMAX = VendorScript(
    submits=r"POST /v2/video_generation",
    looks=r"GET /v2/query/video_generation/[^/]+",
    stops=r"DELETE /v2/video_generation/[^/]+",
    tries_key=r"GET /v2/query/video_generation",
    searches=r"GET /v2/query/video_generation",
    accepted=Answer(json={"task_id": _H3_ID}),
    job_id=_H3_ID,
    vendor_id=_H3_ID,
    under_way=[(_h3("queued"), JobState.QUEUED), (_h3("running"), JobState.RUNNING)],
    succeeded=_h3(
        "succeeded",
        content={"url": CLIP},
        resolution="2K",
        usage={"total_seconds": 5, "input_seconds": 0, "output_seconds": 5, "input_image_count": 7},
    ),
    video_url=CLIP,
    unknown_word=_h3(ODD_WORD),
    failures=[
        (_h3("failed", error={"code": "1000", "message": "internal error"}), errors.GenerationFailed),
        (_h3("failed", error={"code": "1026", "message": "video description contains it"}), errors.ContentRefused),
        (_h3("failed", error={"code": 1027, "message": "Content policy violation"}), errors.ContentRefused),
        (_h3("failed"), errors.GenerationFailed),
        (_h3("expired"), errors.JobLost),
    ],
    lost=[_h3_error(400, "bad_request_error", "invalid params, invalid task_id (2013)")],
    look_errors=[
        (_h3_error(402, "insufficient_balance_error", "insufficient balance (1008)"), errors.ProviderOutOfCredits),
        (_h3_error(529, "overloaded_error", "overloaded"), errors.ProviderRateLimited),
        (Answer(500, {"task": _H3_TASK | {"status": "failed"}}), errors.ProviderUnavailable),
    ],
    refusals=[
        (_h3_error(401, "authorized_error", "login fail: Please carry the API secret key (1004)"), errors.BadKey, None),
        (_h3_error(402, "insufficient_balance_error", "no balance (1008)"), errors.ProviderOutOfCredits, None),
        (_h3_error(429, "rate_limit_error", "rate limit, please retry later (1002)"), errors.ProviderRateLimited, None),
        (_h3_error(529, "overloaded_error", "overloaded"), errors.ProviderRateLimited, None),
        (_h3_error(422, "unprocessable_entity_error", "input new_sensitive (1026)"), errors.ContentRefused, None),
        (
            _h3_error(400, "bad_request_error", "invalid params, duration must be 4 to 15 (2013)"),
            errors.InvalidInput,
            "duration",
        ),
        (
            _h3_error(400, "bad_request_error", "invalid params, first_frame is too small (2013)"),
            errors.InvalidInput,
            "startImagePath",
        ),
        (_h3_error(400, "bad_request_error", "model MiniMax-H9 is not supported"), errors.ModelUnavailable, None),
        (_h3_error(200, "insufficient_balance_error", "no balance (1008)"), errors.ProviderOutOfCredits, None),
        (_h3_error(200, "bad_request_error", "invalid params (2013)"), errors.InvalidInput, None),
        (
            Answer(json={"base_resp": {"status_code": 2049, "status_msg": "invalid api key"}}),
            errors.BadKey,
            None,
        ),
        (_h3_error(500, "server_error", "internal error (1000)"), errors.SubmitUncertain, None),
    ],
    cost=ReportedCost(Decimal("0.73"), "USD"),
    cancels=[
        (
            [*_h3("queued"), Answer(json={"task_id": _H3_ID, "action": "cancelled", "status": "cancelled"})],
            JobState.CANCELLED,
        ),
        ([*_h3("queued"), _h3_error(400, "bad_request_error", "it runs (2013)"), *_h3("running")], JobState.RUNNING),
        (_h3("running"), JobState.RUNNING),
        (_h3("succeeded", content={"url": CLIP}), JobState.SUCCEEDED),
        (_h3("cancelled"), JobState.CANCELLED),
    ],
    key_accepted=Answer(json={"items": [], "total": 0}),
    key_refused=[_h3_error(401, "authorized_error", "login fail (1004)")],
    listings=[
        Listing(_h3_list()),
        Listing(_h3_list({}), candidates=(_H3_ID,)),
        Listing(_h3_list({"created_at": "today"}), candidates=(_H3_ID,)),
        Listing(_h3_list({"created_at": 1795262415000}), candidates=(_H3_ID,)),
        Listing(_h3_list({"model": "MiniMax-H3-Max"}, {"resolution": "2K"}, {"duration": 6}, {"ratio": "9:16"})),
        Listing(_h3_list({"task_type": "regeneration", "ratio": ""})),
        Listing(_h3_list({"ratio": "adaptive"}), candidates=(_H3_ID,), image=IMAGE),
        Listing(_h3_list({"created_at": _H3_CREATED + 3600}, {"created_at": _H3_CREATED - 3600})),
        Listing(_h3_list({"created_at": _H3_CREATED - 3600}, total=476)),
        Listing(_h3_list({"created_at": _H3_CREATED - 3600}, {}, total=476), candidates=(_H3_ID,), complete=False),
        Listing(_h3_list({"duration": 6}, total=476), complete=False),
    ],
    unreadable_lists=[Answer(json={"items": []}), Answer(json={"total": 0}), Answer(json={"items": [5], "total": 1})],
)
_KLING_ID = "867432101"
_KLING_TASK = {
    "task_id": _KLING_ID,
    "task_status": "processing",
    "task_info": {"external_task_id": REFERENCE},
    "created_at": 1795262400000,
}


def _kling(word: str, **more: Any) -> list[Answer]:
    return [_kling_said(0, "SUCCEED", _KLING_TASK | {"task_status": word} | more)]


def _kling_said(code: int, said: str = "no", data: Any = None, status: int = 200) -> Answer:
    body = {"code": code, "message": said, "request_id": "r-1"}
    return Answer(status, body if data is None else body | {"data": data})


def _kling_of_ours(asked: httpx.Request) -> Answer:
    """The task of one id of ours; the list does not hold it yet."""
    if asked.url.path.endswith(f"/{REFERENCE}"):
        return _kling_said(0, data=_KLING_TASK)
    return _kling_said(0, data=[])


def _kling_listed(*tasks: Any) -> Any:
    """A vendor that does not know our ids on their own, and lists tasks."""

    def answer(asked: httpx.Request) -> Answer:
        alone = asked.url.path.endswith(f"/{REFERENCE}")
        return _kling_said(1203, "task not found", status=404) if alone else _kling_said(0, data=list(tasks))

    return answer


KLING = VendorScript(
    submits=r"POST /v1/videos/(text|image)2video",
    looks=r"GET /v1/videos/(text|image)2video/[^/]+",
    tries_key=r"GET /account/costs",
    searches=r"GET /v1/videos/(text|image)2video(/[^/]+)?",
    accepted=_kling("submitted")[0],
    job_id=f"t2v:{_KLING_ID}",
    vendor_id=_KLING_ID,
    under_way=[(_kling("submitted"), JobState.QUEUED), (_kling("processing"), JobState.RUNNING)],
    succeeded=_kling("succeed", task_result={"videos": [{"id": "v", "url": CLIP, "duration": "5.1"}]}),
    video_url=CLIP,
    unknown_word=_kling(ODD_WORD),
    failures=[
        (_kling("failed", task_status_msg="Failure to pass the risk control system"), errors.ContentRefused),
        (_kling("failed", task_status_msg="Internal error"), errors.GenerationFailed),
        (_kling("failed", task_status_msg="The model is no longer offered"), errors.ModelUnavailable),
    ],
    lost=[_kling_said(1203, "task not found", status=404)],
    look_errors=[
        (_kling_said(1001, "invalid key", status=401), errors.BadKey),
        (_kling_said(1303, "too many at once", status=429), errors.ProviderRateLimited),
        (_kling_said(5000, "server error", status=500), errors.ProviderUnavailable),
    ],
    refusals=[
        (_kling_said(1000, "signature is invalid", status=401), errors.BadKey, None),
        (_kling_said(1002, "invalid key"), errors.BadKey, None),
        (_kling_said(1304, "not among the addresses allowed", status=400), errors.BadKey, None),
        (_kling_said(1101, "account in arrears", status=429), errors.ProviderOutOfCredits, None),
        (_kling_said(1102, "resource pack is used up", status=429), errors.ProviderOutOfCredits, None),
        (_kling_said(1302, "too fast", status=429), errors.ProviderRateLimited, None),
        (_kling_said(1303, "parallel tasks over the limit"), errors.ProviderRateLimited, None),
        (_kling_said(1301, "content", status=400), errors.ContentRefused, None),
        (_kling_said(1201, "image: File format is not supported", status=400), errors.InvalidInput, "startImagePath"),
        (_kling_said(1201, "duration value is invalid", status=400), errors.InvalidInput, "duration"),
        (_kling_said(1203, "the model is not supported", status=404), errors.ModelUnavailable, None),
        (_kling_said(5001, "server error", status=503), errors.SubmitUncertain, None),
        (_kling_said(5000, "server error"), errors.SubmitUncertain, None),
        (Answer(502, text="<html>Bad Gateway</html>"), errors.SubmitUncertain, None),
    ],
    key_accepted=_kling_said(0, data={"code": 0, "resource_pack_subscribe_infos": []}),
    key_refused=[_kling_said(1001, "Authorization is empty", status=401), _kling_said(1002, "unknown key")],
    listings=[
        Listing(_kling_of_ours, exact=(f"t2v:{_KLING_ID}",)),
        Listing(_kling_listed(_KLING_TASK), exact=(f"t2v:{_KLING_ID}",)),
        Listing(_kling_listed(_KLING_TASK | {"task_info": {"external_task_id": "another"}})),
        Listing(_kling_listed(_KLING_TASK | {"task_info": {}}), candidates=(f"t2v:{_KLING_ID}",)),
        Listing(_kling_listed()),
    ],
    unreadable_lists=[_kling_said(0, data=[{"task_id": 5}]), _kling_said(0, data="none"), _kling_said(0)],
)
SCRIPTS = {"demo": DEMO, "modelslab": MODELSLAB, "edenai": EDENAI, "fal": FAL, "replicate": REPLICATE}
SCRIPTS |= {"openrouter": OPENROUTER, "byteplus": BYTEPLUS, "gemini": GEMINI, "minimax": MINIMAX, "kling": KLING}
