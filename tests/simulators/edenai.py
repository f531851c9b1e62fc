"""A stand-in for api.edenai.run, version 3; the shapes are those of its OpenAPI document and error pages."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, echoed, key_is_good, no_answer, serve

_REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "429": (429, {"detail": "Rate limit exceeded", "error_code": "RATE_LIMITED", "retry_after": 1.5}),
    "500": (500, {"detail": "Internal Server Error"}),
    "badkey": (401, {"detail": "Invalid or missing authentication token", "error_code": "UNAUTHORIZED"}),
    "nocredit": (402, {"detail": "Insufficient credits", "error_code": "INSUFFICIENT_CREDIT", "required_credits": 5}),
    "429header": (429, {"detail": "Too many requests"}),
    "429text": (429, {"detail": "Rate limit exceeded, try again in 2 seconds"}),
    "500verdict": (500, {"error": {"type": "ProviderError", "message": "The provider failed to start the job"}}),
    "nsfwsubmit": (400, {"error": {"type": "Bad Request", "message": "Rejected by the safety system"}}),
    "gone": (404, {"detail": "Model not found", "error_code": "INVALID_MODEL"}),
    "badinput": (422, {"detail": [{"loc": ["body", "input", "duration"], "msg": "5 or 10", "type": "value_error"}]}),
}
_FAILURES = {"failed": "The provider could not generate the video.", "refused": "Blocked by the content policy."}


def app(vendor: Vendor) -> ASGIApp:
    """The simulated vendor as an ASGI app."""

    async def submit(request: Request) -> Response:
        body = await request.json()
        wanted = body.get("input") or {}
        prompt = str(wanted.get("text", ""))
        reference = str((body.get("user_webhook_parameters") or {}).get("reference", ""))
        kind = vendor.kind_of(prompt, reference)
        refusal = _refusal("badkey" if not key_is_good(request) else kind)
        if not str(body.get("model", "")).startswith("video/generation_async/"):
            refusal = _invalid(["body", "model"])
        if not prompt or ("file" in wanted and wanted["file"] not in vendor.uploads):
            refusal = _invalid(["body", "input", "file" if prompt else "text"])
        if kind == "echorefuse":
            refusal = JSONResponse({"error": await echoed(request)}, status_code=400)
        job = None if refusal else vendor.accept(str(uuid.uuid4()), kind, body)
        vendor.record(kind=kind, prompt=prompt, reference=reference, body=body, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        said = await echoed(request) if kind == "echo" else {}
        return JSONResponse(_answer(job, "processing") | said, status_code=202)

    async def look(request: Request) -> Response:
        vendor.looks += 1
        job = vendor.jobs.get(request.path_params["job_id"])
        if not key_is_good(request):
            return _refusal("badkey") or Response(status_code=401)
        if job is None or job.kind == "nojob":
            return JSONResponse({"detail": "Job not found"}, status_code=404)
        if fault := await vendor.look_fault(request, job):
            return fault
        if job.state == "running":
            return JSONResponse(_answer(job, "processing"))
        if job.kind == "oddword" and job.first_end():
            return JSONResponse(_answer(job, "post-processing"))
        if job.kind == "early" and job.first_end():
            return JSONResponse(_answer(job, "success"))
        if job.kind == "echo" and job.first_end():
            said = await echoed(request)
            return JSONResponse(_answer(job, said["message"]) | said)
        if job.kind == "upstreamfail":
            results = {"openai": {"final_status": "fail", "error": "the upstream vendor gave up"}}
            return JSONResponse(_answer(job, "finished") | {"results": results})
        if job.state in _FAILURES:
            error = {"message": _FAILURES[job.state]} if job.kind != "echofail" else await echoed(request)
            return JSONResponse(_answer(job, "fail") | {"error": error})
        inside = "AAAA" * (2_000_000 if job.kind == "bigvideo" else 1000)
        output = {"video": inside, "video_resource_url": vendor.link(request, job), "usage": None}
        done = {"cost": 0.48 if job.kind == "costnumber" else "0.48", "output": output}
        done |= await echoed(request) if job.kind == "echo" else {}
        return JSONResponse(_answer(job, "success") | done)

    async def jobs(request: Request) -> Response:
        if not key_is_good(request):
            return _refusal("badkey") or Response(status_code=401)
        return JSONResponse({"jobs": [], "total": 0})

    async def upload(request: Request) -> Response:
        async with request.form() as form:
            if "file" not in form or not key_is_good(request):
                return _invalid(["body", "file"])
        file_id = str(uuid.uuid4())
        vendor.uploads.add(file_id)
        return JSONResponse({"file_id": file_id, "file_name": "start.jpeg", "file_mimetype": "image/jpeg"})

    return serve(
        [
            Route("/v3/universal-ai/async", submit, methods=["POST"]),
            Route("/v3/universal-ai/async", jobs),
            Route("/v3/universal-ai/async/{job_id}", look),
            Route("/v3/upload", upload, methods=["POST"]),
            *vendor.routes(),
        ]
    )


def _refusal(kind: str) -> Response | None:
    if kind not in _REFUSALS:
        return None
    status, said = _REFUSALS[kind]
    return JSONResponse(said, status_code=status, headers={"Retry-After": "2"} if kind == "429header" else None)


def _invalid(place: list[str]) -> Response:
    mistake = {"loc": place, "msg": "Field required", "type": "missing"}
    return JSONResponse({"detail": [mistake]}, status_code=422)


def _answer(job: Job, status: str) -> dict[str, Any]:
    _, _, provider, model = str(job.submitted["model"]).split("/", 3)
    return {
        "job_id" if job.kind == "jobid" else "public_id": job.id,
        "status": status,
        "cost": "0",
        "provider": provider,
        "model": model,
        "feature": "video",
        "subfeature": "generation_async",
        "created_at": "2026-06-10T12:00:00Z",
        "output": None,
        "error": None,
    }
