"""A stand-in for modelslab.com; the shapes are those of its error codes, rate limits and video OpenAPI pages."""

import itertools
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.vendor import LOST_KINDS, Job, Vendor, echoed, no_answer, serve

_REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "429": (429, {"message": "Rate limit exceeded. Maximum 5 queued requests allowed.", "retry_after": 1}),
    "500": (500, {"message": "Internal Server Error"}),
    "badkey": (401, {"message": "Invalid API key"}),
    "nocredit": (402, {"messege": "Insufficient credits. Please add more credits to continue."}),
    "429header": (429, {"message": "Too many requests"}),
    "429text": (200, {"message": "Rate limit exceeded, try again in 2 seconds"}),
    "500verdict": (500, {"message": "Failed to start the generation"}),
    "nsfwsubmit": (200, {"message": "NSFW content detected in the prompt"}),
    "messege": (200, {"messege": "Your prompt has sensitive words and was blocked"}),
    "gone": (200, {"message": "The model seedance-t2v is no longer available"}),
    "badinput": (200, {"message": {"duration": ["The duration must be one of 5, 10"]}}),
}
_FAILURES = {"failed": "Video generation failed", "refused": "NSFW content detected. Please change the prompt."}


def app(vendor: Vendor) -> ASGIApp:
    """The simulated vendor as an ASGI app."""
    numbers = itertools.count(155262350)

    async def submit(request: Request) -> Response:
        body = dict(await request.json())
        key, prompt, reference = body.pop("key", ""), str(body.get("prompt", "")), str(body.get("track_id", ""))
        kind = vendor.kind_of(prompt, reference)
        busy = sum(job.state == "running" for job in vendor.jobs.values()) >= vendor.limit
        refusal = _refusal("badkey" if not key or key.startswith("bad") else kind) or (
            _refusal("429") if busy else None
        )
        if not prompt:
            refusal = _error(200, {"message": "prompt is required"})
        image = body.get("init_image")
        if image is not None and image not in vendor.uploads:
            refusal = _error(200, {"message": "Unable to fetch image from provided URL"})
        if kind == "echorefuse":
            refusal = _error(400, await echoed(request))
        job = None if refusal else vendor.accept(str(next(numbers)), kind, body)
        vendor.record(kind=kind, prompt=prompt, reference=reference, body=body, job=job)
        if refusal or job is None:
            return refusal or Response(status_code=500)
        if kind in LOST_KINDS:
            return await no_answer(kind, request)
        if kind == "held":
            return StreamingResponse(vendor.held(_processing(request, job)), media_type="application/json")
        return JSONResponse(_processing(request, job) | (await echoed(request) if kind == "echo" else {}))

    async def fetch(request: Request) -> Response:
        vendor.looks += 1
        job = vendor.jobs.get(request.path_params["job_id"])
        if not (await request.json()).get("key"):
            return _error(*_REFUSALS["badkey"])
        if job is None or job.kind == "nojob":
            return JSONResponse({"status": "failed", "id": "", "message": "Request not found", "output": ""})
        if fault := await vendor.look_fault(request, job):
            return fault
        if job.state == "running":
            return JSONResponse(_processing(request, job))
        if job.kind == "oddword" and job.first_end():
            return JSONResponse(_processing(request, job) | {"status": "upscaling"})
        if job.kind == "early" and job.first_end():
            return JSONResponse({"status": "success", "id": int(job.id), "output": "", "proxy_links": []})
        if job.kind == "echo" and job.first_end():
            said = await echoed(request)
            return JSONResponse(_processing(request, job) | said | {"status": said["message"]})
        if job.state in _FAILURES:
            said = {"message": _FAILURES[job.state]} if job.kind != "echofail" else await echoed(request)
            return JSONResponse({"status": "failed", "id": int(job.id), **said, "output": []})
        link = vendor.link(request, job)
        done = {"status": "success", "id": int(job.id), "generationTime": job.seconds, "output": [link]}
        done |= await echoed(request) if job.kind == "echo" else {}
        return JSONResponse(done | {"proxy_links": [link], "meta": job.submitted})

    async def upload(request: Request) -> Response:
        body = await request.json()
        if not str(body.get("base64_string", "")).startswith("data:image/"):
            return _error(200, {"message": "base64_string is required"})
        address = f"{request.base_url}uploads/{len(vendor.uploads) + 1}.jpg"
        vendor.uploads.add(address)
        return JSONResponse({"status": "success", "id": len(vendor.uploads), "output": [address]})

    async def balance(request: Request) -> Response:
        key = str((await request.json()).get("key", ""))
        good = JSONResponse({"status": "success", "wallet_balance": "12.50"})
        return good if key and not key.startswith("bad") else _error(*_REFUSALS["badkey"])

    v7, v6 = "/api/v7/video-fusion", "/api/v6/video"
    submits = [f"{v7}/text-to-video", f"{v7}/image-to-video", f"{v6}/text2video_ultra"]
    routes = [Route(path, submit, methods=["POST"]) for path in submits]
    routes += [Route(f"{path}/fetch/{{job_id}}", fetch, methods=["POST"]) for path in (v7, v6)]
    routes.append(Route("/api/wallet_balance", balance, methods=["POST"]))
    return serve([*routes, Route("/api/v6/base64_to_url", upload, methods=["POST"]), *vendor.routes()])


def _refusal(kind: str) -> Response | None:
    headers = {"Retry-After": "2"} if kind == "429header" else None
    return _error(*_REFUSALS[kind], headers) if kind in _REFUSALS else None


def _error(status: int, said: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"status": "error", **said}, status_code=status, headers=headers)


def _processing(request: Request, job: Job) -> dict[str, Any]:
    """Still at it; the future link is there from the first moment and leads nowhere yet."""
    return {
        "status": "processing",
        "id": job.id if job.kind == "idtext" else int(job.id),
        "eta": 10,
        "message": "Try to fetch request after seconds estimated",
        "fetch_result": f"https://modelslab.com/api/v7/video-fusion/fetch/{job.id}",
        "output": [],
        "future_links": [f"{request.base_url}files/{job.id}.mp4?signature=future"],
        "meta": job.submitted,
    }
