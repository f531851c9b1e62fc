"""A stand-in for openrouter.ai's video jobs; the shapes are those of its video guide, SDK and webhook page."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, echoed, key_is_good, no_answer, serve

_MODELS = {"bytedance/seedance-2.0-fast": {"video_tokens": "0.0000042"}, "kwaivgi/kling-v3.0-std": {"moon_phase": "1"}}
_REFUSALS = {
    "429": (429, "Rate limit exceeded"),
    "429header": (429, "Rate limit exceeded"),
    "500": (500, "Internal Server Error"),
    "200error": (200, "Internal Server Error"),
    "badkey": (401, "No auth credentials found"),
    "nocredit": (402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits"),
    "nsfwsubmit": (403, "Your chosen model requires moderation and your input was flagged"),
    "gone": (404, "No endpoints found for this model."),
    "badinput": (400, "duration must be one of the supported durations"),
}
_FAILURES = {"failed": "The provider could not make this video", "refused": "Blocked by content moderation"}
_USAGE: dict[str, Any] = {
    "costnull": {"usage": {"cost": None, "is_byok": True}},
    "costtext": {"usage": {"cost": "0.4573", "is_byok": False}},
    "costnumber": {},
}
LARGEST_BODY_BYTES = 50 * 1024**2


def app(vendor: Vendor) -> ASGIApp:
    """The simulated vendor as an ASGI app. It keeps no client reference and lists no jobs."""

    async def submit(request: Request) -> Response:
        body = await request.json()
        prompt = str(body.get("prompt", ""))
        kind = vendor.kind_of(prompt, prompt)
        refusal = _refusal("badkey" if not key_is_good(request) else kind) or _invalid(body)
        if len(await request.body()) > LARGEST_BODY_BYTES:
            refusal = _error(413, "Request body too large")
        if kind == "echorefuse":
            refusal = _error(400, str(await echoed(request)))
        job = None if refusal else vendor.accept(f"job-{uuid.uuid4().hex}", kind, body)
        vendor.record(kind=kind, prompt=prompt, reference="", body=body, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        said = await echoed(request) if kind == "echo" else {}
        return JSONResponse(_job(job, "pending") | said, status_code=202)

    async def look(request: Request) -> Response:
        vendor.looks += 1
        job = vendor.jobs.get(request.path_params["job_id"])
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        if job is None or job.kind == "nojob":
            return _error(404, "Job not found")
        if fault := await vendor.look_fault(request, job):
            return fault
        if job.state == "running":
            return JSONResponse(_job(job, "in_progress"))
        if job.kind == "expires":
            return JSONResponse(_job(job, "expired"))
        if job.kind == "oddword" and job.first_end():
            return JSONResponse(_job(job, "upscaling"))
        if job.kind == "early" and job.first_end():
            return JSONResponse(_job(job, "completed"))
        if job.kind == "nsfwdone":
            return JSONResponse(_job(job, "completed") | {"unsigned_urls": [], "error": _FAILURES["refused"]})
        if job.state in _FAILURES:
            error = _FAILURES[job.state] if job.kind != "echofail" else str(await echoed(request))
            return JSONResponse(_job(job, "failed") | {"error": error} | _usage(job, 0.01))
        job.links_given += 1
        content = f"{request.base_url}api/v1/videos/{job.id}/content?index=0"
        done = {"unsigned_urls": [content], "generation_id": f"gen-{job.id}"} | _usage(job, 0.4573)
        done |= await echoed(request) if job.kind == "echo" else {}
        return JSONResponse(_job(job, "completed") | done)

    async def content(request: Request) -> Response:
        job = vendor.jobs.get(request.path_params["job_id"])
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        return await vendor.send_file(request, job, first_link=job is not None and job.links_given == 1)

    async def key(request: Request) -> Response:
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        return JSONResponse({"data": {"label": "sk-or-v1-...", "limit": None, "usage": 12.5}})

    async def models(request: Request) -> Response:
        shared = {"supported_resolutions": ["480p", "720p"], "generate_audio": True}
        return JSONResponse({"data": [shared | {"id": name, "pricing_skus": skus} for name, skus in _MODELS.items()]})

    return serve(
        [
            Route("/api/v1/videos", submit, methods=["POST"]),
            Route("/api/v1/videos/models", models),
            Route("/api/v1/videos/{job_id}", look),
            Route("/api/v1/videos/{job_id}/content", content),
            Route("/api/v1/key", key),
            *vendor.routes(),
        ]
    )


def _refusal(kind: str) -> Response | None:
    if kind not in _REFUSALS:
        return None
    return _error(*_REFUSALS[kind], headers={"Retry-After": "2"} if kind == "429header" else None)


def _invalid(body: dict[str, Any]) -> Response | None:
    """What is wrong with an order that the vendor would refuse, or take and make something else of."""
    if not body.get("prompt"):
        return _error(400, "prompt is required")
    if not isinstance(body.get("duration"), int):
        return _error(400, "duration must be a whole number")
    if body.get("frame_images") and body.get("input_references"):
        return _error(400, "input_references would be left out beside frame_images")
    pictures = [*body.get("frame_images", []), *body.get("input_references", [])]
    if not all(str(each["image_url"]["url"]).startswith("data:image/") for each in pictures):
        return _error(400, "frame_images: not a data URL")
    return None


def _usage(job: Job, cost: float) -> dict[str, Any]:
    return dict(_USAGE.get(job.kind, {"usage": {"cost": cost, "is_byok": False}}))


def _error(status: int, message: str, *, headers: dict[str, str] | None = None) -> Response:
    code = 500 if status == 200 else status
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status, headers=headers)


def _job(job: Job, status: str) -> dict[str, Any]:
    return {"id": job.id, "polling_url": f"/api/v1/videos/{job.id}", "status": status}
