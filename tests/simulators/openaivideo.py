"""A stand-in for a server that speaks OpenAI's `/v1/videos` as vLLM-Omni does: forms or JSON, a list with prompts."""

import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, echoed, no_answer, serve

_REFUSALS: dict[str, tuple[int, str, str]] = {
    "429": (429, "rate_limit_exceeded", "Too many requests"),
    "429header": (429, "rate_limit_exceeded", "Too many requests"),
    "500": (500, "server_error", "Internal server error"),
    "badkey": (401, "invalid_api_key", "Incorrect API key provided"),
    "nocredit": (429, "insufficient_quota", "You exceeded your current quota"),
    "nsfwsubmit": (400, "content_policy_violation", "Rejected by the safety system"),
    "gone": (404, "model_not_found", "The model does not exist"),
    "badinput": (400, "invalid_value", "Invalid value for seconds"),
}
_FAILURES = {"failed": ("engine_error", "CUDA out of memory"), "refused": ("moderation_blocked", "Blocked")}
PAGE = 100


def app(vendor: Vendor) -> ASGIApp:
    """The simulated server as an ASGI app. It keeps no client reference; a key is needed by none and may be bad."""

    async def submit(request: Request) -> Response:
        body, files = await _sent(request)
        prompt = str(body.get("prompt", ""))
        kind = vendor.kind_of(prompt, prompt)
        refusal = _refusal("badkey" if not _key_is_good(request) else kind) or _invalid(body)
        if kind == "echorefuse":
            refusal = _error(400, "invalid_value", str(await echoed(request)))
        job = None if refusal else vendor.accept(f"video_gen_{uuid.uuid4().hex}", kind, body | {"files": files})
        vendor.record(kind=kind, prompt=prompt, reference="", body=body | {"files": files}, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        return JSONResponse(_video(job))

    async def look(request: Request) -> Response:
        vendor.looks += 1
        job = vendor.jobs.get(request.path_params["job_id"])
        if not _key_is_good(request):
            return _refusal("badkey") or Response(status_code=401)
        if job is None or job.kind == "nojob":
            return _error(404, "not_found", "The video does not exist")
        if fault := await vendor.look_fault(request, job):
            return fault
        return JSONResponse(_video(job))

    async def delete(request: Request) -> Response:
        job = vendor.jobs.pop(request.path_params["job_id"], None)
        if job is None:
            return _error(404, "not_found", "The video does not exist")
        return JSONResponse({"id": job.id, "object": "video.deleted", "deleted": True})

    async def content(request: Request) -> Response:
        if not _key_is_good(request):
            return _refusal("badkey") or Response(status_code=401)
        return await vendor.send_file(request, vendor.jobs.get(request.path_params["job_id"]), first_link=False)

    async def listed(request: Request) -> Response:
        newest = list(reversed(vendor.jobs.values()))
        first = next((place + 1 for place, job in enumerate(newest) if job.id == request.query_params.get("after")), 0)
        end = first + min(PAGE, int(request.query_params.get("limit", PAGE)))
        return JSONResponse(
            {"object": "list", "data": [_video(job) for job in newest[first:end]], "has_more": end < len(newest)}
        )

    async def models(request: Request) -> Response:
        if not _key_is_good(request):
            return _refusal("badkey") or Response(status_code=401)
        return JSONResponse({"object": "list", "data": [{"id": "Wan-AI/Wan2.2-TI2V-5B-Diffusers", "object": "model"}]})

    return serve(
        [
            Route("/v1/videos", submit, methods=["POST"]),
            Route("/v1/videos", listed),
            Route("/v1/videos/{job_id}", delete, methods=["DELETE"]),
            Route("/v1/videos/{job_id}", look),
            Route("/v1/videos/{job_id}/content", content),
            Route("/v1/models", models),
            *vendor.routes(),
        ]
    )


async def _sent(request: Request) -> tuple[dict[str, Any], list[str]]:
    """The fields of an order, and the names of its files."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return await request.json(), []
    async with request.form() as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return fields, [name for name, value in form.items() if not isinstance(value, str)]


def _key_is_good(request: Request) -> bool:
    return not request.headers.get("authorization", "").startswith("Bearer bad")


def _invalid(body: Mapping[str, Any]) -> Response | None:
    """What its own schema would refuse: `seconds` is a text, `size` is width x height."""
    if not body.get("prompt"):
        return _error(400, "missing_required_parameter", "prompt is required", "prompt")
    if not (isinstance(body.get("seconds"), str) and body["seconds"].isdigit()):
        return _error(400, "invalid_type", "seconds must be a string", "seconds")
    width, _, height = str(body.get("size", "")).partition("x")
    if not (width.isdigit() and height.isdigit()):
        return _error(400, "invalid_value", "size must be WxH", "size")
    return None


def _refusal(kind: str) -> Response | None:
    if kind not in _REFUSALS:
        return None
    status, code, said = _REFUSALS[kind]
    headers = {"Retry-After": "2"} if kind == "429header" else None
    return _error(status, code, said, "seconds" if kind == "badinput" else None, headers)


def _error(
    status: int, code: str, said: str, param: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    error = {"message": said, "type": "invalid_request_error", "param": param, "code": code}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


def _video(job: Job) -> dict[str, Any]:
    """The object of a job, as looks, lists and orders show it."""
    sent = job.submitted
    word = {"running": "in_progress", "done": "completed", "failed": "failed", "refused": "failed"}[job.state]
    if job.kind == "oddword" and job.first_end():
        word = "upscaling"
    code, said = _FAILURES.get(job.state, (None, None))
    return {
        "id": job.id,
        "object": "video",
        "model": sent.get("model"),
        "status": word,
        "progress": 100 if job.state == "done" else 0,
        "created_at": int(job.created.timestamp()),
        "prompt": sent.get("prompt"),
        "seconds": sent.get("seconds"),
        "size": sent.get("size"),
        "error": {"code": code, "message": said} if code else None,
    }
