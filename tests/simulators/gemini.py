"""A stand-in for Google's Interactions API with the Omni models; the shapes are those of its SDK and live replies."""

import base64
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, echoed, no_answer, serve

_MODELS = ("gemini-3-flash", "gemini-omni-1.2-flash", "gemini-omni-1.1-flash")
_REFUSALS = {
    "429": (429, "You exceeded your current quota. Please retry in 2.5s.", "RESOURCE_EXHAUSTED"),
    "429header": (429, "You exceeded your current quota.", "RESOURCE_EXHAUSTED"),
    "badkey": (400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT"),
    "nocredit": (429, "Your prepayment credits are depleted.", "RESOURCE_EXHAUSTED"),
    "500": (500, "An internal error has occurred.", "INTERNAL"),
    "nsfwsubmit": (400, "The prompt was blocked by the safety filters.", "INVALID_ARGUMENT"),
    "gone": (404, "models/gemini-omni-1.2-flash is not found for API version v1beta.", "NOT_FOUND"),
    "badinput": (400, "Invalid value at 'response_format.duration'.", "INVALID_ARGUMENT"),
}
_FAILURES = {"failed": "The video could not be made.", "refused": "Blocked by the safety filters."}
LARGE_BYTES = 22 * 1024**2
"""Of a clip that is inside the answer; a third more as base64."""
TOKENS_PER_SECOND = 5792


def app(vendor: Vendor) -> ASGIApp:
    """The simulated vendor as an ASGI app. It lists no jobs, and gives a file or, for some kinds, the clip itself."""

    async def submit(request: Request) -> Response:
        body = await request.json()
        prompt = " ".join(each.get("text", "") for each in body.get("input", []) if each.get("type") == "text")
        metadata = (body.get("webhook_config") or {}).get("user_metadata") or {}
        kind = vendor.kind_of(prompt, prompt)
        refusal = _refusal("badkey" if not _key_is_good(request) else kind) or _invalid(body)
        if kind == "echorefuse":
            refusal = _error(400, str(await echoed(request)), "INVALID_ARGUMENT")
        job = None if refusal else vendor.accept(f"v1_{uuid.uuid4().hex}", kind, body)
        vendor.record(kind=kind, prompt=prompt, reference=str(metadata.get("reference", "")), body=body, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        said = await echoed(request) if kind == "echo" else {}
        return JSONResponse(_interaction(job, "in_progress") | said)

    async def look(request: Request) -> Response:
        vendor.looks += 1
        job = vendor.jobs.get(request.path_params["job_id"])
        if not _key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        if job is None or job.kind == "nojob" or (job.kind == "expires" and job.state != "running"):
            return _error(404, "Interaction not found.", "NOT_FOUND")
        if fault := await vendor.look_fault(request, job):
            return fault
        if job.state in ("running", "cancelled"):
            return JSONResponse(_interaction(job, "in_progress" if job.state == "running" else "cancelled"))
        if job.kind == "oddword" and job.first_end():
            return JSONResponse(_interaction(job, "upscaling"))
        if job.kind == "early" and job.first_end():
            return JSONResponse(_interaction(job, "completed"))
        if job.kind == "toobusy":
            error = {"code": "too_many_requests", "message": "Please retry in 23.397s."}
            return JSONResponse(_interaction(job, "failed") | {"errors": [error]})
        if job.kind == "nsfwdone":
            words = {"type": "text", "text": "I can't generate this video because of our policy."}
            return JSONResponse(_interaction(job, "completed", words))
        if job.state in _FAILURES:
            error = {"message": _FAILURES[job.state] if job.kind != "echofail" else str(await echoed(request))}
            spent = {"total_input_tokens": 120, "total_output_tokens": 0}
            return JSONResponse(_interaction(job, "failed") | {"errors": [error], "usage": spent})
        job.links_given += 1
        done = _interaction(job, "completed", _video(vendor, request, job)) | _usage(job)
        return JSONResponse(done | (await echoed(request) if job.kind == "echo" else {}))

    async def file(request: Request) -> Response:
        name, _, wanted = request.path_params["name"].partition(":")
        job = vendor.jobs.get(f"v1_{name}")
        if not _key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        if job is None or job.kind == "filegone":
            return _error(403, f"You do not have permission to access the File {name} or it may not exist.", "DENIED")
        if wanted == "download":
            return await vendor.send_file(request, job, first_link=job.links_given == 1)
        state = "PROCESSING" if job.kind == "latefile" and job.first_end() else "ACTIVE"
        return JSONResponse({"name": f"files/{name}", "mimeType": "video/mp4", "state": state})

    async def cancel(request: Request) -> Response:
        job = vendor.jobs.get(request.path_params["job_id"])
        if job is None or not _key_is_good(request):
            return _error(404, "Interaction not found.", "NOT_FOUND")
        if job.state != "running":
            return _error(400, "The interaction is not running.", "FAILED_PRECONDITION")
        job.cancel()
        return JSONResponse(_interaction(job, "cancelled"))

    async def models(request: Request) -> Response:
        if not _key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        return JSONResponse({"models": [{"name": f"models/{each}", "displayName": each} for each in _MODELS]})

    return serve(
        [
            Route("/v1beta/interactions", submit, methods=["POST"]),
            Route("/v1beta/interactions/{job_id}", look),
            Route("/v1beta/interactions/{job_id}/cancel", cancel, methods=["POST"]),
            Route("/v1beta/files/{name}", file),
            Route("/v1beta/models", models),
            *vendor.routes(),
        ]
    )


def _key_is_good(request: Request) -> bool:
    key = request.headers.get("x-goog-api-key", "")
    return bool(key) and not key.startswith("bad")


def _refusal(kind: str) -> Response | None:
    if kind not in _REFUSALS:
        return None
    return _error(*_REFUSALS[kind], headers={"Retry-After": "2"} if kind == "429header" else None)


def _invalid(body: dict[str, Any]) -> Response | None:
    """What is wrong with an order that the vendor would refuse, or that would be billed at once."""
    shape, config = body.get("response_format") or {}, body.get("generation_config") or {}
    images = [each for each in body.get("input", []) if each.get("type") == "image"]
    task = (config.get("video_config") or {}).get("task")
    if body.get("background") is not True or body.get("store") is not True:
        return _error(400, "background needs store", "INVALID_ARGUMENT")
    if shape.get("resolution") not in ("360p", "720p", "1080p", "4k") or shape.get("aspect_ratio") not in (
        "16:9",
        "9:16",
    ):
        return _error(400, "Invalid value at 'response_format.resolution'.", "INVALID_ARGUMENT")
    if not str(shape.get("duration")).endswith("s"):
        return _error(400, "Invalid value at 'response_format.duration'.", "INVALID_ARGUMENT")
    if (task == "text_to_video") is bool(images):
        return _error(400, "The task does not fit the input.", "INVALID_ARGUMENT")
    if not all(base64.b64decode(each["data"], validate=True) and each["mime_type"] == "image/jpeg" for each in images):
        return _error(400, "Unable to process input image.", "INVALID_ARGUMENT")
    return None


def _error(status: int, message: str, word: str, *, headers: dict[str, str] | None = None) -> Response:
    said = {"error": {"code": status, "message": message, "status": word}}
    return JSONResponse(said, status_code=status, headers=headers)


def _interaction(job: Job, status: str, *content: dict[str, Any]) -> dict[str, Any]:
    found = {"id": job.id, "object": "interaction", "model": job.submitted["model"], "status": status}
    thought = {"type": "thought", "signature": "AAAA" * 1000}
    return found | ({"steps": [thought, {"type": "model_output", "content": list(content)}]} if content else {})


def _video(vendor: Vendor, request: Request, job: Job) -> dict[str, Any]:
    video = {"type": "video", "mime_type": "video/mp4"}
    if job.kind not in ("inline", "bigvideo"):
        return video | {"uri": f"{request.base_url}v1beta/files/{job.id.removeprefix('v1_')}:download?alt=media"}
    whole = vendor.clip.read_bytes()
    if job.kind == "bigvideo":  # a box that players skip
        whole += (LARGE_BYTES + 8).to_bytes(4, "big") + b"free" + bytes(LARGE_BYTES)
    return video | {"data": base64.b64encode(whole).decode()}


def _usage(job: Job) -> dict[str, Any]:
    if job.kind == "costnull":
        return {"usage": None}
    tokens = TOKENS_PER_SECOND * int(job.submitted["response_format"]["duration"].removesuffix("s"))
    by_kind = [{"modality": "video", "tokens": str(tokens) if job.kind == "costtext" else tokens}]
    counts = {"total_input_tokens": 100, "total_output_tokens": tokens + 50, "output_tokens_by_modality": by_kind}
    return {"usage": counts}
