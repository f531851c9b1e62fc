"""A stand-in for ModelArk's tasks; the shapes are those of its API reference for video generation."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, echoed, key_is_good, no_answer, serve

TASKS = "/api/v3/contents/generations/tasks"
LARGEST_BODY_BYTES = 64 * 1024**2
WAITS = "late"
"""A job of this kind waits all its time, so that it can be stopped."""
_REFUSALS = {
    "429": (429, "RateLimitExceeded.EndpointRPMExceeded", "Requests of this endpoint exceed its limit."),
    "429header": (429, "ServerOverloaded", "The service is busy."),
    "500": (500, "InternalServiceError", "The service met an unexpected error."),
    "badkey": (401, "AuthenticationError", "The API key in the request is missing or invalid."),
    "nocredit": (403, "AccountOverdueError", "Your account has an overdue balance."),
    "nsfwsubmit": (400, "InputTextSensitiveContentDetected", "The input text may contain sensitive information."),
    "gone": (404, "ModelNotOpen", "Your account has not activated the model."),
}
_FAILURES = {
    "failed": {"code": "InternalServiceError", "message": "The service met an unexpected error."},
    "refused": {"code": "OutputVideoSensitiveContentDetected", "message": "The output may be sensitive."},
}
_USAGE: dict[str, dict[str, Any]] = {
    "costnull": {"usage": {"completion_tokens": None}},
    "costtext": {"usage": {"completion_tokens": "108900", "total_tokens": "108900"}},
    "costnumber": {},
}
_FIELDS = {"model", "content", "resolution", "ratio", "duration", "generate_audio", "watermark", "seed"}
_FIELDS |= {"execution_expires_after", "safety_identifier", "callback_url"}


def app(vendor: Vendor) -> ASGIApp:
    """The simulated vendor as an ASGI app."""

    async def submit(request: Request) -> Response:
        body = await request.json()
        prompt = next((str(part.get("text", "")) for part in body.get("content", []) if part.get("type") == "text"), "")
        reference = str(body.get("safety_identifier", ""))
        kind = vendor.kind_of(prompt, reference)
        refusal = _refusal("badkey" if not key_is_good(request) else kind) or _invalid(body)
        if len(await request.body()) > LARGEST_BODY_BYTES:
            refusal = _error(413, "RequestTooLarge", "The request is too large.")
        if kind == "badinput":
            refusal = _error(400, "InvalidParameter", "The parameter is not valid.", param="duration")
        if kind == "echorefuse":
            refusal = _error(400, "InvalidParameter", str(await echoed(request)))
        job = None if refusal else vendor.accept(f"cgt-20261129000000-{uuid.uuid4().hex[:12]}", kind, body)
        vendor.record(kind=kind, prompt=prompt, reference=reference, body=body, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        said = await echoed(request) if kind == "echo" else {}
        return JSONResponse({"id": job.id} | said)

    async def look(request: Request) -> Response:
        vendor.looks += 1
        job = vendor.jobs.get(request.path_params["job_id"])
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        if job is None or job.kind == "nojob":
            return _error(404, "ResourceNotFound", "The specified task is not found.")
        if fault := await vendor.look_fault(request, job):
            return fault
        if job.kind == "oddword" and job.state == "done" and job.first_end():
            return JSONResponse(_task(job) | {"status": "upscaling"})
        if job.kind == "early" and job.state == "done" and job.first_end():
            return JSONResponse(_task(job) | {"status": "succeeded"})
        if job.kind == "echofail" and job.state == "failed":
            error = {"code": "InternalServiceError", "message": str(await echoed(request))}
            return JSONResponse(_task(job) | {"error": error})
        if _word(job) != "succeeded":
            return JSONResponse(_task(job))
        said = await echoed(request) if job.kind == "echo" else {}
        done = {"content": {"video_url": vendor.link(request, job)}, "framespersecond": 24}
        return JSONResponse(_task(job) | done | said)

    async def delete(request: Request) -> Response:
        job = vendor.jobs.get(request.path_params["job_id"])
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        if job is None:
            return _error(404, "ResourceNotFound", "The specified task is not found.")
        if _word(job) == "queued":
            job.cancel()
        elif _word(job) == "running":
            return _error(409, "InvalidAction.RunningTaskDeletion", "A running task cannot be deleted.")
        else:
            del vendor.jobs[job.id]
        return JSONResponse({})

    async def listed(request: Request) -> Response:
        if not key_is_good(request):
            return _error(*_REFUSALS["badkey"])
        page, size = (int(request.query_params.get(name, 10)) for name in ("page_num", "page_size"))
        tasks = [_task(job) for job in reversed(vendor.jobs.values())]
        return JSONResponse({"total": len(tasks), "items": tasks[(page - 1) * size : page * size]})

    return serve(
        [
            Route(TASKS, submit, methods=["POST"]),
            Route(TASKS, listed),
            Route(f"{TASKS}/{{job_id}}", look),
            Route(f"{TASKS}/{{job_id}}", delete, methods=["DELETE"]),
            *vendor.routes(),
        ]
    )


def _refusal(kind: str) -> Response | None:
    if kind not in _REFUSALS:
        return None
    return _error(*_REFUSALS[kind], headers={"Retry-After": "2"} if kind == "429header" else None)


def _invalid(body: dict[str, Any]) -> Response | None:
    """What the vendor refuses in an order."""
    roles = [part.get("role") for part in body.get("content", []) if part.get("type") == "image_url"]
    if unknown := sorted(set(body) - _FIELDS):
        return _error(400, "InvalidParameter", "The parameter is not known.", param=unknown[0])
    if "seed" in body and "seedance-2" in str(body.get("model")):
        return _error(400, "InvalidParameter", "This model takes no seed.", param="seed")
    if "reference_image" in roles and {"first_frame", "last_frame"} & set(roles):
        return _error(400, "InvalidParameter", "Frames cannot be mixed with reference media.", param="content")
    if "last_frame" in roles and "first_frame" not in roles:
        return _error(400, "InvalidParameter", "A last frame needs a first frame.", param="content")
    if not 3600 <= body.get("execution_expires_after", 0) <= 259_200:
        return _error(400, "InvalidParameter", "Out of range.", param="execution_expires_after")
    if len(str(body.get("safety_identifier", ""))) > 64:
        return _error(400, "InvalidParameter", "Too long.", param="safety_identifier")
    return None


def _error(
    status: int, code: str, message: str, *, param: str = "", headers: dict[str, str] | None = None
) -> JSONResponse:
    error = {"code": code, "message": message, "param": param, "type": "BadRequest"}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


def _word(job: Job) -> str:
    if job.state == "done":
        return "expired" if job.kind == "expires" else "failed" if job.kind == "nsfwdone" else "succeeded"
    if job.state == "running":
        return "queued" if job.kind == WAITS else "running"
    return {"cancelled": "cancelled"}.get(job.state, "failed")


def _task(job: Job) -> dict[str, Any]:
    """A task as looks and the list show it; the addresses of a clip are given by looks alone."""
    word, kept = _word(job), ("model", "resolution", "ratio", "duration", "generate_audio", "safety_identifier")
    told: dict[str, Any] = {"id": job.id, "status": word, "created_at": int(job.created.timestamp())}
    told |= {name: job.submitted[name] for name in kept if name in job.submitted}
    if word == "failed":
        told["error"] = _FAILURES.get(job.state, _FAILURES["refused"])
    if word == "succeeded":
        told |= _USAGE.get(job.kind, {"usage": {"completion_tokens": 108900, "total_tokens": 108900}})
    return told
